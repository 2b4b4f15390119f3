//! A partner's cart, as the lines of a flow's input; for which flow is what the binding sets.
//! It checks no item: the flow does.

use mortise_extension::request_mapping::{Mapped, Request};
use mortise_extension::{Answer, RequestMapping, export};

#[derive(serde::Deserialize)]
struct Config {
    flow: String,
}

#[derive(serde::Deserialize)]
struct Body {
    cart: Vec<Item>,
}

#[derive(serde::Deserialize)]
struct Item {
    code: String,
    count: i64,
}

#[derive(serde::Serialize)]
struct Input {
    lines: Vec<Line>,
}

#[derive(serde::Serialize)]
struct Line {
    sku: String,
    quantity: i64,
}

struct Extension;

impl RequestMapping for Extension {
    type Config = Config;

    fn map_request(config: &Config, request: &Request) -> Answer<Option<Mapped>> {
        if request.flow != config.flow || !request.has("cart") {
            return Ok(None);
        }
        let items = request.read::<Body>()?.cart.into_iter();
        let lines = items.map(|item| Line { sku: item.code, quantity: item.count }).collect();
        Mapped::of(&Input { lines }, "a partner's cart").map(Some)
    }
}

export!(Extension: RequestMapping);
