//! Following an order: entries as they come, from where one was, until the server stops.

use insta::assert_snapshot;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;

use crate::house::{House, LIMIT};

struct Following(Lines<BufReader<TcpStream>>);

impl Following {
    async fn begin(house: &House, path: &str, headers: &str) -> Self {
        let request = house.request(&format!("GET /v1/acme/books{path}"), headers, "");
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        Self(BufReader::new(stream).lines())
    }

    /// The next `data:` with its `id:`; none when the stream ends.
    async fn next(&mut self) -> Option<String> {
        let mut id = String::new();
        loop {
            let line =
                tokio::time::timeout(LIMIT, self.0.next_line()).await.expect("something comes").unwrap()?;
            if let Some(found) = line.strip_prefix("id: ") {
                id = found.to_owned();
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some(format!("{id} {data}"));
            }
        }
    }

    /// The next line that is a comment.
    async fn comment(&mut self) -> String {
        loop {
            let line =
                tokio::time::timeout(LIMIT, self.0.next_line()).await.expect("something comes").unwrap();
            match line.expect("the stream goes on").strip_prefix(": ") {
                Some(comment) => return comment.to_owned(),
                None => continue,
            }
        }
    }
}

async fn note(house: &House, n: u32) {
    let note = format!(r#"{{"order_id":"o1","text":"entry {n}","fee":{{"amount":{n},"currency":"EUR"}}}}"#);
    let answer = house.staff("/till/note", &format!("note-{n}"), &note).await;
    assert!(answer.starts_with("200"), "{answer}");
}

#[tokio::test]
async fn entries_come_as_they_are_committed() {
    let house = House::new().await;
    house.order("o1").await;
    for n in 1..=5 {
        note(&house, n).await;
    }
    let mut following =
        Following::begin(&house, "/follow/till/timeline?order_id=o1", "mortise-customer: ada").await;
    for n in 1..=5 {
        let entry = following.next().await.unwrap();
        let wanted =
            format!(r#"{n} {{"position":{n},"text":"entry {n}","fee":{{"amount":{n},"currency":"EUR"}}}}"#);
        assert_eq!(entry, wanted);
    }
    for n in 6..=7 {
        note(&house, n).await;
        assert!(following.next().await.unwrap().starts_with(&format!("{n} ")));
    }
}

#[tokio::test]
async fn who_was_cut_off_goes_on_from_there() {
    let house = House::new().await;
    house.order("o1").await;
    for n in 1..=3 {
        note(&house, n).await;
    }
    let path = "/follow/till/timeline?order_id=o1&after=1";
    let mut after = Following::begin(&house, path, "mortise-customer: ada").await;
    assert!(after.next().await.unwrap().starts_with("2 "));
    let mut resumed = Following::begin(&house, path, "mortise-customer: ada\nlast-event-id: 2").await;
    assert!(resumed.next().await.unwrap().starts_with("3 "));
}

#[tokio::test]
async fn what_cannot_be_followed_is_a_problem() {
    let house = House::new().await;
    house.order("o1").await;
    let ask = async |path: &str, headers: &str| {
        house.ask(house.request(&format!("GET /v1/acme/books/follow/till/{path}"), headers, "")).await
    };
    assert_snapshot!(ask("order?order_id=o1", "mortise-customer: ada").await, @r#"
    404 Not Found
    {"type":"/problems/unknown-operation",
     "title":"There is no such operation",
     "status":404,
     "code":"unknown-operation",
     "detail":"`till.order` has no entries with positions: it can be read, not followed.",
     "trace_id":"<id>"}
    "#);
    assert!(
        ask("timeline?order_id=o1", "mortise-customer: bob").await.contains("\"reason\":\"unknown_order\"")
    );
    assert!(ask("timeline?order_id=o1", "").await.starts_with("401"));
    assert!(ask("timeline?order_id=o1", "mortise-customer: ada\nlast-event-id: x").await.starts_with("422"));
}

#[tokio::test]
async fn a_stream_that_has_nothing_to_say_says_so() {
    let house =
        House::with(|settings| settings.follow_keep_alive = std::time::Duration::from_millis(20)).await;
    house.order("o1").await;
    let mut following =
        Following::begin(&house, "/follow/till/timeline?order_id=o1", "mortise-customer: ada").await;
    assert_eq!(following.comment().await, "following");
    assert_eq!(following.comment().await, "still here");
    assert_eq!(following.comment().await, "still here");
}

#[tokio::test]
async fn there_are_only_so_many_followers() {
    let house = House::with(|settings| settings.followers_max = 1).await;
    house.order("o1").await;
    let path = "/follow/till/timeline?order_id=o1";
    let mut first = Following::begin(&house, path, "mortise-customer: ada").await;
    first.comment().await;
    assert!(house.get(path).await.contains("\"code\":\"overloaded\""));
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let mut house = House::new().await;
    house.order("o1").await;
    let mut following =
        Following::begin(&house, "/follow/till/timeline?order_id=o1", "mortise-customer: ada").await;
    following.comment().await;
    drop(house.stop.take());
    assert_eq!(following.next().await, None);
    tokio::time::timeout(LIMIT, house.served).await.expect("the server ends").unwrap().unwrap();
}
