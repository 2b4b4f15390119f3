//! Single operations of the staff, and the clock of development.

use insta::assert_snapshot;
use mortise_types::Clock as _;

use crate::house::House;

#[tokio::test]
async fn staff_run_one_operation_once() {
    let house = House::new().await;
    house.order("o1").await;
    let note = r#"{"order_id":"o1","text":"packed","fee":{"amount":90,"currency":"EUR"}}"#;
    assert_snapshot!(house.staff("/till/note", "k1", note).await, @r#"
    200 OK
    content-location: /v1/acme/books/trades/<id>
    {"position":1}
    "#);
    assert_snapshot!(house.staff("/till/note", "k1", note).await, @r#"
    200 OK
    content-location: /v1/acme/books/trades/<id>
    idempotent-replayed: true
    {"position":1}
    "#);
    assert!(house.staff("/till/note", "k2", note).await.contains(r#"{"position":2}"#));
    assert_snapshot!(house.staff("/till/note", "k3", r#"{"order_id":"o9","text":"packed"}"#).await, @r#"
    422 Unprocessable Entity
    {"type":"/problems/trade-failed",
     "title":"The trade could not be completed",
     "status":422,
     "code":"trade-failed",
     "detail":"The answer is no: unknown_order. Whatever the trade had done is undone.",
     "instance":"/v1/acme/books/trades/<id>",
     "reason":"unknown_order",
     "reason_page":"/problems/unknown_order",
     "trace_id":"<id>"}
    "#);
}

#[tokio::test]
async fn customers_and_strangers_do_not() {
    let house = House::new().await;
    let line = "POST /v1/acme/books/operations/till/note";
    let note = r#"{"order_id":"o1","text":"packed"}"#;
    let ask = async |headers: &str| house.ask(house.request(line, headers, note)).await[..3].to_owned();
    assert_eq!(ask("idempotency-key: k1\nmortise-customer: ada").await, "403");
    assert_eq!(ask("idempotency-key: k1").await, "401");
}

#[tokio::test]
async fn what_only_a_flow_can_own_is_refused() {
    let house = House::new().await;
    assert_snapshot!(house.staff("/till/sit", "k1", "{}").await, @r#"
    403 Forbidden
    {"type":"/problems/forbidden",
     "title":"This is not permitted",
     "status":403,
     "code":"forbidden",
     "detail":"`till.sit` acquires seat, which only a flow can own and give back.",
     "trace_id":"<id>"}
    "#);
    let queue = house.staff("/till/queue", "k1", "{}").await;
    assert!(queue.starts_with("403"), "the seat comes by an event that nobody would wait for: {queue}");
    assert!(queue.contains("`till.queue` acquires seat"), "{queue}");
    assert!(house.staff("/till/order", "k1", "{}").await.starts_with("404"), "a read is no trade");
    assert!(house.staff("/till/nothing", "k1", "{}").await.starts_with("404"));
}

#[tokio::test]
async fn a_defect_says_nothing_of_the_inside() {
    let house = House::new().await;
    let answer = house.staff("/till/break", "k1", "{}").await;
    assert!(!answer.contains("password"), "{answer}");
    assert_snapshot!(answer, @r#"
    500 Internal Server Error
    {"type":"/problems/internal",
     "title":"Something went wrong on our side",
     "status":500,
     "code":"internal",
     "detail":"The request was not carried out to its end. Ask again with the same idempotency key.",
     "trace_id":"<id>"}
    "#);
}

#[tokio::test]
async fn a_remote_operation_is_a_trade_too() {
    let house = House::new().await;
    house.gate.add_permits(1);
    assert!(house.staff("/till/ask", "k1", r#"{"order_id":"o1"}"#).await.starts_with("200"));
}

#[tokio::test]
async fn the_clock_of_development_is_moved_by_hand() {
    let house = House::new().await;
    let set = async |body: &str| house.ask(house.request("POST /dev/clock", "", body)).await;
    assert_snapshot!(house.ask(house.request("GET /dev/clock", "", "")).await, @r#"
    200 OK
    {"now":"2026-01-01T00:00:00.000Z"}
    "#);
    assert_snapshot!(set(r#"{"advance":"30m"}"#).await, @r#"
    200 OK
    {"now":"2026-01-01T00:30:00.000Z"}
    "#);
    assert_snapshot!(set(r#"{"now":"2027-05-01T02:00:00+02:00"}"#).await, @r#"
    200 OK
    {"now":"2027-05-01T00:00:00.000Z"}
    "#);
    assert_eq!(house.clock.now().to_string(), "2027-05-01T00:00:00.000Z");
    assert_snapshot!(set(r#"{"advance":"half an hour"}"#).await, @r#"
    422 Unprocessable Entity
    {"type":"/problems/invalid-input",
     "title":"The request does not have the form that is asked for",
     "status":422,
     "code":"invalid-input",
     "detail":"It is not a length of time: \"half an hour\"; write a whole number and ms, s, m, h or d, such as 30m.",
     "pointer":"/advance",
     "trace_id":"<id>"}
    "#);
    for wrong in
        ["{}", r#"{"now":5}"#, "[]", r#"{"now":"2027-05-01T02:00:00Z","advance":"1m"}"#, r#"{"then":"1m"}"#]
    {
        assert!(set(wrong).await.starts_with("422"), "{wrong}");
    }
}
