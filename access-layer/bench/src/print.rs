//! The one module that prints: results to stdout, progress and failures to stderr.

/// Progress, for the person who waits.
#[expect(clippy::print_stderr, reason = "the module that prints")]
pub(crate) fn progress(text: &str) {
    eprintln!("{text}");
}

/// The result.
#[expect(clippy::print_stdout, reason = "the module that prints")]
pub(crate) fn result(text: &str) {
    println!("{text}");
}
