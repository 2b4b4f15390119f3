//! A partner's app sends carts of its own form: this makes the input of the fixed-price trade of them. A body that is no
//! cart is for the flow as it is; what a cart lacks is said in the words of its sender.

use mortise_extension::request_mapping::{Mapped, Request};
use mortise_extension::{Answer, RequestMapping, export};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Config {
    #[serde(default = "fixed_price")]
    flow: String,
    #[serde(default = "invoice")]
    pay_by: String,
}

fn fixed_price() -> String {
    "fixed-price".to_owned()
}

fn invoice() -> String {
    "invoice".to_owned()
}

/// What the partner sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cart {
    r#ref: String,
    cart: Vec<Article>,
    to: Address,
    #[serde(default)]
    vouchers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Article {
    article: String,
    n: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    who: String,
    street: String,
    zip: String,
    town: String,
    cc: String,
}

/// What the flow takes.
#[derive(Serialize)]
struct Input<'a> {
    order_id: &'a str,
    currency: &'a str,
    lines: Vec<Line<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    coupons: Vec<String>,
    ship_to: ShipTo<'a>,
    pay_by: &'a str,
}

#[derive(Serialize)]
struct Line<'a> {
    sku: &'a str,
    quantity: i64,
}

#[derive(Serialize)]
struct ShipTo<'a> {
    name: &'a str,
    street: [&'a str; 1],
    postal_code: &'a str,
    city: &'a str,
    country: &'a str,
}

struct PartnerCart;

impl RequestMapping for PartnerCart {
    type Config = Config;

    fn map_request(config: &Config, request: &Request) -> Answer<Option<Mapped>> {
        if request.flow != config.flow || !request.has("cart") {
            return Ok(None);
        }
        let Cart { r#ref: order_id, cart, to, vouchers } = request.read()?;
        if cart.is_empty() {
            return Err("the cart has no articles".to_owned());
        }
        let input = Input {
            order_id: &order_id,
            currency: &request.currency,
            lines: cart.iter().map(|line| Line { sku: &line.article, quantity: line.n }).collect(),
            coupons: vouchers,
            ship_to: ShipTo {
                name: &to.who,
                street: [&to.street],
                postal_code: &to.zip,
                city: &to.town,
                country: &to.cc,
            },
            pay_by: &config.pay_by,
        };
        Mapped::of(&input, format!("articles of cart {order_id}: {}", cart.len())).map(Some)
    }
}

export!(PartnerCart: RequestMapping);
