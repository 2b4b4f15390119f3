//! Trades with the cookbook's extensions bound, on a real server and a real database: who was asked at which point, what the
//! price proof says of it, and what the journal keeps.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::support::{Listening, SECRET, Shop, mortise, root, seed, ship_to};

const BINDINGS: &str = r#"
[[binding]]
point = "unit-price"
tenant = "demo"
line = "grocery"
extension = "vip-tier"
version = "1.0.0"
priority = 10
on_failure = "refuse"
config = { tiers = [{ customer_group = "member", rate_bp = 500 }, { customer_group = "member", min_quantity = 10, rate_bp = 1000 }] }

[[binding]]
point = "discount"
tenant = "demo"
line = "grocery"
extension = "department-multibuy"
version = "1.0.0"
priority = 10
on_failure = "refuse"
config = { department = "DRINKS" }

[[binding]]
point = "payment-risk"
tenant = "demo"
line = "grocery"
extension = "velocity-risk"
version = "1.0.0"
priority = 10
on_failure = "refuse"
config = { orders_an_hour = 2, score = 90 }

[[binding]]
point = "request-mapping"
tenant = "demo"
line = "grocery"
extension = "partner-cart"
version = "1.0.0"
priority = 10
on_failure = "refuse"
"#;

/// The extensions, built as their authors would.
fn extensions() -> std::path::PathBuf {
    let folder = root().join("examples/extensions");
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--release", "--target", "wasm32-wasip2"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\nIs the target there? rustup target add wasm32-wasip2");
    folder
}

/// A server of the example's shop with the cookbook bound in its grocery line.
fn server(data: &Path) -> Listening {
    let bindings = data.join("cookbook.toml");
    std::fs::write(&bindings, BINDINGS).unwrap();
    let (folder, bindings) = (extensions(), bindings.to_str().unwrap().to_owned());
    let arguments = ["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0", "--clock", "now"];
    let extensions = ["--extensions", folder.to_str().unwrap(), "--bindings", &bindings];
    let peers = ["--sandbox-url", "http://127.0.0.1:9", "--webhook-secret", SECRET];
    let server = Listening::start(&[&arguments[..], &extensions, &peers].concat(), &[]);
    assert!(server.url.starts_with("http://"), "{server:?}");
    server
}

/// Starts a trade as ada; the answer with who mapped its body.
async fn trade(shop: &Shop, flow: &str, key: &str, body: &Json) -> (u16, String, Json) {
    let request = shop.http.post(format!("{}/trades/{flow}", shop.url));
    let request = request.header("Mortise-Customer", "ada").header("Idempotency-Key", key).json(body);
    let response = request.send().await.unwrap();
    let by = response.headers().get("mortise-mapped-by").map(|by| by.to_str().unwrap().to_owned());
    (response.status().as_u16(), by.unwrap_or_default(), response.json().await.unwrap())
}

/// Twelve packs of tea at 3 for 5.00, and a loaf.
fn at_the_door(order: &str) -> Json {
    json!({"order_id": order, "currency": "EUR", "ship_to": ship_to(),
           "lines": [{"sku": "tea", "quantity": 12}, {"sku": "bread", "quantity": 1}]})
}

/// `source@version amount reason` of every adjustment that an extension made.
fn by_extensions(proof: &Json) -> Vec<String> {
    let parts = ["lines", "fees"].into_iter().flat_map(|part| proof[part].as_array().unwrap());
    let adjustments = parts.flat_map(|part| part["adjustments"].as_array().unwrap());
    let made = adjustments.filter(|adjustment| adjustment["kind"] == "extension");
    let word = |one: &Json, field: &str| one[field].as_str().unwrap().to_owned();
    made.map(|one| {
        let (source, version) = (word(one, "source"), word(one, "version"));
        format!("{source}@{version} {} {}", one["amount"]["amount"], word(one, "reason"))
    })
    .collect()
}

/// `point extension outcome` of everybody who was asked in a trade.
fn asked(data: &Path, order: &str) -> BTreeSet<String> {
    let shown = ["trade", "show", order, "--data", data.to_str().unwrap(), "--format", "json"];
    let timeline = mortise(&shown).ok().json();
    let entries = timeline["entries"].as_array().unwrap_or_else(|| panic!("{timeline}")).iter();
    let calls = entries.flat_map(|entry| entry["extensions"].as_array().into_iter().flatten());
    let word = |call: &Json, field: &str| call[field].as_str().unwrap().to_owned();
    calls.map(|call| ["point", "extension", "outcome"].map(|field| word(call, field)).join(" ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_cookbook_answers_in_a_checkout_and_the_proof_and_the_journal_say_so() {
    let folder = tempfile::tempdir().unwrap();
    seed(folder.path());
    let running = server(folder.path());
    let shop = Shop::at(&running);

    let (status, by, answer) = trade(&shop, "cash-on-delivery", "o-1", &at_the_door("o-1")).await;
    assert_eq!((status, by.as_str()), (200, ""), "{answer}");
    let order = shop.staff_reads("order/get?order_id=o-1").await;
    // Twelve packs at 3 for 5.00 are 20.00; members have 10% off ten and more, and of what is left a third is free.
    assert_eq!(
        by_extensions(&order["proof"]),
        [
            "vip-tier@1.0.0 -200 10% off for member from 10 on",
            "department-multibuy@1.0.0 -600 3 for the price of 2 in DRINKS",
            "vip-tier@1.0.0 -17 5% off for member",
        ]
    );
    assert_eq!(order["proof"]["payable"], json!({"amount": 1200 + 332 + 690, "currency": "EUR"}), "{order}");

    // The third order within the hour is one too many at the door; on invoice nobody minds.
    let (status, _, answer) = trade(&shop, "cash-on-delivery", "o-2", &at_the_door("o-2")).await;
    assert_eq!(status, 200, "{answer}");
    let (status, _, refused) = trade(&shop, "cash-on-delivery", "o-3", &at_the_door("o-3")).await;
    assert_eq!((status, &refused["reason"]), (422, &json!("too_risky")), "{refused}");
    let because = &refused["reason_detail"]["reasons"][0];
    assert_eq!((&because["extension"], &because["points"]), (&json!("velocity-risk@1.0.0"), &json!(90)));

    let cart = json!({"ref": "p-77", "cart": [{"article": "bread", "n": 2}],
                      "to": {"who": "Ada", "street": "1 Mill Lane", "zip": "10115", "town": "Berlin", "cc": "DE"}});
    let (status, by, answer) = trade(&shop, "fixed-price", "p-77", &cart).await;
    assert_eq!((status, by.as_str(), &answer["order_id"]), (200, "partner-cart@1.0.0", &json!("p-77")));
    let empty = json!({"ref": "p-78", "cart": [], "to": cart["to"]});
    let (status, _, answer) = trade(&shop, "fixed-price", "p-78", &empty).await;
    assert_eq!((status, &answer["code"]), (422, &json!("invalid-input")), "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("the cart has no articles"), "{answer}");

    assert_eq!(running.stop(), Some(0));
    let expected = [
        "discount department-multibuy@1.0.0 answered",
        "payment-risk velocity-risk@1.0.0 answered",
        "unit-price vip-tier@1.0.0 answered",
    ];
    assert_eq!(asked(folder.path(), "o-1"), expected.map(str::to_owned).into());
    mortise(&["verify", "--data", folder.path().to_str().unwrap()]).ok();
}
