//! `mortise capability`: what is exported can be checked against, and single operations run where they can.

use serde_json::{Value as Json, json};

use crate::support::{mortise, mortise_with, root};

#[test]
fn exported_contracts_are_what_flows_are_checked_against() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("contracts.json");
    let exported = mortise(&["capability", "export"]).ok();
    std::fs::write(&file, &exported.out).unwrap();
    let flow = root().join("orchestrations/trades/fixed-price/flow.yaml");
    let check =
        |contracts: &str| mortise(&["flow", "check", flow.to_str().unwrap(), "--contracts", contracts]);
    assert_eq!(check(file.to_str().unwrap()).code, Some(0));
    let mut without = exported.json();
    without["operations"].as_object_mut().unwrap().remove("inventory.reserve").unwrap();
    std::fs::write(&file, without.to_string()).unwrap();
    assert_eq!(check(file.to_str().unwrap()).code, Some(1));
    std::fs::write(&file, "{\"operations\": 7}").unwrap();
    assert_eq!(check(file.to_str().unwrap()).code, Some(2));
}

#[test]
fn everything_that_is_listed_can_be_described() {
    let listed = mortise(&["capability", "list", "--format", "json"]).ok().out;
    let capabilities: Vec<Json> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> =
        capabilities.iter().map(|capability| capability["capability"].as_str().unwrap()).collect();
    for expected in ["pricing", "inventory", "payment", "order"] {
        assert!(names.contains(&expected), "{names:?}");
    }
    let operations = |capability: &Json| capability["operations"].as_array().unwrap().clone();
    assert!(capabilities.iter().all(|capability| !operations(capability).is_empty()), "{listed}");
    let text = mortise(&["capability", "describe", "inventory.reserve"]).ok().out;
    for part in ["allocations", "out_of_stock", "inventory.release", "stock (reservation)"] {
        assert!(text.contains(part), "{text}");
    }
    let import = mortise(&["capability", "describe", "pricing.import_entries"]).ok().out;
    assert!(
        import.contains("each of rows") && import.contains("price_list"),
        "the columns of a file: {import}"
    );
    let page = mortise(&["capability", "describe", "out_of_stock"]).ok().out;
    assert!(page.contains("# out_of_stock"), "{page}");
    let unknown = mortise(&["capability", "describe", "inventory.reserv"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("inventory.reserve"), "{unknown:?}");
}

#[test]
fn a_pure_operation_needs_no_data_and_others_say_that_they_do() {
    let input = json!({"order_id": "o-1", "allocations": [
        {"line_id": "1", "sku": "tea", "location": "berlin", "quantity": 2},
        {"line_id": "1", "sku": "tea", "location": "lyon", "quantity": 1}]});
    let call = ["capability", "call", "order_splitting.plan", "--input", "-", "--format", "json"];
    let said = mortise_with(&call, &input.to_string()).ok().json();
    assert_eq!(said["output"]["parcels"].as_array().unwrap().len(), 2, "{said}");
    let wrong = mortise_with(&call, "{\"order_id\": 7}");
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.err.contains("/order_id") && wrong.err.contains("/allocations"), "{wrong:?}");
    let read = mortise_with(&["capability", "call", "inventory.get_stock", "--input", "-"], "{}");
    assert_eq!(read.code, Some(2));
    assert!(read.err.contains("--data"), "{read:?}");
}

#[test]
fn a_write_runs_as_a_trade_and_a_rejection_is_exit_1() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let call = |operation: &str, input: Json| {
        let scope = ["--data", data, "--tenant", "acme", "--line", "toys", "--format", "json"];
        let arguments: Vec<&str> =
            ["capability", "call", operation, "--input", "-"].into_iter().chain(scope).collect();
        mortise_with(&arguments, &input.to_string())
    };
    call("inventory.import_locations", json!({"rows": [{"location": "berlin"}]})).ok();
    call("inventory.import_stock", json!({"rows": [{"sku": "tea", "location": "berlin", "on_hand": 7}]}))
        .ok();
    let stock = call("inventory.get_stock", json!({"skus": ["tea"]})).ok().json();
    assert_eq!(stock["output"]["rows"][0]["on_hand"], 7, "{stock}");
    let refused = call(
        "inventory.import_stock",
        json!({"rows": [{"sku": "tea", "location": "nowhere", "on_hand": 7}]}),
    );
    assert_eq!(refused.code, Some(1));
    assert_eq!(refused.json()["rejected"]["code"], "unknown_location");
}
