//! What extensions at `allocation` do to where lines come from: they choose, leave it, or fail.

mod shop;

use std::sync::Arc;

use mortise_points::allocation::{Proposal, Question, Take};
use mortise_points::{Allocation, Failure, Native, Point, Points};
use shop::{rig_with, stock};

/// One extension at a point, bound everywhere.
fn native<P: Point>(
    reads: &[&str],
    answer: impl Fn(&P::Question) -> Result<P::Answer, Failure> + Send + Sync + 'static,
) -> Arc<dyn Points> {
    Arc::new(Native::<P>::reading("native", reads, answer))
}

const TWO_TEA: &str =
    r#"{"lines":[{"sku":"tea","quantity":3,"attributes":{"storage":"dry","brand":"Leaf"}}]}"#;

/// Takes as much as there is from the last location that is offered, then from the one before.
fn from_behind() -> Arc<dyn Points> {
    native::<Allocation>(&["storage"], |question| {
        let mut takes = Vec::new();
        for line in &question.lines {
            let mut wanted = line.quantity.units();
            for stock in question.stock.iter().rev().filter(|stock| stock.sku == line.sku) {
                let quantity = wanted.min(stock.saleable.units());
                wanted -= quantity;
                let (line_id, location) = (line.line_id.to_string(), stock.location.to_string());
                takes.extend((quantity > 0).then_some(Take { line_id, location, quantity }));
            }
        }
        Ok(Some(Proposal { takes, reason: seen(question) }))
    })
}

fn seen(question: &Question) -> String {
    let stock: Vec<String> =
        question.stock.iter().map(|stock| format!("{} {}", stock.location, stock.saleable.units())).collect();
    let attributes: Vec<String> = question
        .lines
        .iter()
        .flat_map(|line| &line.attributes)
        .map(|attribute| format!("{}={}", attribute.name, attribute.value))
        .collect();
    format!("{} {}", stock.join(" "), attributes.join(" "))
}

#[tokio::test]
async fn an_extension_chooses_among_what_is_saleable_and_says_why() {
    let rig = rig_with(&[], from_behind()).await;
    stock(&rig, &[("tea", "east", 10), ("tea", "west", 2)]).await;
    assert_eq!(
        rig.call("inventory.allocate", TWO_TEA).await,
        concat!(
            r#"ok {"allocations":[{"line_id":"1","sku":"tea","location":"west","quantity":2},"#,
            r#"{"line_id":"1","sku":"tea","location":"east","quantity":1}],"#,
            r#""lines":[{"sku":"tea","quantity":3,"attributes":{"brand":"Leaf","storage":"dry"}}],"short":[],"#,
            r#""decided":{"extension":"native@1.0.0","reason":"east 10 west 2 storage=dry"}}"#
        )
    );
}

#[tokio::test]
async fn what_is_cut_is_asked_for_and_what_is_owed_is_not() {
    let policies =
        [("cut", r#"{"short_stock":"cut"}"#), ("owe", r#"{"short_stock":"backorder"}"#), ("grocery", "{}")];
    let mut rig = rig_with(&policies, from_behind()).await;
    stock(&rig, &[("tea", "east", 1), ("tea", "west", 1)]).await;
    assert!(rig.call("inventory.allocate", TWO_TEA).await.starts_with("rejected out_of_stock"));
    rig.scope.line = mortise_types::BusinessLine::new("cut").expect("a line");
    let cut = rig.call("inventory.allocate", TWO_TEA).await;
    assert!(
        cut.contains(r#""reason":"east 1 west 1 storage=dry""#) && cut.contains(r#""quantity":2"#),
        "{cut}"
    );
    rig.scope.line = mortise_types::BusinessLine::new("owe").expect("a line");
    let owed = rig.call("inventory.allocate", TWO_TEA).await;
    assert!(owed.starts_with("ok") && !owed.contains("decided"), "{owed}");
}

#[tokio::test]
async fn no_opinion_leaves_the_shops_order_and_too_little_is_refused() {
    let silent = rig_with(&[], native::<Allocation>(&[], |_| Ok(None))).await;
    stock(&silent, &[("tea", "east", 10), ("tea", "west", 2)]).await;
    let answer = silent.call("inventory.allocate", TWO_TEA).await;
    assert!(answer.contains(r#""location":"east","quantity":3"#) && !answer.contains("decided"), "{answer}");
    let short = native::<Allocation>(&[], |_| {
        let take = Take { line_id: "1".to_owned(), location: "west".to_owned(), quantity: 2 };
        Ok(Some(Proposal { takes: vec![take], reason: "all there is in the west".to_owned() }))
    });
    let short = rig_with(&[], short).await;
    stock(&short, &[("tea", "east", 10), ("tea", "west", 2)]).await;
    assert_eq!(
        short.call("inventory.allocate", TWO_TEA).await,
        r#"rejected extension_refused {"point":"allocation","extension":"native@1.0.0","kind":"invalid","detail":"takes: line \"1\" gets 2 of its 3 units"}"#
    );
}
