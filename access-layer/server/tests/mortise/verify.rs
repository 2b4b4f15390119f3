//! `mortise verify`: clean data is clean, and what is broken by hand is named.

use std::path::Path;

use serde_json::json;

use crate::support::{Listening, Said, Shop, mortise, order, seed, until};

fn verify(data: &Path, more: &[&str]) -> Said {
    let all: Vec<&str> = ["verify", "--format", "json", "--data", data.to_str().unwrap()]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    mortise(&all)
}

#[test]
fn a_directory_without_data_is_not_called_clean() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(verify(folder.path(), &[]).code, Some(2));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "looking must not make data");
}

#[test]
fn a_file_that_is_no_database_is_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mortise.db"), "a letter, not a database".repeat(1_000)).unwrap();
    let said = verify(folder.path(), &[]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("damaged") && said.err.contains("a copy of it that is whole"), "{said:?}");
}

#[test]
fn what_only_reads_makes_no_data() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("mistyped");
    let missing = missing.to_str().unwrap();
    for command in [
        &["flow", "list"][..],
        &["flow", "history", "fixed-price"],
        &["trade", "show", "o-1"],
        &["attention"],
        &["ext", "list"],
        &["policy", "list"],
    ] {
        let all: Vec<&str> = command.iter().copied().chain(["--data", missing]).collect();
        let said = mortise(&all);
        assert_eq!(said.code, Some(2), "{command:?}: {said:?}");
        assert!(said.err.contains("holds no data"), "{command:?}: {said:?}");
        assert!(!Path::new(missing).exists(), "{command:?} made data");
    }
}

/// Each statement breaks one invariant of a shop with a paid order whose parcel is on its way, and an unpaid one.
#[tokio::test(flavor = "multi_thread")]
async fn each_broken_invariant_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (data, book) = (folder.path().join("data"), folder.path().join("book"));
    seed(&data);
    let sandbox = Listening::sandbox(&book);
    let server = Listening::server(&data, "127.0.0.1:0", &sandbox.url);
    let (shop, basket) = (Shop::at(&server), json!([{"sku": "tea", "quantity": 2}]));
    for (id, pay_by) in [("o-1", "invoice"), ("o-2", "provider")] {
        let (status, body) = shop.order(&order(id, pay_by, &basket)).await.unwrap();
        assert_eq!(status, 200, "{body}");
    }
    let pick_list = until("something to pack", async || {
        let lists = shop.staff_reads("fulfilment/list").await;
        Some(lists["pick_lists"][0]["pick_list_id"].as_str()?.to_owned())
    })
    .await;
    let packed =
        shop.http.post(format!("{}/operations/fulfilment/pack", shop.url)).header("Mortise-Staff", "test");
    let packed = packed
        .header("Idempotency-Key", "pack")
        .json(&json!({"pick_list_id": pick_list}))
        .send()
        .await
        .unwrap();
    assert!(packed.status().is_success());
    until("the shipment", async || {
        let shipments = shop.staff_reads("delivery/list").await;
        shipments["shipments"][0]["carrier_ref"].as_str().map(drop)
    })
    .await;
    assert_eq!(server.stop(), Some(0));
    let clean = verify(&data, &["--sandbox", &sandbox.url]).ok().json();
    assert_eq!(clean["findings"], json!([]));

    for (what, statement) in [
        ("inventory", "UPDATE inventory_stock SET reserved = reserved + 1 WHERE sku = 'tea'"),
        ("payment", "UPDATE payment_transfer SET amount = amount + 1"),
        ("order", "UPDATE order_header SET payable = payable + 1"),
        (
            "engine: outbox",
            "UPDATE outbox SET instance = 'nobody' WHERE position = (SELECT min(position) FROM outbox)",
        ),
        ("engine: flows", "UPDATE flow_instance SET wake_at = NULL WHERE status = 1"),
        ("engine: journal", "DELETE FROM flow_journal WHERE seq = 0"),
        (
            "the carrier's book",
            "UPDATE delivery_shipment SET shipment_id = shipment_id || 'x', carrier_ref = 'shp_other'",
        ),
        (
            "the provider's book",
            "UPDATE payment_payment SET provider_ref = 'pay_other', payment_id = payment_id || 'x' WHERE provider_ref IS NOT NULL",
        ),
    ] {
        let broken = folder.path().join("broken");
        std::fs::create_dir_all(&broken).unwrap();
        for file in ["mortise.db", "mortise.db-wal"] {
            let _ = std::fs::remove_file(broken.join(file));
            if data.join(file).is_file() {
                std::fs::copy(data.join(file), broken.join(file)).unwrap();
            }
        }
        let connection = rusqlite::Connection::open(broken.join("mortise.db")).unwrap();
        let changed =
            connection.execute(statement, []).unwrap_or_else(|error| panic!("{statement}: {error}"));
        assert!(changed > 0, "{statement} broke nothing");
        drop(connection);
        let said = verify(&broken, &["--sandbox", &sandbox.url]);
        assert_eq!(said.code, Some(1), "{statement}: {said:?}");
        let found = said.json();
        let named = found["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|f| f["check"].as_str().unwrap().starts_with(what));
        assert!(named, "{statement}: {found}");
    }
}
