//! `mortise serve` from outside: one process a directory, a clock that can be moved or not, a stop that loses nothing.

use std::path::Path;

use mortise_testkit::TestDatabase;
use serde_json::json;

use crate::support::{Listening, Shop, mortise, order, seed};

#[test]
fn a_second_process_on_a_directory_is_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let _server = Listening::server(folder.path(), "127.0.0.1:0", "http://127.0.0.1:9");
    for command in [
        vec!["serve", "--data", data, "--listen", "127.0.0.1:0"],
        vec!["verify", "--data", data],
        vec!["flow", "list", "--data", data],
    ] {
        let said = mortise(&command);
        assert_eq!(said.code, Some(2), "{command:?}: {said:?}");
        assert!(
            said.err.contains("in use by another process") && said.err.contains("stop the process"),
            "{said:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_database_has_servers_and_readers_beside_them_and_nobody_who_must_be_alone() {
    let database = TestDatabase::postgres().await;
    let url = database.url();
    let data = Path::new(&url);
    let early = mortise(&["verify", "--data", &url]);
    assert_eq!(early.code, Some(2), "{early:?}");
    assert!(early.err.contains("makes the tables when it starts"), "{early:?}");
    seed(data);
    let server = Listening::server(data, "127.0.0.1:0", "http://127.0.0.1:9");
    let second = Listening::server(data, "127.0.0.1:0", "http://127.0.0.1:9");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stock.csv");
    std::fs::write(&file, "sku,location,on_hand\ntea,berlin,5\n").unwrap();
    let (import, file) = (["import", "inventory.import_stock"], file.to_str().unwrap());
    let whose = ["--tenant", "demo", "--line", "grocery", "--data", &url];
    let stock = [&import[..], &[file], &whose[..]].concat();
    let alone = mortise(&stock);
    assert_eq!(alone.code, Some(2), "{alone:?}");
    assert!(alone.err.contains("in use by another process"), "{alone:?}");
    assert!(!alone.err.contains("://"), "nobody is shown how the database is reached: {alone:?}");
    let basket = json!([{"sku": "bread", "quantity": 1}]);
    let (status, body) = Shop::at(&server).order(&order("o-1", "invoice", &basket)).await.unwrap();
    assert_eq!(status, 200, "{body}");
    let told = mortise(&["trade", "show", "o-1", "--data", &url]).ok();
    assert!(told.out.contains("fixed-price"), "{told:?}");
    mortise(&["verify", "--data", &url]).ok();
    assert_eq!(server.stop(), Some(0));
    let (status, body) = Shop::at(&second).order(&order("o-2", "invoice", &basket)).await.unwrap();
    assert_eq!(status, 200, "{body}");
    assert_eq!(second.stop(), Some(0));
}

#[test]
fn an_address_in_use_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = mortise(&["serve", "--data", folder.path().to_str().unwrap(), "--listen", &address]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains(&address) && said.err.contains("--listen"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_keeps_what_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    seed(folder.path());
    let server = Listening::server(folder.path(), "127.0.0.1:0", "http://127.0.0.1:9");
    let basket = json!([{"sku": "bread", "quantity": 1}]);
    let (status, body) = Shop::at(&server).order(&order("o-1", "invoice", &basket)).await.unwrap();
    assert_eq!(status, 200, "{body}");
    assert_eq!(server.stop(), Some(0));
    let server = Listening::server(folder.path(), "127.0.0.1:0", "http://127.0.0.1:9");
    let shop = Shop::at(&server);
    assert_eq!(shop.orders().await.len(), 1);
    assert_eq!(shop.order(&order("o-1", "invoice", &basket)).await.unwrap(), (status, body));
    assert_eq!(server.stop(), Some(0));
    mortise(&["verify", "--data", folder.path().to_str().unwrap()]).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_who_name_what_is_not_there_are_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = Listening::server(folder.path(), "127.0.0.1:0", "http://127.0.0.1:9");
    for (operation, input, wanted) in [
        ("order/complete", json!({"order_id": "never-was"}), "there is no order `never-was`"),
        ("after_sale/accept", json!({"rma_id": "never-was"}), "there is no return `never-was`"),
        ("payment/forfeit_deposit", json!({"payment_id": "never-was"}), "there is no payment `never-was`"),
    ] {
        let asked = reqwest::Client::new()
            .post(format!("{}/v1/demo/grocery/operations/{operation}", server.url))
            .header("Mortise-Staff", "kim")
            .header("Idempotency-Key", operation)
            .json(&input);
        let answer = asked.send().await.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 409, "{operation}: {body}");
        assert!(body.contains("state-conflict") && body.contains(wanted), "{operation}: {body}");
    }
}

#[test]
fn an_address_that_nothing_reaches_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    for option in ["--sandbox-url", "--public-url"] {
        let said = mortise(&["serve", "--data", data, "--listen", "127.0.0.1:0", option, "foo"]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(option) && said.err.contains("http://127.0.0.1:4600"), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_clock_for_development_can_be_moved() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let http = reqwest::Client::new();
    let serve = ["serve", "--data", data, "--listen", "127.0.0.1:0"];
    let real = Listening::start(&serve, &[]);
    assert_eq!(http.get(format!("{}/dev/clock", real.url)).send().await.unwrap().status(), 404);
    real.kill();
    let moment: Vec<&str> = serve.into_iter().chain(["--clock", "2031-05-04T10:00:00Z"]).collect();
    let moved = Listening::start(&moment, &[]);
    let shown = http.get(format!("{}/dev/clock", moved.url)).send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("2031-05-04T10:0"), "{shown}");
    let wrong = mortise(&["serve", "--data", data, "--clock", "tomorrow"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("2027-01-31T12:00:00Z"), "{wrong:?}");
}
