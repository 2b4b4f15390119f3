//! `mortise ext ...` as types: names, help, defaults. What a command does is in `commands/ext`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mortise_workshop::Language;

use super::{EXIT_CODES, Format};

/// The way from nothing to an extension, at the end of the help.
const WAY: &str = "\
From nothing to an extension:
  mortise ext toolchain typescript
  mortise ext new loyal-price --point unit-price --lang typescript
  cd loyal-price
  mortise ext build && mortise ext test";

#[derive(Debug, Subcommand)]
#[command(after_help = WAY)]
pub(crate) enum Ext {
    /// Begins an extension: a folder that builds and passes its cases as it is.
    ///
    /// For example: mortise ext new loyal-price --point unit-price --lang typescript
    New(ExtNew),
    /// Installs what a language needs to be built, from the package registries into one folder.
    ///
    /// For example: mortise ext toolchain python
    Toolchain(ExtToolchain),
    /// Builds the extension of a folder into its component, `extension.wasm`.
    ///
    /// For example: mortise ext build loyal-price
    Build(ExtBuild),
    /// Runs an extension's cases on the real host, each twice: the answer, the fuel, and the same again.
    ///
    /// A case is a file in `cases`: the point's question, the answer that it must give, the most fuel that it may use. With
    /// UPDATE_EXPECT=1 in the environment, answers that differ are written into the files.
    ///
    /// For example: UPDATE_EXPECT=1 mortise ext test loyal-price
    Test(ExtTest),
    /// Runs one case and shows the answer, the fuel, the time, and what was printed.
    ///
    /// For example: mortise ext run member --in loyal-price
    Run(ExtRun),
    /// Measures the calls of an extension's cases, fresh instances through the host beside a bare engine's.
    ///
    /// For example: mortise ext bench loyal-price --calls 10000
    Bench(ExtBench),
    #[command(flatten)]
    Desk(super::desk::Desk),
}

/// Where toolchains are kept.
#[derive(Debug, Args, Clone)]
pub(crate) struct Toolchains {
    /// The folder of toolchains and compiled components; `mortise` in the user's cache folder where left out.
    #[arg(long, env = "MORTISE_TOOLCHAINS", value_name = "DIR")]
    pub(crate) toolchains: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ExtNew {
    /// Its name, 1 to 64 of `a-z 0-9 -`.
    pub(crate) name: String,
    /// The point that it answers, such as unit-price or discount.
    #[arg(long, value_name = "POINT")]
    pub(crate) point: String,
    /// What it is written in: rust, typescript, python, go or c.
    #[arg(long, default_value = "rust", value_name = "LANG", value_parser = language)]
    pub(crate) lang: Language,
    /// The folder that gets a folder of this name.
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub(crate) into: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ExtToolchain {
    /// Of which language: rust, typescript, python, go or c.
    #[arg(value_name = "LANG", value_parser = language)]
    pub(crate) lang: Language,
    #[command(flatten)]
    pub(crate) toolchains: Toolchains,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ExtBuild {
    /// The extension's folder.
    #[arg(default_value = ".", value_name = "DIR")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) toolchains: Toolchains,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ExtTest {
    /// The extension's folder.
    #[arg(default_value = ".", value_name = "DIR")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) toolchains: Toolchains,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ExtRun {
    /// The case: its name in `cases`, or a file.
    pub(crate) case: String,
    /// The extension's folder.
    #[arg(long = "in", default_value = ".", value_name = "DIR")]
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) toolchains: Toolchains,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ExtBench {
    /// The extension's folder.
    #[arg(default_value = ".", value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Calls of each case and kind.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(10..=1_000_000), value_name = "N")]
    pub(crate) calls: u32,
    #[command(flatten)]
    pub(crate) toolchains: Toolchains,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

fn language(text: &str) -> Result<Language, String> {
    text.parse().map_err(|fault: mortise_workshop::Fault| fault.sentence)
}
