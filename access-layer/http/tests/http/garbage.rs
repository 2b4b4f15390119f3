//! Whatever is sent, a clear problem comes back.

use std::time::Duration;

use insta::assert_snapshot;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::house::{House, LIMIT, shown};

const HEADERS: &str = "mortise-customer: ada\nidempotency-key: k1";

async fn sent(house: &House, body: &str) -> String {
    house.ask(house.request("POST /v1/acme/books/trades/buy", HEADERS, body)).await
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let house = House::new().await;
    assert_snapshot!(sent(&house, r#"{"order_id": "o1", "#).await, @r#"
    400 Bad Request
    {"type":"/problems/malformed-body",
     "title":"The body could not be read",
     "status":400,
     "code":"malformed-body",
     "detail":"The body is not JSON: EOF while parsing a value at line 1 column 19.",
     "trace_id":"<id>"}
    "#);
    for wrong in
        ["", " ", "order_id=o1", "{'a':1}", "{\"a\":1} {}", "\u{feff}{}", "[1,]", "NaN", "\"\\ud800\""]
    {
        let answer = sent(&house, wrong).await;
        assert!(
            answer.starts_with("400") && answer.contains("malformed-body") || answer.starts_with("415"),
            "{wrong:?}: {answer}"
        );
    }
}

#[tokio::test]
async fn bytes_that_are_no_text() {
    let house = House::new().await;
    let mut request = house.request("POST /v1/acme/books/trades/buy", HEADERS, "{\"a\":\"12\"}").into_bytes();
    let at = request.len() - 4;
    request[at] = 0xff;
    assert_snapshot!(house.ask(request).await, @r#"
    400 Bad Request
    {"type":"/problems/malformed-body",
     "title":"The body could not be read",
     "status":400,
     "code":"malformed-body",
     "detail":"The body is not JSON: invalid unicode code point at line 1 column 7.",
     "trace_id":"<id>"}
    "#);
}

#[tokio::test]
async fn deep_nesting() {
    let house = House::new().await;
    let deep = format!("{{\"order_id\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_snapshot!(sent(&house, &deep).await, @r#"
    400 Bad Request
    {"type":"/problems/malformed-body",
     "title":"The body could not be read",
     "status":400,
     "code":"malformed-body",
     "detail":"The body is not JSON: recursion limit exceeded at line 1 column 139.",
     "trace_id":"<id>"}
    "#);
    let within = format!("{{\"order_id\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    assert!(sent(&house, &within).await.starts_with("422"));
}

#[tokio::test]
async fn json_that_no_value_can_hold() {
    let house = House::new().await;
    assert_snapshot!(sent(&house, r#"{"order_id":"a","order_id":"b"}"#).await, @r#"
    422 Unprocessable Entity
    {"type":"/problems/invalid-input",
     "title":"The request does not have the form that is asked for",
     "status":422,
     "code":"invalid-input",
     "detail":"The body cannot be taken: the field `order_id` stands twice at line 1 column 31.",
     "pointer":"",
     "trace_id":"<id>"}
    "#);
    assert!(sent(&house, r#"{"order_id":18446744073709551615}"#).await.starts_with("422"));
    assert!(sent(&house, "[]").await.starts_with("422"));
    assert!(sent(&house, "null").await.starts_with("422"));
}

#[tokio::test]
async fn another_media_type() {
    let house = House::new().await;
    let line = "POST /v1/acme/books/trades/buy";
    let form =
        house.request(line, &format!("{HEADERS}\ncontent-type: application/x-www-form-urlencoded"), "a=1");
    assert_snapshot!(house.ask(form).await, @r#"
    415 Unsupported Media Type
    {"type":"/problems/unsupported-media-type",
     "title":"The body is of a kind that is not read here",
     "status":415,
     "code":"unsupported-media-type",
     "detail":"Send JSON, with Content-Type: application/json.",
     "trace_id":"<id>"}
    "#);
    for json in ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"] {
        let request = house.request(line, &format!("{HEADERS}\ncontent-type: {json}"), "{");
        assert!(house.ask(request).await.starts_with("400"), "{json}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large() {
    let house = House::with(|settings| settings.body_max_bytes = 1_000).await;
    // Announced: refused before it is sent.
    let announced = format!(
        "POST /v1/acme/books/trades/buy HTTP/1.1\r\nhost: localhost\r\n{}\r\ncontent-type: application/json\r\ncontent-length: 1001\r\n\r\n",
        HEADERS.replace('\n', "\r\n")
    );
    assert_snapshot!(house.ask(announced).await, @r#"
    413 Payload Too Large
    {"type":"/problems/payload-too-large",
     "title":"The request is too large",
     "status":413,
     "code":"payload-too-large",
     "detail":"A body has at most 1000 bytes.",
     "trace_id":"<id>"}
    "#);
    // In pieces: refused when it has grown too large.
    let pieces = format!(
        "POST /v1/acme/books/trades/buy HTTP/1.1\r\nhost: localhost\r\n{}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n{}\r\n",
        HEADERS.replace('\n', "\r\n"),
        " ".repeat(1001)
    );
    assert!(house.ask(pieces).await.starts_with("413"));
    assert!(sent(&house, &format!("{}{{", " ".repeat(999))).await.starts_with("400"), "as large as may be");
}

#[tokio::test]
async fn a_body_that_does_not_come() {
    let house = House::with(|settings| settings.body_timeout = Duration::from_millis(50)).await;
    let half = format!(
        "POST /v1/acme/books/trades/buy HTTP/1.1\r\nhost: localhost\r\n{}\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{{",
        HEADERS.replace('\n', "\r\n")
    );
    assert_snapshot!(house.ask(half).await, @r#"
    408 Request Timeout
    {"type":"/problems/request-timeout",
     "title":"The request did not arrive in time",
     "status":408,
     "code":"request-timeout",
     "detail":"The body did not arrive in time. Nothing was begun.",
     "trace_id":"<id>"}
    "#);
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let house = House::with(|settings| settings.head_timeout = Duration::from_millis(50)).await;
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    stream.write_all(b"POST /v1/acme").await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(LIMIT, stream.read_to_end(&mut answer)).await.expect("the connection ends").unwrap();
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist() {
    let house = House::new().await;
    assert_snapshot!(house.ask(house.request("GET /v2/nothing", "", "")).await, @r#"
    404 Not Found
    {"type":"/problems/not-found",
     "title":"There is nothing here",
     "status":404,
     "code":"not-found",
     "detail":"There is nothing at this path. What there is stands under /docs.",
     "trace_id":"<id>"}
    "#);
    assert_snapshot!(house.ask(house.request("DELETE /v1/acme/books/trades/buy", "", "")).await, @r#"
    405 Method Not Allowed
    allow: POST,GET,HEAD
    {"type":"/problems/method-not-allowed",
     "title":"This cannot be done here with this method",
     "status":405,
     "code":"method-not-allowed",
     "detail":"This path has other methods: see the header Allow.",
     "trace_id":"<id>"}
    "#);
    for path in [
        "/v1/acme",
        "/v1/acme/books/trades/a/b",
        "/v1/acme/books/trades/%ff",
        "/problems/none",
        "/v1/ACME/books/docs",
    ] {
        let answer = house.ask(house.request(&format!("GET {path}"), "", "")).await;
        assert!(answer.starts_with("404") && answer.contains("\"code\":\"not-found\""), "{path}: {answer}");
    }
}

#[tokio::test]
async fn more_than_can_be_worked_on_is_put_off() {
    let house = House::with(|settings| settings.requests_max = 0).await;
    assert_snapshot!(sent(&house, "{}").await, @r#"
    503 Service Unavailable
    retry-after: 1
    {"type":"/problems/overloaded",
     "title":"The shop is busy",
     "status":503,
     "code":"overloaded",
     "detail":"More is asked for at once than can be worked on. Nothing was begun.",
     "trace_id":"<id>"}
    "#);
    assert!(house.ask(house.request("GET /health/live", "", "")).await.starts_with("200"));
}

#[tokio::test]
async fn names_of_callers_that_cannot_be() {
    let house = House::new().await;
    for headers in ["mortise-customer: ", "mortise-customer: a\nmortise-staff: b", "mortise-staff: a/b"] {
        let answer = house.ask(house.request("GET /v1/acme/books/read/till/find", headers, "")).await;
        assert!(answer.starts_with("401"), "{headers}: {answer}");
    }
    // A page of another site that was led to this address.
    let request = house.request("GET /v1/acme/books/read/till/find", "mortise-customer: ada", "");
    let rebound = request.replace("host: localhost", "host: evil.example");
    assert!(shown(&house.send(rebound).await).starts_with("401"));
}
