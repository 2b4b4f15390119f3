//! `mortise import`: the three forms of a file, into a directory and over HTTP, and what is told when a row is wrong.

use std::path::Path;

use serde_json::json;

use crate::support::{Listening, Said, Shop, mortise, mortise_with};

fn import(operation: &str, file: &Path, data: &Path) -> Said {
    let (file, data) = (file.to_str().unwrap(), data.to_str().unwrap());
    mortise(&["import", operation, file, "--tenant", "demo", "--line", "grocery", "--data", data])
}

#[test]
fn a_row_that_is_wrong_is_named_by_its_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("prices.csv"), folder.path().join("data"));
    let header = "price_list,sku,currency,amount,per\n";
    for (text, parts) in [
        ("price_list,sku,currency,amout\n", vec!["prices.csv:1, column 4", "amout", "`amount`"]),
        ("price_list,sku,currency\n", vec!["prices.csv:1, column 4", "`amount` is missing"]),
        ("shelf,tea,EUR,5.00,3\n", vec!["prices.csv:2, column 4", "5.00", "minor units"]),
        ("shelf,tea,EUR,500,3\nshelf,,EUR,500,3\n", vec!["prices.csv:3, column 2", "`sku` is empty"]),
        ("shelf,tea,EUR,500,3\nshelf,\"a\nb\",EUR,500\n", vec!["prices.csv:3", "4 cells"]),
        // What the contract refuses, and what the operation does: the former by column, the latter by its own words.
        ("shelf,tea,EUR,500,3\nshelf,bread,EUR,-1,1\n", vec!["prices.csv:3", "amount", "at least 0"]),
        ("shelf,tea,XXQ,500,3\n", vec!["prices.csv:2"]),
    ] {
        let text = if text.starts_with("price_list") { text.to_owned() } else { format!("{header}{text}") };
        std::fs::write(&file, &text).unwrap();
        let said = import("pricing.import_entries", &file, &data);
        assert_eq!(said.code, Some(1), "{text}: {said:?}");
        assert!(parts.iter().all(|part| said.err.contains(part)), "{text}: {}", said.err);
    }
}

#[test]
fn what_cannot_be_imported_is_exit_2_with_what_can() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("rows.csv"), folder.path().join("data"));
    let unread = import("pricing.import_entries", &file, &data);
    assert_eq!(unread.code, Some(2), "{unread:?}");
    std::fs::write(&file, "sku\ntea\n").unwrap();
    let unknown = import("pricing.import_entrys", &file, &data);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.err.contains("pricing.import_entries"), "{unknown:?}");
    let no_list = import("order.cancel", &file, &data);
    assert_eq!(no_list.code, Some(2), "{no_list:?}");
}

#[test]
fn csv_json_and_json_lines_store_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let row = |sku: &str, on_hand: i64| json!({"sku": sku, "location": "berlin", "on_hand": on_hand});
    let mut stocks = Vec::new();
    for (name, text) in [
        ("a.csv", "on_hand,sku,location,threshold\n3,tea,berlin,\n5,bread,berlin,1\n".to_owned()),
        (
            "a.json",
            json!([row("tea", 3), {"sku": "bread", "location": "berlin", "on_hand": 5, "threshold": 1}])
                .to_string(),
        ),
        (
            "a.jsonl",
            format!(
                "{}\n{}\n",
                row("tea", 3),
                json!({"sku": "bread", "location": "berlin", "on_hand": 5, "threshold": 1})
            ),
        ),
    ] {
        let (file, data) = (folder.path().join(name), folder.path().join(format!("{name}-data")));
        let locations = folder.path().join("locations.csv");
        std::fs::write(&locations, "location\nberlin\n").unwrap();
        import("inventory.import_locations", &locations, &data).ok();
        std::fs::write(&file, text).unwrap();
        import("inventory.import_stock", &file, &data).ok();
        let read = [
            "capability",
            "call",
            "inventory.get_stock",
            "--input",
            "-",
            "--format",
            "json",
            "--tenant",
            "demo",
            "--data",
        ];
        let arguments: Vec<&str> = read.into_iter().chain([data.to_str().unwrap()]).collect();
        stocks.push(mortise_with(&arguments, "{\"skus\": [\"tea\", \"bread\"]}").ok().json());
    }
    assert_eq!(stocks[0]["output"]["rows"].as_array().unwrap().len(), 2, "{stocks:?}");
    assert!(stocks.iter().all(|stock| *stock == stocks[0]), "{stocks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_to_a_server_too_and_are_refused_there_alike() {
    let folder = tempfile::tempdir().unwrap();
    let server = Listening::server(&folder.path().join("data"), "127.0.0.1:0", "http://127.0.0.1:9");
    let send = |operation: &str, file: &Path| {
        let arguments = [
            "import",
            operation,
            file.to_str().unwrap(),
            "--tenant",
            "demo",
            "--line",
            "grocery",
            "--url",
            &server.url,
        ];
        mortise(&arguments)
    };
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, "location\nberlin\n").unwrap();
    send("inventory.import_locations", &file).ok();
    let many: String = (0..12_000).map(|n| format!("sku-{n},berlin,{n}\n")).collect();
    std::fs::write(&file, format!("sku,location,on_hand\n{many}")).unwrap();
    send("inventory.import_stock", &file).ok();
    let stock = Shop::at(&server).staff_reads("inventory/get_stock?skus=sku-0&skus=sku-11999").await;
    assert_eq!(stock["rows"][1]["on_hand"], 11_999, "{stock}");
    std::fs::write(&file, "price_list,sku,currency,amount\nshelf,tea,EUR,500\n").unwrap();
    send("pricing.import_entries", &file).ok();
    std::fs::write(&file, "price_list,sku,currency,amount\nshelf,tea,EUR,500\nshelf,bread,EUR,-1\n").unwrap();
    let refused = send("pricing.import_entries", &file);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("rows.csv:3"), "{refused:?}");
}
