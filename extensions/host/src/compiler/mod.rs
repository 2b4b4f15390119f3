//! Compiling components: within this process, or in a child of it that has little time and little memory, so that an
//! upload that hangs or eats memory dies there. What a component may do when it runs is not decided here.

mod child;

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{CodeBuilder, Engine};

pub use child::compile_if_asked;

const MIB: u64 = 1 << 20;
/// What of a child's last words is kept, in bytes.
const LAST_WORDS_BYTES: u64 = 16 << 10;
/// A child's threads; each costs address space.
const THREADS: &str = "2";

/// What a child that compiles one component may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// CPU time of all its threads, in whole seconds.
    pub cpu_seconds: u64,
    /// Address space, in bytes.
    pub address_space_bytes: u64,
    /// The largest file that it may write, in bytes; what it compiles to goes through a pipe.
    pub file_bytes: u64,
    /// The largest compiled component, in bytes.
    pub compiled_bytes: u64,
    /// The longest that it may take, also when it does nothing.
    pub patience: Duration,
}

impl Default for CompileLimits {
    /// Enough for the largest component that a server takes, an interpreter with its libraries.
    fn default() -> Self {
        CompileLimits {
            cpu_seconds: 240,
            address_space_bytes: 4096 * MIB,
            file_bytes: 0,
            compiled_bytes: 512 * MIB,
            patience: Duration::from_secs(300),
        }
    }
}

/// Compiles components.
#[derive(Debug)]
pub struct Compiler(Place);

#[derive(Debug)]
enum Place {
    Within,
    Apart { program: PathBuf, limits: CompileLimits, turn: Mutex<()> },
}

impl Compiler {
    /// Compiles in this process: for components that are trusted, and for tests.
    #[must_use]
    pub fn within() -> Compiler {
        Compiler(Place::Within)
    }

    /// Compiles in a child process that runs this very program. Its `main` must begin with [`compile_if_asked`].
    ///
    /// # Errors
    /// The system does not say where this program stands.
    pub fn apart(limits: CompileLimits) -> io::Result<Compiler> {
        Ok(Compiler::apart_by(std::env::current_exe()?, limits))
    }

    /// The same with another program whose `main` begins so.
    #[must_use]
    pub fn apart_by(program: PathBuf, limits: CompileLimits) -> Compiler {
        Compiler(Place::Apart { program, limits, turn: Mutex::new(()) })
    }

    /// The component as machine code of this engine, not yet loaded.
    pub(crate) fn compile(&self, engine: &Engine, component: &[u8]) -> wasmtime::Result<Vec<u8>> {
        match &self.0 {
            Place::Within => compiled(engine, component),
            Place::Apart { program, limits, turn } => {
                // One child at a time: what all of them may use together is bounded too.
                let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                apart(program, limits, component).map_err(wasmtime::Error::msg)
            }
        }
    }
}

/// Verifies and compiles; WebAssembly's text format is not taken.
fn compiled(engine: &Engine, component: &[u8]) -> wasmtime::Result<Vec<u8>> {
    CodeBuilder::new(engine).wasm_binary(component, None)?.compile_component_serialized()
}

fn apart(program: &PathBuf, limits: &CompileLimits, component: &[u8]) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| format!("no process to compile in: {error}");
    let mut child = Command::new(program)
        .args(child::arguments(limits))
        .env_clear()
        // Fewer threads, and no memory set aside for each: address space is what is bounded.
        .env("RAYON_NUM_THREADS", THREADS)
        .env("MALLOC_ARENA_MAX", THREADS)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let exchanged = exchange(&mut child, limits, component);
    let status = child.wait().map_err(failed)?;
    let (mut code, last_words) = exchanged?;
    if !status.success() {
        return Err(cause(status, &last_words, limits));
    }
    if !code.starts_with(child::HEAD) {
        return Err(format!("was given to {}, which does not compile", program.display()));
    }
    code.drain(..child::HEAD.len());
    Ok(code)
}

/// Hands the component over, and takes what comes back: the code, and what it says beside.
fn exchange(
    child: &mut Child,
    limits: &CompileLimits,
    component: &[u8],
) -> Result<(Vec<u8>, String), String> {
    let (Some(mut input), Some(output), Some(said)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err("the process to compile in has no pipes".to_owned());
    };
    thread::scope(|scope| {
        // A child that dies early closes the pipe; why it died is told by its end.
        scope.spawn(move || drop(input.write_all(component)));
        let words = scope.spawn(move || last_words(said));
        let (done, outcome) = mpsc::channel();
        scope.spawn(move || {
            let mut code = Vec::new();
            let read = output.take(limits.compiled_bytes + 1).read_to_end(&mut code);
            drop(done.send(read.map(|_| code)));
        });
        let code = match outcome.recv_timeout(limits.patience) {
            Ok(Ok(code)) if code.len() as u64 <= limits.compiled_bytes => Ok(code),
            Ok(Ok(_)) => Err(format!("compiles to more than {} MiB", limits.compiled_bytes / MIB)),
            Ok(Err(error)) => Err(format!("what it compiles to cannot be read: {error}")),
            Err(_) => Err(format!("took longer than {:?} to compile", limits.patience)),
        };
        if code.is_err() {
            // The readers wait for its end, which it may have come to by itself.
            drop(child.kill());
        }
        let words = words.join().unwrap_or_default();
        code.map(|code| (code, words))
    })
}

fn last_words(said: impl Read) -> String {
    let mut bytes = Vec::new();
    let mut said = said.take(LAST_WORDS_BYTES);
    drop(said.read_to_end(&mut bytes));
    drop(io::copy(said.get_mut(), &mut io::sink()));
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// Why a child gave nothing, for the component's author.
fn cause(status: ExitStatus, said: &str, limits: &CompileLimits) -> String {
    let CompileLimits { cpu_seconds, address_space_bytes, .. } = limits;
    let smaller = "make it smaller: fewer and shorter functions";
    if child::has_refused(status) {
        return said.to_owned();
    }
    if child::ran_out_of_time(status) {
        return format!("needs more than {cpu_seconds} s of CPU time; {smaller}");
    }
    let out_of_memory = ["memory allocation of", "out of memory", "Cannot allocate memory"];
    if out_of_memory.iter().any(|words| said.contains(words)) {
        return format!("needs more than {} MiB of memory; {smaller}", address_space_bytes / MIB);
    }
    if said.contains("overflowed its stack") {
        return "is nested too deeply".to_owned();
    }
    let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    format!("ended the compiler ({status}): {first}")
}
