//! The child's side: the program run again with a hidden first argument binds itself, reads a component from its input,
//! writes the machine code to its output, and ends. It has no key: what it writes is sealed by who asked.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::{ExitCode, ExitStatus};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, nice, setrlimit};
use wasmtime::Engine;

use super::{CompileLimits, compiled};
use crate::runtime::compiling;

/// The hidden first argument.
const ASKED: &str = "__compile-extension";
/// What stands in front of the machine code: no other program's output is taken for it.
pub(super) const HEAD: &[u8] = b"mortise: compiled extension\n";
/// The component is none, or cannot be compiled; why stands on the error output.
const REFUSED: u8 = 10;
/// The child cannot work here.
const UNABLE: u8 = 11;
/// How much less urgent than its parent it is.
const NICER: i32 = 10;

/// How a child is asked, and with which limits.
pub(super) fn arguments(limits: &CompileLimits) -> [String; 4] {
    let CompileLimits { cpu_seconds, address_space_bytes, file_bytes, .. } = limits;
    [ASKED.to_owned(), cpu_seconds.to_string(), address_space_bytes.to_string(), file_bytes.to_string()]
}

/// Whether the child said that the component cannot be compiled.
pub(super) fn has_refused(status: ExitStatus) -> bool {
    status.code() == Some(i32::from(REFUSED))
}

/// Whether the system ended the child because its CPU time was used up.
pub(super) fn ran_out_of_time(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(Signal::XCPU.as_raw())
}

/// What a program does first whose extensions are compiled apart: if it was started to compile one, that is done, and
/// the exit code is what is left to return. Otherwise nothing happens.
#[must_use]
pub fn compile_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != ASKED {
        return None;
    }
    let outcome = bind(arguments)
        .map_err(|problem| (UNABLE, problem))
        .and_then(|()| work().map_err(|problem| (REFUSED, problem)));
    Some(match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, problem)) => {
            // Nobody listens if this fails.
            drop(io::stderr().write_all(problem.as_bytes()));
            ExitCode::from(code)
        }
    })
}

/// The limits hold before the first byte is read.
fn bind(arguments: impl Iterator<Item = OsString>) -> Result<(), String> {
    let numbers: Vec<u64> =
        arguments.filter_map(|argument| argument.to_str().and_then(|text| text.parse().ok())).collect();
    let [cpu_seconds, address_space_bytes, file_bytes] = numbers[..] else {
        return Err(format!("{ASKED} is for this program itself"));
    };
    for (resource, most) in [
        (Resource::Cpu, cpu_seconds),
        (Resource::As, address_space_bytes),
        (Resource::Fsize, file_bytes),
        (Resource::Core, 0),
    ] {
        let hard = getrlimit(resource).maximum;
        let current = Some(hard.map_or(most, |hard| hard.min(most)));
        // An end by the soft limit of CPU time can be told from any other; one by the hard limit cannot.
        let maximum = if resource == Resource::Cpu { hard } else { current };
        setrlimit(resource, Rlimit { current, maximum })
            .map_err(|error| format!("the limits cannot be set: {error}"))?;
    }
    nice(NICER).map_err(|error| format!("the priority cannot be lowered: {error}"))?;
    Ok(())
}

fn work() -> Result<(), String> {
    let mut component = Vec::new();
    io::stdin().read_to_end(&mut component).map_err(|error| error.to_string())?;
    let engine = Engine::new(&compiling()).map_err(|error| format!("{error:#}"))?;
    let code = compiled(&engine, &component).map_err(|error| format!("{error:#}"))?;
    let mut output = io::stdout().lock();
    output.write_all(HEAD).and_then(|()| output.write_all(&code)).map_err(|error| error.to_string())
}
