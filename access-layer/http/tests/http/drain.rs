//! Stopping: what was begun is answered, what is new is refused, and then the server ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use insta::assert_snapshot;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::house::{House, LIMIT, buy, header, shown};

#[tokio::test]
async fn what_was_begun_is_answered_before_the_server_ends() {
    let mut house = House::with(|settings| settings.drain_notice = Duration::from_secs(2)).await;
    let headers = "mortise-customer: ada\nidempotency-key: k1";
    let request = house.request("POST /v1/acme/books/trades/ask", headers, r#"{"order_id":"o1"}"#);
    let mut begun = TcpStream::connect(house.address).await.unwrap();
    begun.write_all(request.as_bytes()).await.unwrap();
    while house.engine.figures().stretches.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    drop(house.stop.take());
    let ready = loop {
        let ready = house.ask(house.request("GET /health/ready", "", "")).await;
        if !ready.starts_with("200") {
            break ready;
        }
    };
    assert_snapshot!(ready, @r#"
    503 Service Unavailable
    retry-after: 1
    {"type":"/problems/draining",
     "title":"This server is about to stop",
     "status":503,
     "code":"draining",
     "detail":"This server takes nothing new. Another one, or this one in a while, will.",
     "trace_id":"<id>"}
    "#);
    assert!(house.ask(house.request("GET /health/live", "", "")).await.starts_with("200"));
    assert_snapshot!(house.post("/trades/buy", "k2", &buy("o2", "pen", 5)).await, @r#"
    503 Service Unavailable
    retry-after: 1
    {"type":"/problems/draining",
     "title":"This server is about to stop",
     "status":503,
     "code":"draining",
     "detail":"This server takes nothing new. Another one, or this one in a while, will.",
     "trace_id":"<id>"}
    "#);
    house.gate.add_permits(1);
    let mut answer = String::new();
    tokio::time::timeout(LIMIT, begun.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    tokio::time::timeout(LIMIT, house.served).await.expect("the server ends").unwrap().unwrap();
    assert!(TcpStream::connect(house.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let house = House::new().await;
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    for n in 0..3 {
        let headers = format!("mortise-customer: ada\nidempotency-key: k{n}");
        let request =
            house.request("POST /v1/acme/books/trades/buy", &headers, &buy(&format!("o{n}"), "pen", 5));
        stream.write_all(request.replace("connection: close\r\n", "").as_bytes()).await.unwrap();
        let mut answer = vec![0; 4_096];
        let length = tokio::time::timeout(LIMIT, stream.read(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains(&format!("\"order_id\":\"o{n}\"")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_request_is_named_in_its_answer() {
    let house = House::new().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = format!("traceparent: {parent}\nx-request-id: basket-7");
    let answer = house.send(house.request("GET /nowhere", &headers, "")).await;
    assert!(
        header(&answer, "traceparent").unwrap().starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"),
        "{answer}"
    );
    assert_eq!(header(&answer, "x-request-id"), Some("basket-7"));
    assert!(answer.contains(r#""trace_id":"4bf92f3577b34da6a3ce929d0e0e4736""#), "{answer}");
    assert!(shown(&answer).starts_with("404"));
}
