//! What the person at the terminal sees while it runs: a bar for each stage, and one line when it is done.
//! Goes to standard error; the report goes to standard output.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};

use crate::measure::Stopwatch;

/// A stage of the run with a known number of things to do.
#[derive(Debug)]
pub(crate) struct Stage {
    name: &'static str,
    bar: ProgressBar,
    watch: Stopwatch,
}

impl Stage {
    /// Begins a stage of `total` things.
    pub(crate) fn begin(name: &'static str, total: usize) -> Self {
        let bar = ProgressBar::new(total as u64).with_message(name);
        let template = "{msg:>22} [{bar:40}] {human_pos}/{human_len}  {per_sec}  {eta}";
        let style = ProgressStyle::with_template(template).map(|style| style.progress_chars("=> "));
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { name, bar, watch: Stopwatch::start() }
    }

    /// So many more things are done.
    pub(crate) fn add(&self, done: usize) {
        self.bar.inc(done as u64);
    }

    /// Ends the stage: on a terminal the bar stays, elsewhere there is one line of it.
    pub(crate) fn end(self) {
        self.bar.abandon();
        if !std::io::stderr().is_terminal() {
            let (done, seconds) = (self.bar.position(), self.watch.elapsed().as_secs_f64());
            say(format_args!("{:>22} {done} in {seconds:.1} s", self.name));
        }
    }
}

/// A line for the person who watches; nobody may be watching.
pub(crate) fn say(text: std::fmt::Arguments<'_>) {
    let _nobody_watches = writeln!(std::io::stderr(), "{text}");
}
