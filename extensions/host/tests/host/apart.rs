//! Compiling in a child process: what compiles there runs here, what hangs or eats memory ends there with a reason, and
//! what is kept needs no child any more.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mortise_host::{Ceilings, CompileCache, CompileLimits, Compiler, Extension, Runtime};
use mortise_points::Verdict;

use crate::support::{ask, bind, folder, host, hostile, only, question};

/// The program that compiles apart.
fn compile_extension() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_compile-extension"))
}

/// A runtime whose components are compiled by another program within these limits.
pub(crate) fn runtime_apart(limits: CompileLimits) -> Arc<Runtime> {
    let ceilings = Ceilings { deadline: Duration::from_secs(60), ..Ceilings::default() };
    let runtime = Runtime::start(ceilings, None).unwrap();
    Arc::new(runtime.compiling_by(Compiler::apart_by(compile_extension(), limits)))
}

/// Why a component is not loaded.
pub(crate) fn refused(runtime: &Runtime, component: &[u8]) -> String {
    Extension::load(runtime, folder(component).path()).unwrap_err().problem.to_string()
}

/// A component with one function that adds so many times: three bytes each, and some hundred in the compiler.
pub(crate) fn bomb(additions: usize) -> Vec<u8> {
    let mut body = vec![0, 0x20, 0];
    body.extend([0x20, 0, 0x6a].repeat(additions));
    body.push(0x0b);
    let mut code = vec![1];
    code.extend(sized(&body));
    let mut module = b"\0asm\x01\0\0\0\x01\x06\x01\x60\x01\x7f\x01\x7f\x03\x02\x01\0\x0a".to_vec();
    module.extend(sized(&code));
    let mut component = b"\0asm\x0d\0\x01\0\x01".to_vec();
    component.extend(sized(&module));
    component
}

/// With the length in front, as LEB128.
pub(crate) fn sized(bytes: &[u8]) -> Vec<u8> {
    let (mut head, mut length) = (Vec::new(), bytes.len());
    while length > 0x7f {
        head.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    head.push(length as u8);
    [&head, bytes].concat()
}

#[test]
fn what_is_compiled_apart_runs_here() {
    let runtime = runtime_apart(CompileLimits::default());
    let extension = folder(&std::fs::read(hostile()).unwrap());
    let host =
        host(&runtime, [Extension::load(&runtime, extension.path()).unwrap()], &bind(&["nothing"], "skip"));
    let outcome = ask(&host, "nothing", &question(3)).unwrap();
    assert_eq!(only(&outcome.answers).verdict, Verdict::Answered);
    assert_eq!(outcome.reduced.len(), 3);
}

#[test]
fn a_component_that_takes_too_long_to_compile_is_refused() {
    let runtime = runtime_apart(CompileLimits { cpu_seconds: 1, ..CompileLimits::default() });
    let found = refused(&runtime, &bomb(1_500_000));
    assert!(found.contains("needs more than 1 s of CPU time; make it smaller"), "{found}");
}

#[test]
fn a_component_that_takes_too_much_memory_to_compile_is_refused() {
    let limits = CompileLimits { address_space_bytes: 600 << 20, ..CompileLimits::default() };
    let found = refused(&runtime_apart(limits), &bomb(2_400_000));
    assert!(found.contains("needs more than 600 MiB of memory; make it smaller"), "{found}");
}

#[test]
fn nobody_waits_longer_for_a_child_than_they_have_patience_for() {
    let limits = CompileLimits { patience: Duration::from_millis(300), ..CompileLimits::default() };
    let found = refused(&runtime_apart(limits), &bomb(1_500_000));
    assert!(found.contains("took longer than 300ms to compile"), "{found}");
}

#[test]
fn a_component_that_compiles_to_too_much_is_refused() {
    let limits = CompileLimits { compiled_bytes: 1 << 20, ..CompileLimits::default() };
    let found = refused(&runtime_apart(limits), &bomb(400_000));
    assert!(found.contains("compiles to more than 1 MiB"), "{found}");
}

#[test]
fn what_is_no_component_is_refused_in_the_compilers_words() {
    let runtime = runtime_apart(CompileLimits::default());
    let invalid = wat::parse_str("(component (core module (func (result i32) i64.const 1)))").unwrap();
    let found = refused(&runtime, &invalid);
    assert!(found.contains("type mismatch"), "{found}");
}

#[test]
fn without_a_program_that_compiles_nothing_is_loaded() {
    for (program, problem) in [
        ("/nowhere/mortise", "no process to compile in"),
        ("/bin/echo", "was given to /bin/echo, which does not compile"),
    ] {
        let other = Compiler::apart_by(PathBuf::from(program), CompileLimits::default());
        let runtime = Runtime::start(Ceilings::default(), None).unwrap().compiling_by(other);
        let found = refused(&runtime, &bomb(1));
        assert!(found.contains(problem), "{found}");
    }
}

#[test]
fn what_was_compiled_apart_is_sealed_and_needs_no_child_again() {
    let directory = tempfile::tempdir().unwrap();
    let extension = folder(&std::fs::read(hostile()).unwrap());
    let with = |program: PathBuf| {
        let cache = CompileCache::open(directory.path()).unwrap();
        let compiler = Compiler::apart_by(program, CompileLimits::default());
        let runtime = Runtime::start(Ceilings::default(), Some(cache)).unwrap().compiling_by(compiler);
        Extension::load(&runtime, extension.path()).map(|loaded| loaded.id().to_string())
    };
    assert!(with(PathBuf::from("/nowhere/mortise")).is_err());
    assert_eq!(with(compile_extension()).unwrap(), "hostile@6.6.6");
    assert_eq!(with(PathBuf::from("/nowhere/mortise")).unwrap(), "hostile@6.6.6");
}
