//! Guests written by hand, for harm that no compiler produces: answers whose strings share memory, lists that end
//! outside of it, and work that fuel does not measure.

use mortise_host::{Extension, ExtensionError, Runtime};
use mortise_points::{FailureKind, Verdict};

use crate::support::{ask, bind, folder, host, only, question, runtime};

/// A component that answers `unit-price` by this core function body. Its ten parameters are the flattened question;
/// it gives the address of a `result<list<offer>, string>`. The bytes 16 to 17 are "1", 32 to 40 "why".
pub(crate) fn component(memory: &str, body: &str) -> Vec<u8> {
    let core = CORE.replace("MEMORY", memory).replace("BODY", body);
    around(&core)
}

/// A component that answers `unit-price` by this core module, `$guest`, with the exports `memory`, `realloc` and
/// `offer-prices`.
pub(crate) fn around(core: &str) -> Vec<u8> {
    let text = TEMPLATE.replace("CORE", core);
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

const CORE: &str = r#"
  (core module $guest
    (memory (export "memory") MEMORY)
    (data (i32.const 16) "1")
    (data (i32.const 32) "why")
    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $free))
      (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 7)) (i32.const -8)))
      (local.get $at))
    (func $offer (param $at i32) (param $amount i64)
      (i32.store (local.get $at) (i32.const 16))
      (i32.store offset=4 (local.get $at) (i32.const 1))
      (i64.store offset=8 (local.get $at) (local.get $amount))
      (i64.store offset=16 (local.get $at) (i64.const 1))
      (i32.store offset=24 (local.get $at) (i32.const 32))
      (i32.store offset=28 (local.get $at) (i32.const 3)))
    (func $list (param $at i32) (param $length i32) (result i32)
      (i32.store (i32.const 64) (i32.const 0))
      (i32.store offset=4 (i32.const 64) (local.get $at))
      (i32.store offset=8 (i32.const 64) (local.get $length))
      (i32.const 64))
    (func (export "offer-prices") (param i32 i32 i32 i32 i32 i32 i32 i64 i32 i32) (result i32)
      BODY))
"#;

const TEMPLATE: &str = r#"
(component
  CORE
  (core instance $guest (instantiate $guest))
  (type $attribute (record (field "name" string) (field "value" string)))
  (type $line (record
    (field "line-id" string) (field "sku" string) (field "quantity" s64)
    (field "list-amount" s64) (field "list-per" s64) (field "current-amount" s64) (field "current-per" s64)
    (field "attributes" (list $attribute))))
  (type $order (record
    (field "currency" string) (field "customer-group" (option string)) (field "trade-time-ms" s64)
    (field "lines" (list $line))))
  (type $offer (record (field "line-id" string) (field "amount" s64) (field "per" s64) (field "reason" string)))
  (func $offer-prices (param "config" string) (param "order" $order) (result (result (list $offer) (error string)))
    (canon lift (core func $guest "offer-prices") (memory (core memory $guest "memory")) (realloc (core func $guest "realloc"))))
  (instance $pricing
    (export "attribute" (type $attribute)) (export "line" (type $line)) (export "order" (type $order))
    (export "offer" (type $offer)) (export "offer-prices" (func $offer-prices)))
  (export "mortise:unit-price/pricing@1.0.0" (instance $pricing)))
"#;

/// An offer for line 1, one unit less.
pub(crate) const HONEST: &str =
    "(call $offer (i32.const 1024) (i64.const 999)) (call $list (i32.const 1024) (i32.const 1))";

fn load(runtime: &Runtime, component: &[u8]) -> Result<Extension, ExtensionError> {
    Extension::load(runtime, folder(component).path())
}

#[test]
fn an_honest_one_is_heard() {
    let runtime = runtime();
    let host =
        host(&runtime, [load(&runtime, &component("2", HONEST)).unwrap()], &bind(&["nothing"], "skip"));
    let outcome = ask(&host, "nothing", &question(1)).unwrap();
    assert_eq!(only(&outcome.answers).verdict, Verdict::Answered);
    assert_eq!(outcome.reduced[0].reason, "why");
}

/// What a component's answer to one line comes to.
pub(crate) fn failure(body: &str) -> (FailureKind, String) {
    let runtime = runtime();
    let extension = load(&runtime, &component("32", body)).unwrap();
    let host = host(&runtime, [extension], &bind(&["nothing"], "skip"));
    let outcome = ask(&host, "nothing", &question(20)).unwrap();
    match &only(&outcome.answers).verdict {
        Verdict::Skipped { why } => (why.kind, why.detail.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn strings_that_share_memory_do_not_add_up_in_the_host() {
    // 20,000 offers whose reasons are the same megabyte: 20 GB, had the host taken them.
    let many = r"
      (local $at i32)
      (local.set $at (i32.const 4096))
      (loop $next
        (call $offer (local.get $at) (i64.const 999))
        (i32.store offset=24 (local.get $at) (i32.const 0))
        (i32.store offset=28 (local.get $at) (i32.const 1048576))
        (local.set $at (i32.add (local.get $at) (i32.const 32)))
        (br_if $next (i32.lt_u (local.get $at) (i32.const 644096))))
      (call $list (i32.const 4096) (i32.const 20000))";
    assert_eq!(failure(many).0, FailureKind::OutputTooLarge);
}

#[test]
fn answers_that_are_no_answers_are_traps() {
    for (body, detail) in [
        // A list that ends outside of the memory.
        (
            "(call $list (i32.const 1024) (i32.const 0x7fffffff))",
            "list pointer/length out of bounds of memory",
        ),
        // A list at an address that no list of offers has.
        ("(call $list (i32.const 1025) (i32.const 1))", "list pointer is not aligned"),
        // Neither a list nor an error.
        ("(i32.store (i32.const 64) (i32.const 7)) (i32.const 64)", "invalid expected discriminant"),
        // An answer outside of the memory.
        ("(i32.const 0x7ffffff0)", "pointer out of bounds of memory"),
        // A reason that is no text.
        (
            "(call $offer (i32.const 1024) (i64.const 999)) (i32.store8 (i32.const 32) (i32.const 255)) \
             (call $list (i32.const 1024) (i32.const 1))",
            "invalid utf-8",
        ),
        ("unreachable", "wasm `unreachable` instruction executed"),
        ("(i32.div_u (i32.const 1) (i32.const 0))", "integer divide by zero"),
        ("(i32.load (i32.const 0x7ffffff0))", "out of bounds memory access"),
    ] {
        let (kind, found) = failure(body);
        assert_eq!(kind, FailureKind::Trapped, "{body}: {found}");
        assert!(found.contains(detail), "{body}: {found}");
    }
}

#[test]
fn bulk_work_costs_fuel_by_the_byte() {
    let fill = "(loop $again (memory.fill (i32.const 0) (i32.const 1) (i32.const 2097152)) (br $again)) (i32.const 0)";
    assert_eq!(failure(fill).0, FailureKind::OutOfFuel);
}

#[test]
fn a_question_that_the_guest_has_no_room_for_is_its_own_failure() {
    let runtime = runtime();
    let host =
        host(&runtime, [load(&runtime, &component("1", HONEST)).unwrap()], &bind(&["nothing"], "skip"));
    let outcome = ask(&host, "nothing", &question(1_000)).unwrap();
    let Verdict::Skipped { why } = &only(&outcome.answers).verdict else { panic!("{outcome:?}") };
    assert_eq!(why.kind, FailureKind::Trapped, "{why}");
    let again = ask(&host, "nothing", &question(1)).unwrap();
    assert_eq!(only(&again.answers).verdict, Verdict::Answered);
}

/// Why a component does not even load.
fn refused(component: &[u8], memory_asked: &str) -> String {
    let folder = folder(component);
    let manifest = folder.path().join("extension.toml");
    let text = std::fs::read_to_string(&manifest).unwrap().replace("4096MiB", memory_asked);
    std::fs::write(manifest, text).unwrap();
    Extension::load(&runtime(), folder.path()).unwrap_err().problem.to_string()
}

#[test]
fn memory_beyond_the_grant_is_refused_at_the_start() {
    // 32 MiB to begin with, under the host's ceiling, above what the manifest asks for.
    let found = refused(&component("512", HONEST), "1MiB");
    assert_eq!(
        found,
        "the component does not answer unit-price: out_of_memory: wanted 33554432 bytes of memory, more than it may have; \
         `memory` of its manifest asks for more"
    );
    // 128 MiB, above the host's ceiling.
    let found = refused(&component("2048", HONEST), "4096MiB");
    assert!(found.contains("memory"), "{found}");
}

#[test]
fn a_start_function_is_metered_and_tried_out() {
    let start = |body: &str| component("2", &format!("{HONEST}) (func $start {body}) (start $start"));
    let found = refused(&start("(loop $again (br $again))"), "1MiB");
    assert_eq!(
        found,
        "the component does not answer unit-price: out_of_fuel: used up its 1000000 units of fuel; \
         `fuel_per_call` and `fuel_per_line` of its manifest ask for more"
    );
    let found = refused(&start("unreachable"), "1MiB");
    assert!(found.contains("trapped: wasm `unreachable` instruction executed"), "{found}");
}
