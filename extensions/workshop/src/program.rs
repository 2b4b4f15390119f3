//! Runs the programs of toolchains: quietly when all goes well, with their own words when it does not.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Fault;

/// The most lines of a failed program's own words that are shown.
const SHOWN_LINES: usize = 60;

/// A program with its arguments, to be run in a folder.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
    line: String,
    answers: bool,
}

impl Program {
    pub(crate) fn new(program: impl AsRef<OsStr>, folder: &Path) -> Program {
        let mut command = Command::new(program.as_ref());
        command.current_dir(folder).stdin(Stdio::null());
        Program { command, line: program.as_ref().to_string_lossy().into_owned(), answers: false }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Program {
        self.line.push(' ');
        self.line.push_str(&arg.as_ref().to_string_lossy());
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(self, args: impl IntoIterator<Item = S>) -> Program {
        args.into_iter().fold(self, Program::arg)
    }

    pub(crate) fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Program {
        self.command.env(name, value);
        self
    }

    /// Flags for this machine's linker, or a coverage run, are not for a guest.
    pub(crate) fn without(mut self, names: &[&str]) -> Program {
        for name in names {
            self.command.env_remove(name);
        }
        self
    }

    /// What it prints on stdout is for whoever runs it, and no part of its words when it fails.
    pub(crate) fn that_answers(mut self) -> Program {
        self.answers = true;
        self
    }

    /// Runs it and returns what it printed.
    ///
    /// # Errors
    /// It cannot be started, or ends with another status than 0: then with the end of what it printed.
    pub(crate) fn run(mut self) -> Result<String, Fault> {
        let output = self
            .command
            .output()
            .map_err(|error| Fault::new(format!("`{}` could not be started: {error}", self.line)))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let stdout = if self.answers { Vec::new() } else { output.stdout };
        let said = [stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        Err(Fault::new(format!("`{}` ended with {}\n{}", self.line, output.status, the_end(&said))))
    }
}

fn the_end(said: &str) -> String {
    let lines: Vec<&str> = said.trim().lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}

/// A program of PATH, if there is one of this name.
pub(crate) fn on_path(name: &str) -> Option<OsString> {
    let path = std::env::var_os("PATH")?;
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).map(|folder| folder.join(&file)).find(|file| file.is_file()).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_the_programs_own_words() {
        let here = Path::new(".");
        let fault =
            Program::new("sh", here).args(["-c", "echo out; echo err >&2; exit 3"]).run().unwrap_err();
        assert!(fault.sentence.contains("exit status: 3\nout\nerr"), "{fault}");
        assert_eq!(Program::new("sh", here).args(["-c", "echo out"]).run().unwrap(), "out\n");
        let answers = Program::new("sh", here).that_answers().args(["-c", "echo out; echo err >&2; exit 3"]);
        let fault = answers.run().unwrap_err();
        assert!(fault.sentence.contains("exit status: 3\nerr"), "{fault}");
        let fault = Program::new("no-such-program", here).run().unwrap_err();
        assert!(fault.sentence.starts_with("`no-such-program` could not be started"), "{fault}");
        assert!(on_path("sh").is_some() && on_path("no-such-program").is_none());
    }

    #[test]
    fn only_the_end_of_a_long_text_is_shown() {
        let long: String = (0..100).map(|line| format!("{line}\n")).collect();
        assert!(the_end(&long).starts_with("40\n"));
    }
}
