//! The one module that prints. Progress goes to standard error, so that standard output stays what a command was asked
//! for (`cargo xtask demo --format json | ...`).

/// Progress, for the person who waits.
#[expect(clippy::print_stderr, reason = "the module that prints")]
pub(crate) fn line(text: &str) {
    eprintln!("{text}");
}

/// What the command was asked for.
#[expect(clippy::print_stdout, reason = "the module that prints")]
pub(crate) fn result(text: &str) {
    println!("{text}");
}
