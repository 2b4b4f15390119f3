//! The example `instalments` as a registered operation: its contract, its answers, and how its failures read. And operations
//! that break their contract.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use mortise_capability::{Call, CallContext, Handler, Outcome, Registry, Reply, Staleness};
use mortise_contract::{Contracts, Effect, Value, json};
use mortise_custom::{Registering, contract};
use mortise_host::{Ceilings, Extension, Manifest, Runtime};
use mortise_types::{Scope, Timestamp};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/extensions")
}

/// The example's folder, built as its author would.
fn instalments() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--locked",
            "--release",
            "--target",
            "wasm32-wasip2",
            "--package",
            "instalments",
        ])
        .current_dir(examples())
        // Flags for this machine's linker or a coverage run are not for the guest.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\nIs the target there? rustup target add wasm32-wasip2");
    examples().join("instalments")
}

fn registered(folder: &Path) -> Registry {
    let runtime = Arc::new(Runtime::start(Ceilings::default(), None).unwrap());
    let extension = Arc::new(Extension::load(&runtime, folder).unwrap());
    let platform = Contracts::default();
    let registering = Registering { platform: &platform, check: &|_| Vec::new() };
    let (capability, left_out) = registering.capability(&runtime, [extension]);
    assert!(left_out.is_empty(), "{left_out:?}");
    Registry::new([capability]).unwrap()
}

fn call(registry: &Registry, name: &str, input: &str) -> Reply<Value> {
    let context = CallContext {
        scope: Scope::new("shop", "grocery", "web").unwrap(),
        now: Timestamp::from_millis(1_800_000_000_000),
        trade: "trade-1".into(),
        call: "trade-1/plan/1".into(),
        caller: None,
        staleness: Staleness::Decide,
    };
    let Some(Handler::Pure(run)) = registry.handler(name) else { panic!("{name} is not pure") };
    run(&[Call { context: Arc::new(context), input: json(input).unwrap() }]).unwrap().remove(0)
}

fn said(reply: &Reply<Value>) -> String {
    match &reply.outcome {
        Outcome::Done(output) => output.to_json(),
        Outcome::Rejected(rejection) => format!("{} {}", rejection.code, rejection.detail.to_json()),
        Outcome::Stale => "stale".to_owned(),
    }
}

#[test]
fn the_example_answers_by_its_contract_and_says_no_by_it() {
    let registry = registered(&instalments());
    let contract = &registry.contracts().operations["custom/instalments"];
    assert_eq!(
        (contract.effect, contract.points.as_slice()),
        (Effect::Pure, &["custom/instalments".to_owned()][..])
    );
    let codes: Vec<&str> = contract.rejections.keys().map(String::as_str).collect();
    assert_eq!(codes, ["custom_failed", "instalments_too_small"]);
    assert!(
        registry.page("instalments_too_small").unwrap().starts_with("# The instalments would be too small")
    );

    let reply = call(&registry, "custom/instalments", r#"{"total": 29900, "months": 3}"#);
    assert_eq!(said(&reply), r#"{"fee":449,"total":30349,"instalments":[10117,10116,10116]}"#);
    assert_eq!(
        (reply.extensions[0].point.as_str(), reply.extensions[0].outcome.as_str()),
        ("custom/instalments", "answered")
    );
    assert_eq!(reply.extensions[0].extension, "instalments@1.0.0");
    assert!(reply.extensions[0].fuel > 0);
    let again = call(&registry, "custom/instalments", r#"{"total": 29900, "months": 3}"#);
    assert_eq!(again, reply);

    let no = call(&registry, "custom/instalments", r#"{"total": 2900, "months": 3}"#);
    assert_eq!(said(&no), r#"instalments_too_small {"least":1000,"most_months":2}"#.to_owned());
}

/// An operation whose component answers with these bytes as they are: the tag of result and refusal, then the text.
fn odd(tag: u8, refusal: u8, text: &str, more: &str) -> Reply<Value> {
    let folder = tempfile::tempdir().unwrap();
    let manifest = r#"
        [extension]
        name = "odd"
        version = "1.0.0"
        summary = "Answers what the test says"
        [operation]
        world = "1.0"
        [operation.input]
        type = "object"
        [operation.output]
        type = "object"
        required = ["sum"]
        properties.sum = { type = "integer", maximum = 9 }
        [operation.rejections.odd_no]
        page = "\# No"
        detail = { type = "object" }
    "#;
    std::fs::write(folder.path().join("extension.toml"), manifest.replace("\\#", "#")).unwrap();
    let at = if tag == 0 { 4 } else { 8 };
    let second = format!(
        "(i32.store offset=16 (i32.const 64) (i32.const 1024)) (i32.store offset=20 (i32.const 64) (i32.const {}))",
        more.len()
    );
    let component = format!(
        r#"(component
          (core module $guest
            (memory (export "memory") 2)
            (data (i32.const 512) "{text}") (data (i32.const 1024) "{more}")
            (global $free (mut i32) (i32.const 4096))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
              (local $at i32)
              (local.set $at (global.get $free))
              (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 7)) (i32.const -8)))
              (local.get $at))
            (func (export "run") (param i32 i32 i32 i32 i64) (result i32)
              (i32.store8 (i32.const 64) (i32.const {tag}))
              (i32.store8 offset=4 (i32.const 64) (i32.const {refusal}))
              (i32.store offset={at} (i32.const 64) (i32.const 512))
              (i32.store offset={} (i32.const 64) (i32.const {}))
              {second}
              (i32.const 64)))
          (core instance $guest (instantiate $guest))
          (type $call (record (field "config" string) (field "input" string) (field "trade-time-ms" s64)))
          (type $rejection (record (field "code" string) (field "detail" string)))
          (type $refusal (variant (case "rejected" $rejection) (case "failed" string)))
          (func $run (param "call" $call) (result (result string (error $refusal)))
            (canon lift (core func $guest "run") (memory (core memory $guest "memory")) (realloc (core func $guest "realloc"))))
          (instance $operation
            (export "call" (type $call)) (export "rejection" (type $rejection)) (export "refusal" (type $refusal))
            (export "run" (func $run)))
          (export "mortise:custom/operation@1.0.0" (instance $operation)))"#,
        at + 4,
        text.replace("\\\"", "\"").len(),
    );
    std::fs::write(folder.path().join("extension.wasm"), wat::parse_str(component).unwrap()).unwrap();
    call(&registered(folder.path()), "custom/odd", "{}")
}

#[test]
fn what_is_not_true_to_the_contract_is_a_failure() {
    let done = odd(0, 0, r#"{\"sum\":7}"#, "");
    assert_eq!(said(&done), r#"{"sum":7}"#);
    for (reply, kind, why) in [
        (odd(0, 0, r#"{\"sum\":10}"#, ""), "invalid", "output/sum: has to be at most 9, is 10"),
        (
            odd(0, 0, r#"{\"sum\":1,\"more\":2}"#, ""),
            "invalid",
            "output/more: is not a field here; known are sum",
        ),
        (odd(0, 0, r#"{\"sum\":1e3"#, ""), "invalid", "output: "),
        (odd(0, 0, "NaN", ""), "invalid", "output: "),
        (
            odd(1, 0, "out_of_stock", "{}"),
            "invalid",
            "rejected: its contract declares no code \\\"out_of_stock\\\"",
        ),
        (odd(1, 0, "custom_failed", "{}"), "invalid", "rejected: its contract declares no code"),
        (odd(1, 0, "odd_no", "7"), "invalid", "detail: has to be object, is an integer"),
        (odd(1, 1, "not today", ""), "declined", "not today"),
        (odd(2, 0, "", ""), "trapped", ""),
    ] {
        let said = said(&reply);
        assert!(said.starts_with(r#"custom_failed {"extension":"odd@1.0.0","kind":""#), "{said}");
        assert!(said.contains(&format!(r#""kind":"{kind}","why":"{why}"#)), "{said}");
        assert_eq!(reply.extensions[0].outcome, kind);
    }
    assert_eq!(said(&odd(1, 0, "odd_no", "{}")), "odd_no {}");
}

fn manifest(operation: &str) -> Manifest {
    let head = "[extension]\nname = \"pay-later\"\nversion = \"1.0.0\"\nsummary = \"s\"\n[operation]\nworld = \"1.0\"\n";
    Manifest::from_toml(&format!("{head}{operation}")).unwrap()
}

#[test]
fn a_contract_that_cannot_be_registered_says_where() {
    for (operation, problem) in [
        (
            "input = { type = \"object\" }\noutput = { type = \"integer\" }",
            "extension.toml: operation.output: has to be of type object, with properties",
        ),
        (
            "input = { type = \"object\", properties = { a = {} } }\noutput = { type = \"object\" }",
            "extension.toml: operation.input: /a: a schema without a type allows anything: give the field a type",
        ),
        (
            "input = { type = \"object\" }\noutput = { type = \"object\" }\nrejections.out_of_stock = { page = \"p\", detail = { type = \"object\" } }",
            "extension.toml: operation.rejections.out_of_stock: has to begin with `pay_later_`, so that it means one thing everywhere",
        ),
    ] {
        assert_eq!(contract(&manifest(operation)).unwrap_err().to_string(), problem);
    }
}

#[test]
fn what_the_platform_objects_to_is_left_out_and_the_highest_version_counts() {
    let one = manifest("input = { type = \"object\" }\noutput = { type = \"object\" }");
    let newer = Manifest { version: "1.10.0".to_owned(), summary: "newer".to_owned(), ..one.clone() };
    let older = Manifest { version: "1.9.0".to_owned(), ..one.clone() };
    let platform = Contracts::default();
    let all = || [one.clone(), newer.clone(), older.clone()];
    let registering = Registering { platform: &platform, check: &|_| Vec::new() };
    let (capability, left_out) = registering.contracts(all());
    assert!(left_out.is_empty());
    assert_eq!(capability.contracts().operations["custom/pay-later"].summary, "newer");
    let refusing =
        Registering { platform: &platform, check: &|_| vec!["a type that nothing declares".to_owned()] };
    let (capability, left_out) = refusing.contracts(all());
    assert!(capability.contracts().operations.is_empty());
    assert_eq!(
        left_out[0].to_string(),
        "the operation of extension pay-later@1.10.0: a type that nothing declares"
    );
}
