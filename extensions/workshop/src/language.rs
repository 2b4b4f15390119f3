//! The languages that an extension can be written in, and what is known of each before anything is built.

use std::fmt;
use std::str::FromStr;

use crate::Fault;

/// A language with an SDK, a template and a toolchain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Compiled by cargo for `wasm32-wasip2`.
    Rust,
    /// Checked by tsc, bundled, and put into a component with the QuickJS interpreter.
    TypeScript,
    /// Put into a component with the CPython interpreter.
    Python,
    /// Compiled by Go for `wasip1` and made a component.
    Go,
    /// Compiled by clang (of zig) and made a component.
    C,
}

impl Language {
    /// All of them, the quickest first.
    pub const ALL: [Language; 5] =
        [Language::Rust, Language::C, Language::Go, Language::TypeScript, Language::Python];

    /// As the command line and the templates' folders name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::TypeScript => "typescript",
            Language::Python => "python",
            Language::Go => "go",
            Language::C => "c",
        }
    }

    /// The file by which a project's language is known.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Language::Rust => "Cargo.toml",
            Language::TypeScript => "package.json",
            Language::Python => "extension.py",
            Language::Go => "go.mod",
            Language::C => "extension.c",
        }
    }

    /// Whether its SDK prints by an import of the world, since its interpreter has no way of its own.
    pub(crate) fn prints_by_import(self) -> bool {
        self == Language::TypeScript
    }

    /// What a manifest of this language asks for: an interpreter takes fuel and memory before it reads the first line.
    pub(crate) fn limits(self) -> &'static str {
        match self {
            Language::Rust | Language::C => "fuel_per_line = 20_000\nmemory = \"4MiB\"",
            Language::Go => "fuel_per_call = 5_000_000\nfuel_per_line = 100_000\nmemory = \"16MiB\"",
            Language::TypeScript => "fuel_per_call = 5_000_000\nfuel_per_line = 200_000\nmemory = \"16MiB\"",
            Language::Python => "fuel_per_call = 5_000_000\nfuel_per_line = 200_000\nmemory = \"64MiB\"",
        }
    }

    /// What a template's cases let a call use, in units of fuel.
    pub(crate) fn fuel_at_most(self) -> u64 {
        match self {
            Language::Rust | Language::C => 100_000,
            Language::Go => 3_000_000,
            Language::TypeScript | Language::Python => 1_000_000,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Language {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Language, Fault> {
        Language::ALL.into_iter().find(|language| language.name() == text).ok_or_else(|| {
            let known: Vec<&str> = Language::ALL.iter().map(|language| language.name()).collect();
            Fault::new(format!("no SDK for {text:?}; there are {}", known.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_read_back_from_its_name() {
        for language in Language::ALL {
            assert_eq!(language.name().parse::<Language>().unwrap(), language);
        }
        let fault = "cobol".parse::<Language>().unwrap_err();
        assert_eq!(fault.sentence, "no SDK for \"cobol\"; there are rust, c, go, typescript, python");
    }
}
