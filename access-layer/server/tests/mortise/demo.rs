//! `mortise demo --once`: the whole platform at its main job, with the sandbox, the extension and every invariant.

use serde_json::Value as Json;

use crate::support::{Talking, mortise, root, until};

fn demo(arguments: &[&str]) -> crate::support::Said {
    let shop = root().join("examples/shop");
    let all: Vec<&str> = ["demo", "--once", "--format", "json", "--shop", shop.to_str().unwrap()]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    mortise(&all)
}

#[test]
fn the_story_holds_from_the_first_line_to_the_last_and_again_on_the_same_data() {
    let data = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let said = demo(&["--data", data.path().to_str().unwrap()]).ok();
        let events: Vec<Json> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let count = |event: &str| events.iter().filter(|told| told["event"] == event).count();
        assert!(count("scene") >= 6 && count("step") >= 20, "{}", said.out);
        assert_eq!(count("broken"), 0, "{}", said.out);
        let verify = events.iter().find(|told| told["event"] == "verify").unwrap();
        assert!(verify["text"].as_str().unwrap().contains("nothing is off"), "{verify}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_story_it_serves_until_it_is_told_to_stop() {
    let shop = root().join("examples/shop");
    let demo = ["demo", "--format", "json", "--shop", shop.to_str().unwrap()];
    let mut demo = Talking::start(&demo);
    let serving = demo.until_event("serving");
    let http = reqwest::Client::new();
    let url = serving["openapi"].as_str().unwrap();
    let openapi: Json = http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(openapi["openapi"], "3.1.0", "{openapi}");
    assert!(openapi.to_string().contains("/trades/fixed-price"), "the shipped trade is not described");
    assert_eq!(demo.stop(), Some(0));
    for gone in [url, serving["sandbox"].as_str().unwrap()] {
        assert!(http.get(gone).send().await.is_err(), "{gone} is still there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stays_behind_when_it_is_killed() {
    let shop = root().join("examples/shop");
    let mut demo = Talking::start(&["demo", "--format", "json", "--shop", shop.to_str().unwrap()]);
    let serving = demo.until_event("serving");
    let http = reqwest::Client::new();
    for url in [&serving["openapi"], &serving["sandbox"]] {
        http.get(url.as_str().unwrap()).send().await.unwrap();
    }
    demo.kill();
    for url in [&serving["openapi"], &serving["sandbox"]] {
        until("the end of the demo's processes", async || {
            http.get(url.as_str().unwrap()).send().await.is_err().then_some(())
        })
        .await;
    }
}

#[test]
fn a_story_that_does_not_hold_is_exit_1_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let shop = root().join("examples/shop");
    for file in std::fs::read_dir(&shop).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let story = folder.path().join("story.yaml");
    let extensions = root().join("examples/extensions");
    let text =
        std::fs::read_to_string(&story).unwrap().replace("../extensions", extensions.to_str().unwrap());
    assert!(text.contains("amount: 1894"));
    std::fs::write(&story, text.replace("amount: 1894", "amount: 1893")).unwrap();
    let said = mortise(&["demo", "--once", "--shop", folder.path().to_str().unwrap()]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("/payable/amount is 1894 instead of 1893"), "{}", said.out);
    std::fs::write(&story, text.replace("loyal_price.wasm", "not_built.wasm")).unwrap();
    let said = mortise(&["demo", "--once", "--shop", folder.path().to_str().unwrap()]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("not_built.wasm") && said.err.contains("cargo xtask demo"), "{said:?}");
}
