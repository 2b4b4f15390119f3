//! `mortise attention`, and what `trade show` and `replay` say of the trade afterwards.

use serde_json::{Value as Json, json};

use crate::support::{Listening, mortise, mortise_with};

const DOUBT: &str = r#"
flow: doubt
version: 1
input:
  type: object
  required: [till, share]
  properties: { till: { type: string }, share: { type: integer } }
key: ${ input.till }
steps:
  - attention: the till of the ${ input.till } rings
  - let: { part: "${ 9000000000000000000 * input.share }" }
  - answer: { till: "${ input.till }" }
  - id: rest
    sleep: 1d
"#;

async fn begin(server: &Listening, till: &str, share: i64) -> u16 {
    let request = reqwest::Client::new().post(format!("{}/v1/demo/grocery/trades/doubt", server.url));
    let request = request.header("Mortise-Staff", "grace").header("Idempotency-Key", till);
    request.json(&json!({"till": till, "share": share})).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_decided_and_why_is_shown_with_the_trade() {
    let folder = tempfile::tempdir().unwrap();
    let (flow, data) = (folder.path().join("doubt.yaml"), folder.path().join("data"));
    std::fs::write(&flow, DOUBT).unwrap();
    let (flow, data) = (flow.to_str().unwrap(), data.to_str().unwrap());
    let place = ["--tenant", "demo", "--line", "grocery", "--data", data];
    mortise(&[&["flow", "publish", flow][..], &place].concat()).ok();
    let server = Listening::start(&["serve", "--data", data, "--listen", "127.0.0.1:0"], &[]);
    assert_eq!(begin(&server, "west", 1).await, 200);
    assert_ne!(begin(&server, "east", 2).await, 200);
    assert_eq!(server.stop(), Some(0));

    let show =
        |key: &str, format: &str| mortise(&["trade", "show", key, "--data", data, "--format", format]).ok();
    let failed = show("east", "text").out;
    assert!(failed.contains("answers: failed: evaluation_failed (let: "), "{failed}");
    assert_eq!(show("west", "json").json()["attention"][0]["settled"], Json::Null);

    let decide = ["attention", "compensate", "west", "--reason", "a false alarm", "--data", data];
    mortise(&decide).ok();
    let shown = show("west", "text").out;
    assert!(shown.contains("the till of the west rings\n  decided at "), "{shown}");
    assert!(shown.contains(": compensate, a false alarm"), "{shown}");
    let settled = show("west", "json").json()["attention"][0]["settled"].clone();
    assert_eq!((&settled["how"], &settled["reason"]), (&json!("compensate"), &json!("a false alarm")));
    let again = mortise(&decide);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.err.contains("does not wait for a person"), "{again:?}");
}

#[test]
fn a_trade_of_one_call_leaves_nothing_to_replay() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let call = ["capability", "call", "inventory.import_locations", "--input", "-", "--data", data];
    let place = ["--tenant", "demo", "--line", "toys"];
    mortise_with(&[&call[..], &place].concat(), &json!({"rows": [{"location": "berlin"}]}).to_string()).ok();
    let connection = rusqlite::Connection::open(folder.path().join("mortise.db")).unwrap();
    let trade: String = connection.query_row("SELECT id FROM flow_instance", [], |row| row.get(0)).unwrap();
    let said = mortise(&["replay", &trade, "--data", data]).ok().out;
    assert!(said.contains("nothing to replay"), "{said}");
    let said = mortise(&["replay", &trade, "--data", data, "--format", "json"]).ok().json();
    assert_eq!((&said["journal"], &said["differences"]), (&json!("never_kept"), &json!([])));
}
