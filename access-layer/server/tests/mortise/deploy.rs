//! `mortise ext deploy | rollback | list | explain | matrix | replay`, beside a running server and without one: orders turn
//! to what is deployed, what is wrong is said in words, and stored orders are asked again.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use mortise_host::Package;
use mortise_testkit::TestDatabase;
use mortise_types::Timestamp;
use serde_json::{Value as Json, json};

use crate::guest::{Does, package};
use crate::support::{Listening, Said, Shop, mortise, order, seed, until};

/// What bread costs, and what the extensions of these tests make of it, in minor units.
const BREAD: i64 = 349;
const CHEAP: i64 = 100;

/// The folder of an extension.
fn folder(name: &str, version: &str, does: Does) -> tempfile::TempDir {
    written(&package(name, version, does))
}

fn written(package: &Package) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("extension.toml"), &package.manifest).unwrap();
    std::fs::write(folder.path().join("extension.wasm"), &package.component).unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn ext(data: &Path, arguments: &[&str]) -> Said {
    let (command, rest) = arguments.split_first().unwrap();
    mortise(&[&["ext", command, "--data", text(data)], rest].concat())
}

fn deploy(data: &Path, extension: &tempfile::TempDir, more: &[&str]) -> Said {
    let bound = ["deploy", text(extension.path()), "--line", "grocery", "--by", "ada"];
    ext(data, &[&bound, more].concat())
}

/// A seeded shop with enough bread, in a directory.
fn shop_data() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    stocked(&folder.path().join("data"));
    folder
}

/// `data` as `--data` names it.
fn stocked(data: &Path) {
    seed(data);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stock.csv");
    std::fs::write(&file, "sku,location,on_hand\nbread,berlin,5000\n").unwrap();
    let whose = ["--tenant", "demo", "--line", "grocery", "--data", text(data)];
    mortise(&[&["import", "inventory.import_stock", text(&file)], whose.as_slice()].concat()).ok();
}

/// What one loaf comes to now, beside what does not change.
async fn payable(shop: &Shop) -> i64 {
    static ORDERS: AtomicUsize = AtomicUsize::new(0);
    let number = ORDERS.fetch_add(1, Ordering::Relaxed);
    let basket = json!([{"sku": "bread", "quantity": 1}]);
    let (status, body) = shop.order(&order(&format!("loaf-{number}"), "invoice", &basket)).await.unwrap();
    assert_eq!(status, 200, "{body}");
    body["payable"]["amount"].as_i64().unwrap_or_else(|| panic!("{body}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_turn_to_what_is_deployed_within_a_second_and_back() {
    let folder_of_shop = shop_data();
    let data = &folder_of_shop.path().join("data");
    let server = Listening::server(data, "127.0.0.1:0", "http://127.0.0.1:9");
    let shop = Shop::at(&server);
    let usual = payable(&shop).await;
    let first = folder("loaf", "1.0.0", Does::Offer(CHEAP));
    let said = deploy(data, &first, &["--reason", "loyalty week"]).ok();
    assert!(said.out.starts_with("revision 1 (deploy) holds for trades"), "{said:?}");
    until("the new price", async || (payable(&shop).await == usual - BREAD + CHEAP).then_some(())).await;
    let made = &ext(data, &["list", "--format", "json"]).ok().json()["revision"];
    let moment = |name: &str| made[name].as_str().unwrap().parse::<Timestamp>().unwrap().as_millis();
    assert!(moment("effective_from") - moment("made_at") < 1_000, "{made}");

    let listed = ext(data, &["list"]).ok().out;
    assert!(listed.contains("loaf@1.0.0 at unit-price for demo/grocery/*, priority 100, live"), "{listed}");
    assert!(listed.contains("deploy by ada") && listed.contains("loyalty week"), "{listed}");
    let matrix = ext(data, &["matrix"]).ok().out;
    assert!(matrix.contains("unit-price") && matrix.contains("loaf@1.0.0"), "{matrix}");
    let scope = ext(data, &["explain", "--line", "grocery"]).ok().out;
    assert!(scope.contains("1. loaf@1.0.0: the line's (grocery/*), priority 100"), "{scope}");
    let trade = ext(data, &["explain", "--trade", "loaf-0"]).ok().out;
    assert!(trade.contains("no extension was asked"), "{trade}");

    ext(data, &["rollback", "loaf", "--reason", "too cheap"]).ok();
    until("the old price", async || (payable(&shop).await == usual).then_some(())).await;
    let nothing = ext(data, &["rollback", "loaf"]);
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    assert!(nothing.err.contains("nothing of `loaf` to take back"), "{nothing:?}");
    assert_eq!(server.stop(), Some(0));

    // Without a server the same commands work on the directory, and a server that starts again has what is there.
    deploy(data, &first, &["--reason", "once more"]).ok();
    let server = Listening::server(data, "127.0.0.1:0", "http://127.0.0.1:9");
    let shop = Shop::at(&server);
    until("the new price", async || (payable(&shop).await == usual - BREAD + CHEAP).then_some(())).await;
    let listed = ext(data, &["list", "--format", "json"]).ok().json();
    assert_eq!(listed["revision"]["number"], 3, "{listed}");
    assert_eq!(listed["history"].as_array().map(Vec::len), Some(3), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_is_explained_by_its_journal_and_stored_orders_are_asked_again() {
    let folder_of_shop = shop_data();
    let data = &folder_of_shop.path().join("data");
    deploy(data, &folder("loaf", "1.0.0", Does::Offer(CHEAP)), &[]).ok();
    let server = Listening::server(data, "127.0.0.1:0", "http://127.0.0.1:9");
    let shop = Shop::at(&server);
    let basket = json!([{"sku": "bread", "quantity": 2}]);
    let mut orders = 0;
    let told = until("an order with the extension", async || {
        orders += 1;
        let name = format!("told-{orders}");
        let (status, body) = shop.order(&order(&name, "invoice", &basket)).await.unwrap();
        assert_eq!(status, 200, "{body}");
        let told = ext(data, &["explain", "--order", &name]).ok().out;
        told.contains("answered").then_some(told)
    });
    let told = told.await;
    for part in
        ["on revision 1", "pricing.quote", "1. loaf@1.0.0 at unit-price: answered", "counts: lines[0]", "why"]
    {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }

    let dearer = folder("loaf", "2.0.0", Does::Offer(CHEAP + 50));
    let replayed =
        ext(data, &["replay", text(dearer.path()), "--line", "grocery", "--orders", "1000"]).ok().out;
    let sums = format!("{orders}.00 EUR difference; {orders} of {orders} orders differ");
    for part in [
        &format!("loaf@2.0.0 on {orders} orders"),
        "0 failed",
        &sums,
        "bread",
        "departments by difference",
        "difference an order",
    ] {
        assert!(replayed.contains(part), "{part} is not in\n{replayed}");
    }
    let failing = folder("loaf", "2.0.0", Does::Trap);
    let failed = ext(data, &["replay", text(failing.path()), "--line", "grocery"]).ok().out;
    assert!(failed.contains(&format!("{orders} failed")) && failed.contains("times: trapped"), "{failed}");
    // Nothing of it is there afterwards.
    let listed: Json = ext(data, &["list", "--format", "json"]).ok().json();
    assert_eq!(listed["history"].as_array().map(Vec::len), Some(1), "{listed}");
}

/// A database that others have beside: no command asks the server, and each is heard by it all the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_commands_work_on_postgres_with_a_server_and_without() {
    let database = TestDatabase::postgres().await;
    let url = database.url();
    let data = Path::new(&url);
    stocked(data);
    let nothing = ext(data, &["list"]).ok().out;
    assert!(nothing.contains("nothing is deployed"), "{nothing}");
    let first = folder("loaf", "1.0.0", Does::Offer(CHEAP));
    deploy(data, &first, &["--reason", "without a server"]).ok();

    let server = Listening::server(data, "127.0.0.1:0", "http://127.0.0.1:9");
    let shop = Shop::at(&server);
    let order_told = async |name: String| {
        let basket = json!([{"sku": "bread", "quantity": 1}]);
        let (status, body) = shop.order(&order(&name, "invoice", &basket)).await.unwrap();
        assert_eq!(status, 200, "{body}");
        ext(data, &["explain", "--order", &name]).ok().out
    };
    let mut orders = 0;
    let told = until("an order with the extension", async || {
        orders += 1;
        let told = order_told(format!("pg-{orders}")).await;
        told.contains("answered").then_some(told)
    });
    let told = told.await;
    assert!(told.contains("1. loaf@1.0.0 at unit-price: answered") && told.contains("why"), "{told}");
    let cheap = payable(&shop).await;

    let second = folder("loaf", "2.0.0", Does::Offer(CHEAP + 50));
    let replayed = ext(data, &["replay", text(second.path()), "--line", "grocery"]).ok().out;
    let all = orders + 1;
    assert!(replayed.contains(&format!("loaf@2.0.0 on {all} orders")), "{replayed}");
    assert!(replayed.contains(&format!("{all} of {all} orders differ")), "{replayed}");
    deploy(data, &second, &["--reason", "beside a server"]).ok();
    until("the dearer price", async || (payable(&shop).await == cheap + 50).then_some(())).await;
    let listed = ext(data, &["list"]).ok().out;
    assert!(listed.contains("loaf@2.0.0 at unit-price") && listed.contains("beside a server"), "{listed}");
    let matrix = ext(data, &["matrix"]).ok().out;
    assert!(matrix.contains("unit-price") && matrix.contains("loaf@2.0.0"), "{matrix}");

    ext(data, &["rollback", "loaf", "--hard", "--reason", "too dear"]).ok();
    until("the price before", async || (payable(&shop).await == cheap).then_some(())).await;
    assert_eq!(server.stop(), Some(0));
    let listed = ext(data, &["list", "--format", "json"]).ok().json();
    assert_eq!(listed["history"].as_array().map(Vec::len), Some(3), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_is_promoted_only_within_bounds_and_a_failing_canary_returns_by_itself() {
    let folder_of_shop = shop_data();
    let data = &folder_of_shop.path().join("data");
    let server = Listening::server(data, "127.0.0.1:0", "http://127.0.0.1:9");
    let shop = Shop::at(&server);
    let usual = payable(&shop).await;
    let loaf = folder("loaf", "1.0.0", Does::Offer(CHEAP));
    deploy(data, &loaf, &["--shadow"]).ok();
    let trial = async || {
        assert_eq!(payable(&shop).await, usual, "a shadow never counts");
        let listed = ext(data, &["list", "--format", "json"]).ok().json();
        (listed["trials"][0]["seen"][0]["orders"].as_i64()? >= 2).then_some(listed)
    };
    let seen = until("two orders in the shadow", trial).await["trials"][0]["seen"][0].clone();
    let orders = seen["orders"].as_i64().unwrap();
    assert_eq!(seen["difference_minor"], -(BREAD - CHEAP) * orders, "{seen}");
    let after =
        |most: &str| deploy(data, &loaf, &["--after-shadow", "--min-orders", "2", "--max-difference", most]);
    let off = after("10");
    assert_eq!(off.code, Some(1), "{off:?}");
    assert!(off.err.contains("loaf@1.0.0 stays a shadow: its differences come to"), "{off:?}");
    after("100000").ok();
    until("the price of the shadow", async || (payable(&shop).await < usual).then_some(())).await;

    let failing = folder("loaf", "2.0.0", Does::Trap);
    deploy(data, &failing, &["--canary", "99", "--on-failure", "refuse", "--reason", "a try"]).ok();
    let returned = until("the canary's return", async || {
        assert_eq!(payable(&shop).await, usual - BREAD + CHEAP, "a canary that fails hurts nobody");
        let listed = ext(data, &["list"]).ok().out;
        listed.contains("returned by mortise").then_some(listed)
    });
    let returned = returned.await;
    assert!(returned.contains("loaf@2.0.0: ") && returned.contains("calls failed"), "{returned}");
}

#[test]
fn what_is_wrong_with_an_extension_is_said_at_deploy_and_nothing_is_stored() {
    let folder_of_data = tempfile::tempdir().unwrap();
    let data = folder_of_data.path();
    let good = package("loaf", "1.0.0", Does::Offer(CHEAP));
    let refused = |package: &Package, words: &[&str]| {
        let said = deploy(data, &written(package), &[]);
        assert_eq!(said.code, Some(1), "{said:?}");
        for word in words {
            assert!(said.err.contains(word), "{word} is not in {said:?}");
        }
    };
    let component = |text: &str| Package { component: wat::parse_str(text).unwrap(), ..good.clone() };
    refused(&component("(module)"), &["loaf@1.0.0", "component"]);
    refused(&component("(component)"), &["does not answer unit-price"]);
    refused(
        &component(r#"(component (import "wasi:sockets/tcp@0.2.6" (instance)))"#),
        &["imports wasi:sockets/tcp@0.2.6"],
    );
    let manifest =
        |from: &str, to: &str| Package { manifest: good.manifest.replace(from, to), ..good.clone() };
    refused(&manifest("\"1.0\"", "\"7.0\""), &["this platform has version", "7.0"]);
    refused(&manifest("unit-price", "colour"), &["colour", "no such point"]);
    refused(&manifest("1.0.0", "one"), &["extension.version"]);

    let no_schema = deploy(data, &written(&good), &["--config", "{\"rate\": 5}"]);
    assert!(no_schema.err.contains("has no config"), "{no_schema:?}");
    std::fs::write(data.join("grants.toml"), "[[grant]]\nextension = \"loaf\"\npoints = [\"discount\"]\n")
        .unwrap();
    refused(&good, &["asks for the point `unit-price`", "grants.toml"]);
    std::fs::write(data.join("grants.toml"), "[[grant]]\nextension = \"*\"\npoints = [\"*\"]\n").unwrap();
    assert_eq!(
        ext(data, &["list"]).ok().out.trim(),
        "nothing is deployed; `mortise ext deploy --help` shows how"
    );

    deploy(data, &written(&good), &[]).ok();
    let tie = deploy(data, &folder("roll", "1.0.0", Does::Offer(1)), &[]);
    assert_eq!(tie.code, Some(1), "{tie:?}");
    for word in ["equal rank: loaf@1.0.0", "and roll@1.0.0", "give one of them another priority"] {
        assert!(tie.err.contains(word), "{word} is not in {tie:?}");
    }
    deploy(data, &folder("roll", "1.0.0", Does::Offer(1)), &["--priority", "50"]).ok();
    let same = deploy(data, &folder("loaf", "1.0.0", Does::Offer(7)), &[]);
    assert!(
        same.err
            .contains("loaf@1.0.0 is stored with other content; give the changed extension a new version"),
        "{same:?}"
    );
    let hard = ext(data, &["rollback", "roll", "--hard", "--reason", "gives goods away"]).ok();
    assert!(hard.out.contains("running trades leave roll@1.0.0 too"), "{hard:?}");
}

#[test]
fn the_help_teaches() {
    for command in ["deploy", "rollback", "list", "explain", "matrix", "replay"] {
        let said = mortise(&["ext", command, "--help"]).ok().out;
        assert!(said.contains(&format!("mortise ext {command} ")) && said.contains("or example"), "{said}");
    }
}
