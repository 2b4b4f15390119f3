//! Components that nobody wrote: modules from wasm-smith in the shape of a guest, such modules with bytes changed, and a real
//! guest with bytes changed. Each is loaded and, if that works, asked twice; the host neither panics nor ends, and gives one
//! answer to one question. Some hundred in a usual run, and `MORTISE_FUZZ=10000 cargo test -p mortise-host --test host fuzz --
//! --nocapture` for more.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arbitrary::Unstructured;
use mortise_host::{Ceilings, Extension, Host, Runtime};
use mortise_points::Verdict;

use crate::apart::sized;
use crate::support::{ask, bind, folder, host, hostile, hostile_extension, only, question, runtime_with};
use crate::wat::around;

const USUALLY: u64 = 400;

/// The exports that a guest's module has.
const SHAPE: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "offer-prices") (param i32 i32 i32 i32 i32 i32 i32 i64 i32 i32) (result i32) unreachable))"#;

/// Numbers that follow from a seed.
struct Noise(blake3::OutputReader);

impl Noise {
    fn of(seed: u64) -> Noise {
        Noise(blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof())
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.fill(&mut bytes);
        bytes
    }

    fn below(&mut self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        (u64::from_le_bytes(bytes) % bound.max(1) as u64) as usize
    }
}

/// A module of a guest's shape, with everything else at random.
fn smith(noise: &mut Noise) -> Option<Vec<u8>> {
    let length = 256 + noise.below(4096);
    let bytes = noise.bytes(length);
    let config = wasm_smith::Config {
        exports: Some(wat::parse_str(SHAPE).unwrap()),
        max_imports: 0,
        max_memories: 2,
        max_memory32_bytes: 1 << 20,
        max_table_elements: 1_000,
        memory64_enabled: false,
        threads_enabled: false,
        gc_enabled: false,
        // Garbage collection is not in the engine, and references to the host's values come with it.
        reference_types_enabled: false,
        exceptions_enabled: false,
        compact_imports_enabled: false,
        wide_arithmetic_enabled: false,
        ..wasm_smith::Config::default()
    };
    let module = wasm_smith::Module::new(config, &mut Unstructured::new(&bytes)).ok()?;
    Some(around_binary(&module.to_bytes()))
}

/// A component that answers `unit-price` by this core module: one around a module of its shape, with the module changed.
fn around_binary(module: &[u8]) -> Vec<u8> {
    let template = around(&SHAPE.replacen("(module", "(core module $guest", 1));
    let (head, sections) = template.split_at(8);
    assert_eq!(sections[0], 1, "the first section is the core module");
    let ends = sections[1..].iter().position(|byte| *byte < 0x80).unwrap() + 1;
    let size = sections[1..=ends].iter().rev().fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
    let parts: [&[u8]; 4] = [head, &[1], &sized(module), &sections[1 + ends + size..]];
    parts.concat()
}

/// Some bytes are others, or gone, or there twice.
fn mutated(mut component: Vec<u8>, noise: &mut Noise) -> Vec<u8> {
    for _ in 0..=noise.below(4) {
        let at = 8 + noise.below(component.len() - 8);
        match noise.below(8) {
            0 => {
                component.remove(at);
            }
            1 => component.insert(at, component[at]),
            2 => component[at] = noise.below(256) as u8,
            _ => component[at] ^= 1 << noise.below(8),
        }
    }
    component
}

/// The component of a round; nothing where the smith had too little to go on.
fn forged(round: u64, guest: &[u8]) -> Option<Vec<u8>> {
    let mut noise = Noise::of(round);
    match round % 20 {
        19 => Some(mutated(guest.to_vec(), &mut noise)),
        odd if odd % 2 == 1 => smith(&mut noise).map(|component| mutated(component, &mut noise)),
        _ => smith(&mut noise),
    }
}

/// What comes of a component, in a word.
fn tried(runtime: &Arc<Runtime>, component: &[u8]) -> String {
    let Ok(extension) = Extension::load(runtime, folder(component).path()) else {
        return "refused".to_owned();
    };
    let host = host(runtime, [extension], &bind(&["nothing"], "skip"));
    let verdict = || {
        let outcome = ask(&host, "nothing", &question(2)).unwrap();
        let answered = only(&outcome.answers).clone();
        (answered.verdict, answered.fuel_used, format!("{:?}", outcome.reduced))
    };
    let first = verdict();
    assert_eq!(verdict(), first, "one question, two answers");
    match first.0 {
        Verdict::Answered => "answered".to_owned(),
        Verdict::Skipped { why } | Verdict::Failed { why } => why.kind.to_string(),
    }
}

fn assert_works(host: &Host) {
    let outcome = ask(host, "nothing", &question(2)).unwrap();
    assert_eq!(only(&outcome.answers).verdict, Verdict::Answered);
}

#[test]
fn nothing_that_a_smith_forges_breaks_the_host() {
    let rounds = std::env::var("MORTISE_FUZZ").map_or(USUALLY, |rounds| rounds.parse().unwrap());
    let runtime = runtime_with(Ceilings {
        fuel_per_line: 50_000,
        deadline: std::time::Duration::from_secs(60),
        ..Ceilings::default()
    });
    let honest = host(&runtime, [hostile_extension(&runtime)], &bind(&["nothing"], "refuse"));
    let guest = std::fs::read(hostile()).unwrap();
    let (mut came_to, mut broken) = (BTreeMap::<String, u64>::new(), Vec::new());
    for round in 0..rounds {
        let Some(component) = forged(round, &guest) else {
            *came_to.entry("not forged".to_owned()).or_default() += 1;
            continue;
        };
        match catch_unwind(AssertUnwindSafe(|| tried(&runtime, &component))) {
            Ok(word) => *came_to.entry(word).or_default() += 1,
            Err(_) => broken.push(round),
        }
        if round % 50 == 0 {
            assert_works(&honest);
        }
    }
    assert_works(&honest);
    println!("{rounds} forged components, 0 aborts of the host, {} panics: {came_to:?}", broken.len());
    assert!(broken.is_empty(), "rounds {broken:?}");
    let ran: u64 = came_to
        .iter()
        .filter(|(word, _)| !["refused", "not forged"].contains(&word.as_str()))
        .map(|(_, n)| n)
        .sum();
    assert!(ran * 5 > rounds, "only {ran} of {rounds} ran at all: {came_to:?}");
}
