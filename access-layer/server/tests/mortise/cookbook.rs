//! Trades with the cookbook's extensions bound, on a real server and a real database: who was asked at which point, what the
//! price proof says of it, and what the journal keeps.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::support::{Listening, SECRET, Shop, mortise, root, seed};

/// Each extension of the cookbook at its point, with what its binding sets.
const BOUND: [(&str, &str, &str); 8] = [
    ("purchase-limit", "household-limit", "{ most = 2 }"),
    (
        "allocation",
        "nearest-warehouse",
        "{ parcels = \"nearest\", locations = { berlin = { lat_e4 = 525200, lon_e4 = 134050 }, lyon = { lat_e4 = 457640, \
         lon_e4 = 48357 } }, zones = [{ country = \"DE\", postal_prefix = \"79\", lat_e4 = 479990, lon_e4 = 78420 }] }",
    ),
    ("order-split", "cold-chain", "{ cold = [\"chilled\"] }"),
    (
        "unit-price",
        "vip-tier",
        "{ tiers = [{ customer_group = \"member\", rate_bp = 500 }, { customer_group = \"member\", min_quantity = 10, \
         rate_bp = 1000 }] }",
    ),
    ("discount", "department-multibuy", "{ department = \"DRINKS\" }"),
    (
        "delivery-fee",
        "regional-delivery-fee",
        "{ regions = [{ name = \"the upper Rhine\", country = \"DE\", from = \"79000\", to = \"79999\", amount = 150 }] }",
    ),
    ("payment-risk", "velocity-risk", "{ orders_an_hour = 2, score = 90 }"),
    ("request-mapping", "partner-cart", "{}"),
];

fn bindings() -> String {
    let binding = |(point, extension, config): &(&str, &str, &str)| {
        format!(
            "[[binding]]\npoint = \"{point}\"\ntenant = \"demo\"\nline = \"grocery\"\nextension = \"{extension}\"\n\
             version = \"1.0.0\"\npriority = 10\non_failure = \"refuse\"\nconfig = {config}\n"
        )
    };
    BOUND.iter().map(binding).collect()
}

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
    std::fs::write(&bindings, self::bindings()).unwrap();
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

/// Tea at 3 for 5.00, bread of the flyer, oat milk that travels cooled, and a bag that Lyon has too; to Freiburg.
fn basket(order: &str, loaves: i64) -> Json {
    json!({"order_id": order, "currency": "EUR",
           "ship_to": {"name": "Ada", "street": ["Am Markt 1"], "city": "Freiburg", "postal_code": "79098", "country": "DE"},
           "lines": [{"sku": "tea", "quantity": 12},
                     {"sku": "bread", "quantity": loaves, "attributes": {"flyer": "yes"}},
                     {"sku": "oat-milk", "quantity": 2, "attributes": {"storage": "chilled"}},
                     {"sku": "tote-bag", "quantity": 1}]})
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

/// `location: items` of every parcel.
fn parcels(order: &Json) -> BTreeSet<String> {
    let parcels = order["parcels"].as_array().unwrap().iter();
    let told = |parcel: &Json| {
        let items = parcel["items"].as_array().unwrap().iter();
        let items: Vec<&str> = items.map(|item| item["sku"].as_str().unwrap()).collect();
        format!("{}: {}", parcel["location"].as_str().unwrap(), items.join(" "))
    };
    parcels.map(told).collect()
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

    let (status, _, refused) = trade(&shop, "cash-on-delivery", "o-0", &basket("o-0", 3)).await;
    assert_eq!((status, &refused["reason"]), (422, &json!("purchase_refused")), "{refused}");
    assert_eq!(refused["reason_detail"]["extension"], "household-limit@1.0.0", "{refused}");

    let (status, by, answer) = trade(&shop, "cash-on-delivery", "o-1", &basket("o-1", 1)).await;
    assert_eq!((status, by.as_str()), (200, ""), "{answer}");
    let order = shop.staff_reads("order/get?order_id=o-1").await;
    let proof = &order["proof"];
    // Twelve packs of tea are 20.00; members have 10% off ten and more, and of what is left a third is free.
    assert_eq!(
        by_extensions(proof),
        [
            "vip-tier@1.0.0 -200 10% off for member from 10 on",
            "department-multibuy@1.0.0 -600 3 for the price of 2 in DRINKS",
            "vip-tier@1.0.0 -17 5% off for member",
            "vip-tier@1.0.0 -20 5% off for member",
            "vip-tier@1.0.0 -60 5% off for member",
            "regional-delivery-fee@1.0.0 150 surcharge for the upper Rhine",
            "regional-delivery-fee@1.0.0 150 surcharge for the upper Rhine",
            "regional-delivery-fee@1.0.0 150 surcharge for the upper Rhine",
        ]
    );
    let parts = ["lines", "fees"].into_iter().flat_map(|part| proof[part].as_array().unwrap());
    let sum: i64 = parts.map(|part| part["payable"]["amount"].as_i64().unwrap()).sum();
    assert_eq!(proof["payable"]["amount"], sum, "{proof}");
    assert_eq!(
        parcels(&order),
        ["berlin: oat-milk", "berlin: tea bread", "lyon: tote-bag"].map(str::to_owned).into()
    );

    // The third order within the hour is one too many at the door; on invoice nobody minds.
    let (status, _, answer) = trade(&shop, "cash-on-delivery", "o-2", &basket("o-2", 1)).await;
    assert_eq!(status, 200, "{answer}");
    let (status, _, refused) = trade(&shop, "cash-on-delivery", "o-3", &basket("o-3", 1)).await;
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
    let in_trades = BOUND.iter().filter(|(point, ..)| *point != "request-mapping");
    let expected = in_trades.map(|(point, extension, _)| format!("{point} {extension}@1.0.0 answered"));
    assert_eq!(asked(folder.path(), "o-1"), expected.collect());
    mortise(&["verify", "--data", folder.path().to_str().unwrap()]).ok();
}
