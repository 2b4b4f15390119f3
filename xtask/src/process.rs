//! Programs that the commands run: what is run is what is printed when it fails, so that a person can repeat it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// A program with its arguments, to be run in a folder.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    program: OsString,
    args: Vec<OsString>,
    folder: PathBuf,
    variables: Vec<(OsString, OsString)>,
}

impl Program {
    pub(crate) fn new(program: impl AsRef<OsStr>, folder: &Path) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            folder: folder.to_owned(),
            variables: Vec::new(),
        }
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    pub(crate) fn variable(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs it, its output going where ours goes.
    ///
    /// # Errors
    /// When it cannot be started or ends with another status than 0.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let status = self.command().status().map_err(|error| self.not_started(&error))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(format!("`{}` ended with {status}", self.line()))
            .mend(format!("its own words stand above; in {} it can be run alone", self.folder.display())))
    }

    /// Runs it and returns what it printed. Beside others that run: what it says is heard when it fails, as one piece.
    ///
    /// # Errors
    /// When it cannot be started or ends with another status than 0, with its words.
    pub(crate) fn run_quietly(&self) -> Result<String, Failure> {
        let output =
            self.command().stdin(Stdio::null()).output().map_err(|error| self.not_started(&error))?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            return Ok(said(&output.stdout));
        }
        let (out, err) = (said(&output.stdout), said(&output.stderr));
        Err(Failure::new(format!("`{}` ended with {}\n{out}\n{err}", self.line(), output.status))
            .mend(format!("in {} it can be run alone", self.folder.display())))
    }

    /// Runs it quietly and returns what it printed; `None` when it cannot be started or fails.
    pub(crate) fn output(&self) -> Option<String> {
        let output = self.command().stdin(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Becomes the program, so that signals and the exit status are its own.
    #[cfg(unix)]
    pub(crate) fn replace_this_process(&self) -> Result<(), Failure> {
        use std::os::unix::process::CommandExt as _;
        Err(self.not_started(&self.command().exec()))
    }

    /// Runs the program to its end, where a process cannot become another.
    #[cfg(not(unix))]
    pub(crate) fn replace_this_process(&self) -> Result<(), Failure> {
        self.run()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.folder).envs(self.variables.iter().cloned());
        command
    }

    fn line(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.args);
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    fn not_started(&self, error: &std::io::Error) -> Failure {
        Failure::new(format!("`{}` could not be started: {error}", self.line()))
    }
}
