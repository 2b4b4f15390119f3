//! Compiles one extension when a host asks for it, and does nothing else: for programs that are not themselves fit to be
//! run again, such as tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    mortise_host::compile_if_asked().unwrap_or(ExitCode::from(2))
}
