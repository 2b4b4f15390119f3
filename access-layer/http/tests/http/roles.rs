//! Every route as every caller, in the order's tenant and in another one.

use std::fmt::Write as _;

use insta::assert_snapshot;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::house::{House, LIMIT, body, buy};

const CALLERS: [(&str, &str); 4] = [
    ("nobody", ""),
    ("ada", "mortise-customer: ada"),
    ("bob", "mortise-customer: bob"),
    ("staff", "mortise-staff: grace"),
];

/// The status alone: a stream has no end.
async fn status(house: &House, request: &str) -> String {
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    tokio::time::timeout(LIMIT, stream.read_exact(&mut head)).await.expect("an answer comes").unwrap();
    String::from_utf8_lossy(&head[9..]).into_owned()
}

#[tokio::test]
async fn every_route_as_every_caller_in_both_tenants() {
    let house = House::new().await;
    let headers = "mortise-customer: ada\nidempotency-key: first";
    let first = house.request("POST /v1/acme/books/trades/buy", headers, &buy("o1", "gone", 5));
    let problem: serde_json::Value = serde_json::from_str(body(&house.send(first).await)).unwrap();
    let trade = problem["instance"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    house.order("o2").await;
    let note = r#"{"order_id":"o2","text":"x"}"#;
    let (buys, gets) = ("POST trades/buy".to_owned(), format!("GET trades/{trade}"));
    let routes = [
        (buys.as_str(), "buy"),
        ("POST trades/recount", r#"{"till":"west"}"#),
        (gets.as_str(), ""),
        ("POST operations/till/note", note),
        ("GET read/till/order?order_id=o2", ""),
        ("GET read/till/find?skus=pen&cheapest=true", ""),
        ("POST read/till/order", r#"{"order_id":"o2"}"#),
        ("GET follow/till/timeline?order_id=o2", ""),
        ("GET attention", ""),
        ("POST attention/nothing", r#"{"choice":"done","reason":"seen to"}"#),
        ("POST hooks/courier", "unsigned"),
        ("GET openapi.json", ""),
        ("GET docs", ""),
    ];
    let mut table = String::new();
    for tenant in ["acme", "zenith"] {
        for (r, (route, sent)) in routes.iter().enumerate() {
            let (method, path) = route.split_once(' ').unwrap();
            let _ = write!(table, "{tenant:6} {:42}", route.replace(&trade, "<ada's>"));
            for (n, (name, caller)) in CALLERS.iter().enumerate() {
                let key = format!("{caller}\nidempotency-key: {tenant}-{r}-{n}");
                let sent =
                    if *sent == "buy" { buy(&format!("{tenant}-{n}"), "pen", 5) } else { (*sent).to_owned() };
                let request =
                    house.request(&format!("{method} /v1/{tenant}/books/{path}"), key.trim(), &sent);
                let _ = write!(table, " {name} {}", status(&house, &request).await);
            }
            table.push('\n');
        }
    }
    assert_snapshot!(table, @"
    acme   POST trades/buy                            nobody 401 ada 200 bob 200 staff 422
    acme   POST trades/recount                        nobody 401 ada 403 bob 403 staff 200
    acme   GET trades/<ada's>                         nobody 404 ada 422 bob 404 staff 422
    acme   POST operations/till/note                  nobody 401 ada 403 bob 403 staff 200
    acme   GET read/till/order?order_id=o2            nobody 401 ada 200 bob 422 staff 200
    acme   GET read/till/find?skus=pen&cheapest=true  nobody 401 ada 403 bob 403 staff 200
    acme   POST read/till/order                       nobody 401 ada 200 bob 422 staff 200
    acme   GET follow/till/timeline?order_id=o2       nobody 401 ada 200 bob 422 staff 200
    acme   GET attention                              nobody 401 ada 403 bob 403 staff 200
    acme   POST attention/nothing                     nobody 401 ada 403 bob 403 staff 404
    acme   POST hooks/courier                         nobody 401 ada 401 bob 401 staff 401
    acme   GET openapi.json                           nobody 200 ada 200 bob 200 staff 200
    acme   GET docs                                   nobody 200 ada 200 bob 200 staff 200
    zenith POST trades/buy                            nobody 401 ada 200 bob 200 staff 422
    zenith POST trades/recount                        nobody 401 ada 403 bob 403 staff 200
    zenith GET trades/<ada's>                         nobody 404 ada 404 bob 404 staff 404
    zenith POST operations/till/note                  nobody 401 ada 403 bob 403 staff 422
    zenith GET read/till/order?order_id=o2            nobody 401 ada 422 bob 422 staff 422
    zenith GET read/till/find?skus=pen&cheapest=true  nobody 401 ada 403 bob 403 staff 200
    zenith POST read/till/order                       nobody 401 ada 422 bob 422 staff 422
    zenith GET follow/till/timeline?order_id=o2       nobody 401 ada 422 bob 422 staff 422
    zenith GET attention                              nobody 401 ada 403 bob 403 staff 200
    zenith POST attention/nothing                     nobody 401 ada 403 bob 403 staff 404
    zenith POST hooks/courier                         nobody 401 ada 401 bob 401 staff 401
    zenith GET openapi.json                           nobody 200 ada 200 bob 200 staff 200
    zenith GET docs                                   nobody 200 ada 200 bob 200 staff 200
    ");
}
