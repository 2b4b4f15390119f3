//! One question, one answer: the same bytes and the same fuel at a second call, in another process, from an artefact that
//! was kept, whatever the guest looks at; and the engine's own sources of difference are closed.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use mortise_bindings::Bindings;
use mortise_host::{Ceilings, CompileCache, Extension, Host, Runtime};
use mortise_points::{CallIdentity, Points, UnitPrice};

use crate::support::{
    CALL, ask, bind, folder, host, hostile_extension, loyal_price, question, runtime, scope,
};
use crate::wat;

/// Where the other process finds what was compiled.
const KEPT: &str = "MORTISE_TEST_COMPILED";
/// What is in front of each of its answers.
const ANSWER: &str = "answer: ";

fn runtime_keeping(directory: &Path) -> Arc<Runtime> {
    let cache = CompileCache::open(directory).unwrap();
    let ceilings = Ceilings { deadline: Duration::from_secs(60), ..Ceilings::default() };
    Arc::new(Runtime::start(ceilings, Some(cache)).unwrap())
}

/// What guests answer that look at everything which could tell one call from another, a line each.
fn answers(directory: &Path) -> Vec<String> {
    let runtime = runtime_keeping(directory);
    let hostile = host(&runtime, [hostile_extension(&runtime)], &bind(&["look around"], "refuse"));
    let loyal = Extension::load(&runtime, &loyal_price()).unwrap();
    let bindings = "[[binding]]\npoint = \"unit-price\"\ntenant = \"shop\"\nextension = \"loyal-price\"\n\
                    version = \"1.0.0\"\npriority = 1\non_failure = \"refuse\"\n\
                    config = { customer_group = \"member\", rate_bp = 333 }\n";
    let loyal = host(&runtime, [loyal], &Bindings::from_toml(bindings).unwrap());
    let mut lines = Vec::new();
    for (host, line) in [(&hostile, "look around"), (&loyal, "grocery")] {
        for (instance, attempt) in [("trade-1", 1), ("trade-1", 2), ("trade-2", 1)] {
            lines.push(answer(host, line, CallIdentity { instance, attempt, ..CALL }));
        }
    }
    lines
}

fn answer(host: &Host, line: &str, call: CallIdentity<'_>) -> String {
    let points: &dyn Points = host;
    let outcome = points.ask::<UnitPrice>(&scope(line), call, &question(7)).unwrap();
    let mut text = serde_json::to_string(&outcome.reduced).unwrap();
    write!(text, " with {} units of fuel", outcome.answers[0].fuel_used).unwrap();
    text
}

/// Also what the other process runs: it prints what it found.
#[test]
fn a_second_call_gives_the_same_bytes() {
    let own = tempfile::tempdir().unwrap();
    let directory = std::env::var_os(KEPT).map_or_else(|| own.path().to_owned(), Into::into);
    let first = answers(&directory);
    assert_eq!(first.len(), 6);
    assert_ne!(first[0], first[2], "who is asked counts for what is drawn");
    assert_eq!(first[3], first[5], "and for nothing else");
    assert_eq!(answers(&directory), first);
    first.iter().for_each(|line| println!("{ANSWER}{line}"));
}

#[test]
fn another_process_gives_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let here = answers(directory.path());
    // Once with the artefacts that are kept, as after a restart; once with its own, as on another machine.
    let elsewhere = tempfile::tempdir().unwrap();
    for kept in [directory.path(), elsewhere.path()] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["determinism::a_second_call_gives_the_same_bytes", "--exact", "--nocapture"])
            .env(KEPT, kept)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        // The harness may have begun the line.
        let there: Vec<&str> =
            said.lines().filter_map(|line| line.split_once(ANSWER)).map(|(_, answer)| answer).collect();
        assert!(output.status.success(), "{said}");
        assert_eq!(there, here);
    }
}

/// The amount that a component offers whose body works it out.
fn amount(expression: &str) -> i64 {
    let runtime = runtime();
    let body =
        format!("(call $offer (i32.const 1024) {expression}) (call $list (i32.const 1024) (i32.const 1))");
    let folder = folder(&wat::component("2", &body));
    let host =
        host(&runtime, [Extension::load(&runtime, folder.path()).unwrap()], &bind(&["nothing"], "refuse"));
    let outcome = ask(&host, "nothing", &question(1)).unwrap();
    outcome.reduced[0].price.amount().minor()
}

/// The number of lines as a float: 1, which no compiler knows.
const ONE: &str = "(f64.convert_i32_u (local.get 9))";

#[test]
fn a_nan_has_one_bit_pattern() {
    let bits = |nan: &str| amount(&format!("(i64.shr_u (i64.reinterpret_f64 {nan}) (i64.const 51))"));
    // x86 would give the sign bit too, and keep a payload.
    assert_eq!(bits(&format!("(f64.mul (f64.const inf) (f64.sub {ONE} {ONE}))")), 0xfff);
    assert_eq!(bits(&format!("(f64.add (f64.const -nan:0x4444) {ONE})")), 0xfff);
    let kept = format!("(i64.reinterpret_f64 (f64.add (f64.const nan:0x4444) {ONE}))");
    assert_eq!(amount(&format!("(i64.and {kept} (i64.const 0xffff))")), 0);
}

#[test]
fn relaxed_simd_is_not_relaxed() {
    // An index beyond the lanes gives 0 everywhere; x86's own instruction would wrap it round to lane 1.
    let lanes = "(v128.const i8x16 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22)";
    let indices = "(i8x16.splat (i32.add (local.get 9) (i32.const 16)))";
    let swizzled =
        format!("(i64.extend_i32_u (i8x16.extract_lane_u 0 (i8x16.relaxed_swizzle {lanes} {indices})))");
    assert_eq!(amount(&swizzled), 0);
}

#[test]
fn memory_grows_to_the_grant_and_not_a_page_further() {
    let pages = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (i64.extend_i32_u (memory.size))";
    let granted = Ceilings::default().memory_bytes / 65_536;
    assert_eq!(amount(&format!("(block (result i64) {pages})")), granted as i64);
}
