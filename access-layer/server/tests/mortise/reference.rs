//! The reference that a server gives of itself, as whoever copies from it meets it.

use futures::future::join_all;
use serde_json::Value as Json;

use crate::support::{Listening, seed};

/// What an example may be answered with: nothing of its names need be there, but it has to be understood.
const MISUNDERSTOOD: [u16; 4] = [400, 404, 405, 415];

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_reference_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    seed(folder.path());
    let server = Listening::server(folder.path(), "127.0.0.1:0", "http://127.0.0.1:9");
    let http = reqwest::Client::new();
    let get = async |path: &str| http.get(format!("{}{path}", server.url)).send().await.unwrap();
    let document: Json = get("/v1/demo/grocery/openapi.json").await.json().await.unwrap();
    let asked = document["paths"].as_object().unwrap().iter().filter_map(|(path, item)| {
        let example = item.pointer("/post/requestBody/content/application~1json/example")?;
        let whose =
            [("Idempotency-Key", path.as_str()), ("Mortise-Customer", "ada"), ("Mortise-Staff", "ben")];
        let asks = item["post"]["parameters"].as_array().into_iter().flatten();
        let asks: Vec<&str> = asks.filter_map(|parameter| parameter["name"].as_str()).collect();
        let headers = whose.into_iter().filter(|(name, _)| asks.contains(name));
        let request = http.post(format!("{}{path}", server.url)).json(example);
        let request = headers.fold(request, |request, (name, value)| request.header(name, value));
        Some(async move {
            let answer = request.send().await.unwrap();
            (path, example.to_string(), answer.status().as_u16(), answer.text().await.unwrap())
        })
    });
    let answers = join_all(asked).await;
    assert!(answers.len() > 60, "{} examples", answers.len());
    for (path, example, status, body) in answers {
        // No example can know which amounts add up to a price.
        let refused = body.contains("/problems/invalid-input") && !body.contains("add up");
        let understood = !MISUNDERSTOOD.contains(&status) && !refused && status < 500;
        assert!(understood, "{path} {example}: {status} {body}");
    }
    let page = get("/docs").await.text().await.unwrap();
    let shown = page.split("curl ").filter(|part| part.contains("/trades/fixed-price")).count();
    assert!(shown > 0 && page.contains(&format!("{}/v1/TENANT/LINE/", server.url)), "{page}");
    assert_eq!(server.stop(), Some(0));
}
