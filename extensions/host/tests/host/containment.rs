//! Everything that an extension can do to hurt, in one list: each attack ends in a refusal or a failure of its own kind, the
//! next honest call works, and the count is printed (`cargo nextest run -p mortise-host --no-capture containment`). That the
//! test comes to its end is the proof that none took the process with it.

use std::sync::Arc;

use mortise_bindings::Bindings;
use mortise_host::{CompileLimits, Extension, Host, Runtime, Shelf};
use mortise_points::discount::Question;
use mortise_points::{Allocation, Discount, OrderSplit, Point, Points, UnitPrice, Verdict};
use mortise_types::{Amount, LineId, Price, Timestamp};

use crate::apart::{bomb, runtime_apart};
use crate::support::{
    self, CALL, bind, careless, folder, greedy, hostile, hostile_extension, only, runtime, scope,
};
use crate::wat::{HONEST, around, component};

/// What came of an attack, as `refused: ...` when it was loaded or bound, or as the failure of its call.
type Outcome = String;

/// The host, a good extension in it, and what has been tried.
struct Siege {
    runtime: Arc<Runtime>,
    honest: Host,
    /// With the guests that want too much and cannot count.
    wrong_guests: Shelf,
    attacks: usize,
    wrong: Vec<String>,
}

impl Siege {
    fn begin() -> Siege {
        let runtime = runtime();
        let honest = support::host(&runtime, [hostile_extension(&runtime)], &bind(&["nothing"], "refuse"));
        let mut shelf = Shelf::default();
        for folder in [greedy(), careless()] {
            shelf.put(Extension::load(&runtime, &folder).unwrap());
        }
        Siege { runtime, honest, wrong_guests: shelf, attacks: 0, wrong: Vec::new() }
    }

    /// Holds that an attack ends as expected and that the next call works.
    fn attack(&mut self, name: &str, expected: &str, outcome: Outcome) {
        self.attacks += 1;
        if !outcome.starts_with(expected) {
            self.wrong.push(format!("{name}: expected {expected:?}, came to {outcome:?}"));
        }
        let next = support::ask(&self.honest, "nothing", &support::question(2)).unwrap();
        assert_eq!(only(&next.answers).verdict, Verdict::Answered, "after {name}");
    }

    /// A component that is loaded, bound and asked about twenty lines.
    fn component(&self, component: &[u8]) -> Outcome {
        match Extension::load(&self.runtime, folder(component).path()) {
            Ok(extension) => {
                let host = support::host(&self.runtime, [extension], &bind(&["nothing"], "skip"));
                asked(&host, "nothing")
            }
            Err(error) => format!("refused: {}", error.problem),
        }
    }

    /// A guest that is wrong, bound with this config, a text of TOML, and asked at a point.
    fn bound<P: Point>(&self, guest: &str, config: &str, question: &P::Question) -> Outcome {
        let bindings = format!(
            "[[binding]]\npoint = \"{}\"\ntenant = \"shop\"\nextension = \"{guest}\"\nversion = \"6.6.6\"\n\
             priority = 1\non_failure = \"skip\"\nconfig = {config}\n",
            P::NAME
        );
        let bindings = match Bindings::from_toml(&bindings) {
            Ok(bindings) => bindings,
            Err(error) => return format!("refused: {error}"),
        };
        let host = match Host::new(Arc::clone(&self.runtime), &self.wrong_guests, &bindings) {
            Ok(host) => host,
            Err(error) => return format!("refused: {error}"),
        };
        let points: &dyn Points = &host;
        let outcome = points.ask::<P>(&scope("grocery"), CALL, question).unwrap();
        said(&only(&outcome.answers).verdict)
    }

    /// The guest that proposes these amounts, each off lines that cost 1,113 together.
    fn discounts(&self, amounts: &str) -> Outcome {
        self.bound::<Discount>("greedy", &format!("{{ amounts = {amounts} }}"), &basket())
    }
}

/// What twenty lines come to.
fn asked(host: &Host, harm: &str) -> Outcome {
    let outcome = support::ask(host, harm, &support::question(20)).unwrap();
    said(&only(&outcome.answers).verdict)
}

fn said(verdict: &Verdict) -> Outcome {
    match verdict {
        Verdict::Answered => "answered".to_owned(),
        Verdict::Skipped { why } | Verdict::Failed { why } => why.to_string(),
    }
}

/// Four cartons of milk and three loaves, as JSON: what later versions of the point add is left out.
fn basket() -> Question {
    let line = |id: usize, quantity: i64, amount: i64| {
        serde_json::json!({
            "line_id": LineId::nth(id), "sku": "sku", "quantity": quantity, "unit": Price::each(Amount(amount)),
            "line_amount": amount * quantity,
        })
    };
    let question = serde_json::json!({
        "currency": "EUR", "trade_time": Timestamp::from_millis(1_800_000_000_000), "lines": [line(0, 4, 129), line(1, 3, 199)],
    });
    serde_json::from_value(question).unwrap()
}

/// The honest component with more in its module.
fn with(more: &str) -> Vec<u8> {
    component("2", &format!("{HONEST}) {more} (func $end nop"))
}

/// A component whose function does this first.
fn first(body: &str, more: &str) -> Vec<u8> {
    component("2", &format!("{body} {HONEST}) {more} (func $end nop"))
}

#[test]
fn no_attack_takes_the_host_with_it_or_any_money() {
    let mut siege = Siege::begin();
    by_the_sdk(&mut siege);
    by_hand(&mut siege);
    at_the_start(&mut siege);
    with_money(&mut siege);
    with_goods(&mut siege);
    with_broken_files(&mut siege);
    while_it_is_compiled(&mut siege);
    let Siege { attacks, wrong, .. } = siege;
    println!(
        "containment: {attacks} attacks, {} contained as expected, 0 aborts of the host",
        attacks - wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(attacks >= 150, "{attacks}");
}

fn by_the_sdk(siege: &mut Siege) {
    let harms = [
        ("loop", "out_of_fuel: used up its"),
        ("recurse", "trapped: call stack exhausted"),
        ("eat memory", "out_of_memory: wanted "),
        ("answer much", "output_too_large: "),
        ("print on", "out_of_fuel: "),
        ("panic", "trapped: wasm `unreachable`"),
        ("exit", "trapped: it ended itself"),
        ("decline", "declined: "),
        ("unknown line", "invalid: "),
        ("same line twice", "invalid: "),
        ("too many", "invalid: "),
        ("negative price", "invalid: offers[0].amount: -1 is not within"),
        ("absurd price", "invalid: offers[0].amount: 9223372036854775807 is not within"),
        ("per zero", "invalid: "),
        ("no reason", "invalid: "),
        ("long reason", "invalid: "),
    ];
    let bindings = bind(&harms.map(|(harm, _)| harm), "skip");
    let host = support::host(&siege.runtime, [hostile_extension(&siege.runtime)], &bindings);
    for (harm, expected) in harms {
        siege.attack(harm, expected, asked(&host, harm));
    }
}

fn by_hand(siege: &mut Siege) {
    let table = "(table $t 1 funcref)";
    let grow = "(table.grow $t (ref.null func) (i32.const 5000))";
    let mutual = "(func $a (call $b)) (func $b (call $a))";
    for (name, attack, expected) in [
        ("an endless loop", first("(loop $again (br $again))", ""), "out_of_fuel: "),
        (
            "functions that call each other for ever",
            first("(call $a)", mutual),
            "trapped: call stack exhausted",
        ),
        (
            "a table that grows until it may not",
            first(
                &format!(
                    "(block $end (loop $more (br_if $end (i32.eq {grow} (i32.const -1))) (br $more)) ) unreachable"
                ),
                table,
            ),
            "out_of_memory: wanted a larger table",
        ),
        (
            "a table that grows for ever",
            first(&format!("(loop $more (drop {grow}) (br $more))"), table),
            "out_of_fuel: ",
        ),
        (
            "a table of two thousand million",
            first("(drop (table.grow $t (ref.null func) (i32.const 2000000000))) unreachable", table),
            "out_of_fuel: ",
        ),
        (
            "memory that grows for ever",
            first("(loop $more (drop (memory.grow (i32.const 1))) (br $more))", ""),
            "out_of_fuel: ",
        ),
        (
            "all the memory at once",
            first("(drop (memory.grow (i32.const 65535))) unreachable", ""),
            "out_of_memory: wanted ",
        ),
        (
            "filling memory for ever",
            first("(loop $more (memory.fill (i32.const 0) (i32.const 1) (i32.const 131072)) (br $more))", ""),
            "out_of_fuel: ",
        ),
        ("a call through an empty table", first("(call_indirect (i32.const 0))", table), "trapped: "),
        ("a write outside of the memory", first("(i32.store (i32.const -1) (i32.const 1))", ""), "trapped: "),
        ("a division by zero", first("(drop (i64.div_s (i64.const 1) (i64.const 0)))", ""), "trapped: "),
        (
            "a division that overflows",
            first("(drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))", ""),
            "trapped: ",
        ),
        ("NaN as a number", first("(drop (i64.trunc_f64_s (f64.const nan)))", ""), "trapped: "),
        ("a memory that the question does not fit", component("1", "unreachable"), "trapped: "),
    ] {
        let outcome = siege.component(&attack);
        siege.attack(name, expected, outcome);
    }
}

fn at_the_start(siege: &mut Siege) {
    let start = |body: &str| with(&format!("(func $start {body}) (start $start)"));
    let instances: String = (0..64).map(|_| "(core instance (instantiate $more))").collect();
    let other = around(
        r#"(core module $guest (memory (export "memory") 2)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
            (func (export "offer-prices") (param i64) (result i64) (local.get 0)))"#
            .replace("(param i64)", "(param i32 i32 i32 i32 i32 i32 i32 i64 i32 i32)")
            .replace("(result i64) (local.get 0)", "(result i32) (i32.const 1048576)")
            .as_str(),
    );
    for (name, attack, expected) in [
        ("a trap at the start", start("unreachable"), "refused: "),
        ("an endless start", start("(loop $again (br $again))"), "refused: "),
        ("a start that eats memory", start("(loop $more (drop (memory.grow (i32.const 1))) (br $more))"), "refused: "),
        ("more memory than there is, to begin with", component("65536", HONEST), "refused: "),
        ("a table of ten million, to begin with", with("(table $t 10000000 funcref)"), "refused: "),
        ("three memories", with("(memory $b 1) (memory $c 1)"), "refused: "),
        (
            "sixty-four instances",
            wat::parse_str(format!("(component (core module $more (memory 1)) {instances})")).unwrap(),
            "refused: ",
        ),
        ("data outside of the memory", with(r#"(data (i32.const 131071) "xx")"#), "refused: "),
        ("an answer outside of the memory", other, "trapped: "),
        ("nothing at all", wat::parse_str("(component)").unwrap(), "refused: "),
        ("a module that is no component", wat::parse_str("(module)").unwrap(), "refused: "),
        (
            "a function of another type",
            wat::parse_str(
                r#"(component (core module $m (func (export "f") (result f64) (f64.const nan)))
                   (core instance $m (instantiate $m)) (func $f (result float64) (canon lift (core func $m "f")))
                   (instance $i (export "offer-prices" (func $f)))
                   (export "mortise:unit-price/pricing@1.0.0" (instance $i)))"#
                    .replace("float64", "f64"),
            )
            .unwrap(),
            "refused: ",
        ),
    ] {
        let outcome = siege.component(&attack);
        siege.attack(name, expected, outcome);
    }
    for import in [
        "wasi:sockets/tcp@0.2.6",
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:filesystem/secret",
        "acme:prices/secret",
    ] {
        let attack =
            wat::parse_str(format!("(component (import {import:?} (instance (export \"f\" (func)))))"))
                .unwrap();
        let outcome = siege.component(&attack);
        siege.attack(import, "refused: ", outcome);
    }
}

fn with_money(siege: &mut Siege) {
    for (name, amounts, expected) in [
        ("a fair discount is no attack", "[1, 1113]", "answered"),
        ("a discount above the price", "[1114]", "invalid: candidates[0].amount-off: 1114 is above the 1113"),
        ("a negative discount", "[-1]", "invalid: candidates[0].amount-off: -1 is below 1"),
        ("no discount as a discount", "[0]", "invalid: candidates[0].amount-off: 0 is below 1"),
        (
            "the largest number",
            "[9223372036854775807]",
            "invalid: candidates[0].amount-off: 9223372036854775807 is above",
        ),
        (
            "the smallest number",
            "[-9223372036854775808]",
            "invalid: candidates[0].amount-off: -9223372036854775808 is below",
        ),
        ("a bad one behind a good one", "[5, 2000]", "invalid: candidates[1].amount-off: 2000 is above"),
        ("NaN in a config", "[nan]", "refused: "),
        ("infinity in a config", "[inf]", "refused: "),
        ("half a cent in a config", "[0.5]", "refused: "),
        ("a number beyond 64 bits in a config", "[9223372036854775808]", "declined: config: invalid value"),
        ("a text in a config", "[\"1\"]", "refused: "),
        ("no config", "{}", "refused: "),
    ] {
        let outcome = siege.discounts(amounts);
        siege.attack(name, expected, outcome);
    }
    let many = format!("[{}]", vec!["1"; 257].join(", "));
    let outcome = siege.discounts(&many);
    siege.attack("257 candidates", "invalid: candidates: 257 of them, at most 256", outcome);
}

/// Three jars are wanted; there are two in one place and nine in another.
fn with_goods(siege: &mut Siege) {
    let allocation: mortise_points::allocation::Question = serde_json::from_value(serde_json::json!({
        "trade_time": "2026-11-21T09:00:00.000Z", "lines": [{ "line_id": "1", "sku": "jam", "quantity": 3 }],
        "stock": [{ "sku": "jam", "location": "berlin", "saleable": 2 }, { "sku": "jam", "location": "munich", "saleable": 9 }],
    }))
    .unwrap();
    let split: mortise_points::order_split::Question = serde_json::from_value(serde_json::json!({
        "trade_time": "2026-11-21T09:00:00.000Z",
        "items": [{ "line_id": "1", "sku": "jam", "location": "berlin", "quantity": 2 },
                  { "line_id": "1", "sku": "jam", "location": "munich", "quantity": 1 }],
    }))
    .unwrap();
    for (name, units, of_allocation, of_split) in [
        (
            "all of it, which is no attack",
            r#"[["1", "berlin", 2], ["1", "munich", 1]]"#,
            "answered",
            "answered",
        ),
        (
            "nothing at all",
            "[]",
            "invalid: takes: line \"1\" gets 0 of its 3 units",
            "invalid: parcels: 2 of the 2 units",
        ),
        (
            "less than all",
            r#"[["1", "berlin", 2]]"#,
            "invalid: takes: line \"1\" gets 2 of its 3 units",
            "invalid: parcels: 1 of the 1 units of line \"1\" at \"munich\" are in no parcel",
        ),
        (
            "more than all",
            r#"[["1", "berlin", 2], ["1", "munich", 2]]"#,
            "invalid: takes[1].quantity: ",
            "invalid: parcels[1].parts[0].quantity: ",
        ),
        (
            "more than there is",
            r#"[["1", "berlin", 3]]"#,
            "invalid: takes[0].quantity: ",
            "invalid: parcels[0].parts[0].quantity: ",
        ),
        (
            "some of it twice",
            r#"[["1", "berlin", 1], ["1", "berlin", 2]]"#,
            "invalid: takes[1]: ",
            "invalid: parcels[1].parts[0].quantity: ",
        ),
        (
            "less than nothing",
            r#"[["1", "berlin", -2]]"#,
            "invalid: takes[0].quantity: -2 is below 1",
            "invalid: parcels[0].parts[0].quantity: -2 is below 1",
        ),
        (
            "as many as there are numbers",
            r#"[["1", "munich", 9223372036854775807]]"#,
            "invalid: takes[0].quantity: ",
            "invalid: parcels[0].parts[0].quantity: ",
        ),
        (
            "from nowhere",
            r#"[["1", "atlantis", 3]]"#,
            "invalid: takes[0].location: ",
            "invalid: parcels[0].parts[0].line-id: ",
        ),
        (
            "for nobody",
            r#"[["2", "munich", 3]]"#,
            "invalid: takes[0].line-id: ",
            "invalid: parcels[0].parts[0].line-id: ",
        ),
    ] {
        let config = format!("{{ units = {units} }}");
        let outcome = siege.bound::<Allocation>("careless", &config, &allocation);
        siege.attack(&format!("an allocation of {name}"), of_allocation, outcome);
        let outcome = siege.bound::<OrderSplit>("careless", &config, &split);
        siege.attack(&format!("a split of {name}"), of_split, outcome);
    }
}

fn with_broken_files(siege: &mut Siege) {
    let whole = std::fs::read(hostile()).unwrap();
    for part in 0..64 {
        let end = whole.len() * part / 64;
        let outcome = siege.component(&whole[..end]);
        siege.attack(&format!("the first {end} bytes of a component"), "refused: ", outcome);
    }
    let noise = blake3::Hasher::new().finalize_xof();
    for length in (0..64).map(|n| n * 61) {
        let mut bytes = vec![0; length];
        noise.clone().fill(&mut bytes);
        let outcome = siege.component(&bytes);
        siege.attack(&format!("{length} random bytes"), "refused: ", outcome);
        let bytes = [b"\0asm\x0d\0\x01\0", bytes.as_slice()].concat();
        // The head alone is a component without anything.
        let outcome = siege.component(&bytes);
        siege.attack(&format!("{length} random bytes behind a component's head"), "refused: ", outcome);
    }
}

fn while_it_is_compiled(siege: &mut Siege) {
    let (cpu, memory) = (
        CompileLimits { cpu_seconds: 1, ..CompileLimits::default() },
        CompileLimits { address_space_bytes: 600 << 20, ..CompileLimits::default() },
    );
    for (name, limits, expected) in [
        ("a component that takes long to compile", cpu, "CPU time"),
        ("one that takes much memory", memory, "of memory"),
    ] {
        let found = crate::apart::refused(&runtime_apart(limits), &bomb(2_400_000));
        let outcome = if found.contains(expected) { "refused: ".to_owned() + &found } else { found };
        siege.attack(name, "refused: ", outcome);
    }
    let nested = format!("(component {}{})", "(component ".repeat(900), ")".repeat(900));
    let outcome = wat::parse_str(&nested)
        .map_or_else(|error| format!("refused: {error}"), |component| siege.component(&component));
    siege.attack("components within components", "refused: ", outcome);
}

/// The list above asks `unit-price` and `discount`; what is bound at a point is never asked at another.
#[test]
fn an_extension_is_asked_at_its_own_points_only() {
    let siege = Siege::begin();
    let points: &dyn Points = &siege.honest;
    assert!(points.open::<UnitPrice>(&scope("nothing")).is_some());
    assert!(points.open::<Discount>(&scope("nothing")).is_none());
}
