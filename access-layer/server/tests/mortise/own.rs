//! Operations of one's own from outside: described, checked in a flow, called by a trade, replayed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;

use crate::support::{Listening, mortise, root};

/// A component that answers every call with this plan.
const COMPONENT: &str = r#"
(component
  (core module $guest
    (memory (export "memory") 2)
    (data (i32.const 512) "{\"fee\":449,\"total\":30349,\"instalments\":[10117,10116,10116]}")
    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $free))
      (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 7)) (i32.const -8)))
      (local.get $at))
    (func (export "run") (param i32 i32 i32 i32 i64) (result i32)
      (i32.store offset=4 (i32.const 64) (i32.const 512))
      (i32.store offset=8 (i32.const 64) (i32.const 59))
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
  (export "mortise:custom/operation@1.0.0" (instance $operation)))
"#;

fn examples() -> PathBuf {
    root().join("examples/extensions")
}

/// The example's manifest with that component beside it.
fn extensions(folder: &Path) {
    let own = folder.join("instalments");
    std::fs::create_dir_all(&own).unwrap();
    let manifest = std::fs::read_to_string(examples().join("instalments/extension.toml")).unwrap();
    let component = manifest.lines().find(|line| line.starts_with("component = ")).unwrap();
    let manifest = manifest.replace(component, "component = \"extension.wasm\"");
    std::fs::write(own.join("extension.toml"), manifest).unwrap();
    std::fs::write(own.join("extension.wasm"), wat::parse_str(COMPONENT).unwrap()).unwrap();
}

#[test]
fn its_contract_is_known_where_the_folder_is_named() {
    let folder = examples();
    let folder = folder.to_str().unwrap();
    let said = mortise(&["capability", "describe", "custom/instalments", "--extensions", folder]).ok();
    assert!(said.out.starts_with("custom/instalments (pure): Splits a total"), "{said:?}");
    assert!(said.out.contains("rejects   custom_failed, instalments_too_small"), "{said:?}");
    let said = mortise(&["capability", "describe", "instalments_too_small", "--extensions", folder]).ok();
    assert!(said.out.contains("# The instalments would be too small"), "{said:?}");
    assert_eq!(mortise(&["capability", "describe", "custom/instalments"]).code, Some(2));
}

#[test]
fn a_flow_that_calls_it_is_checked_like_any_other() {
    let folder = examples();
    let flow = folder.join("instalments/flow.yaml");
    let check = |file: &Path| {
        mortise(&["flow", "check", file.to_str().unwrap(), "--extensions", folder.to_str().unwrap()])
    };
    check(&flow).ok();
    let unknown = mortise(&["flow", "check", flow.to_str().unwrap()]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(unknown.out.contains("no contract declares the operation `custom/instalments`"), "{unknown:?}");
    let changed = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(&flow).unwrap();
    for (from, to, problem) in [
        (
            "total: \"${ input.total }\", months: \"${ input.months }\"",
            "total: \"${ input.months }\", months: 3",
            "money",
        ),
        ("fee: ${ plan.fee }", "fee: ${ plan.fees }", "fees"),
    ] {
        assert!(text.contains(from), "{from}");
        let file = changed.path().join("flow.yaml");
        std::fs::write(&file, text.replace(from, to)).unwrap();
        let said = check(&file);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.out.contains(problem), "{said:?}");
    }
}

fn with_extensions(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mortise"));
    command.args(arguments).env("MORTISE_EXTENSIONS", folder).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_calls_it_and_its_journal_is_whole() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    extensions(folder.path());
    let data = data.path().to_str().unwrap();
    let flow = examples().join("instalments/flow.yaml");
    let published = with_extensions(
        folder.path(),
        &["flow", "publish", flow.to_str().unwrap(), "--tenant", "demo", "--line", "grocery", "--data", data],
    );
    assert!(published.status.success(), "{published:?}");
    let serve = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--extensions"];
    let serve: Vec<&str> = serve.into_iter().chain([folder.path().to_str().unwrap()]).collect();
    let server = Listening::start(&serve, &[]);
    let order = json!({"order_id": "i-1", "currency": "EUR", "total": {"amount": 29900, "currency": "EUR"}, "months": 3});
    let answer = reqwest::Client::new()
        .post(format!("{}/v1/demo/grocery/trades/instalment-offer", server.url))
        .header("Mortise-Customer", "ada")
        .header("Idempotency-Key", "i-1")
        .json(&order)
        .send()
        .await
        .unwrap();
    let (status, body) = (answer.status().as_u16(), answer.text().await.unwrap());
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        body,
        r#"{"order_id":"i-1","fee":{"amount":449,"currency":"EUR"},"total":{"amount":30349,"currency":"EUR"},"instalments":[{"amount":10117,"currency":"EUR"},{"amount":10116,"currency":"EUR"},{"amount":10116,"currency":"EUR"}]}"#
    );
    let page = reqwest::get(format!("{}/metrics", server.url)).await.unwrap().text().await.unwrap();
    let line = "mortise_extension_calls_total{point=\"custom\",extension=\"instalments\",version=\"1.0.0\",outcome=\"answered\"} 1";
    assert!(page.lines().any(|found| found == line), "{page}");
    assert_eq!(server.stop(), Some(0));
    let verified = with_extensions(folder.path(), &["verify", "--data", data]);
    assert!(verified.status.success(), "{verified:?}");
}
