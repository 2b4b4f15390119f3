//! Points as tables: what extensions answer, what of it is true to the question, and what the true answers come to. Nothing
//! here runs an extension.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

use std::collections::BTreeMap;

use mortise_points::bid_check::{self, Objection};
use mortise_points::payment_risk::{self, Assessment, Recent};
use mortise_points::refund_check::{self, Cap, Kind, Refusal, Ruling};
use mortise_points::request_mapping::{self, Mapped};
use mortise_points::{BidCheck, ExtensionId, PaymentRisk, Point, RefundCheck, RequestMapping};
use mortise_testkit::table;
use mortise_types::{Amount, Currency, CustomerId, LineId, OrderId, Quantity, Scope, Sku, Timestamp};

fn euro() -> Currency {
    Currency::new("EUR").unwrap()
}

/// What the true answers come to, behind a line for each that is not true. Ranks are those of the lines.
fn judged<P: Point>(
    question: &P::Question,
    answers: impl IntoIterator<Item = (String, P::Answer)>,
    reduced: impl Fn(P::Reduced) -> Vec<String>,
) -> String {
    let (mut told, mut valid) = (Vec::new(), Vec::new());
    for (name, answer) in answers {
        match P::revalidate(question, answer) {
            Ok(answer) => valid.push((ExtensionId::new(&name, "1.0.0"), answer)),
            Err(invalid) => told.push(format!("{name} is invalid: {invalid}")),
        }
    }
    told.extend(reduced(P::reduce(question, valid)));
    told.join("\n")
}

/// `NAME SCORE REASON`
fn risk(input: &str) -> String {
    let question = payment_risk::Question {
        currency: euro(),
        customer_id: CustomerId::new("ann").unwrap(),
        amount: Amount(4_990),
        country: "DE".parse().unwrap(),
        postal_code: "10115".to_owned(),
        city: "Berlin".to_owned(),
        collected: 0,
        refused: 0,
        last_hour: Recent::default(),
        last_day: Recent::default(),
        score: 10,
        trade_time: Timestamp::EPOCH,
    };
    let answers = input.lines().map(|line| {
        let (name, answer) = line.split_once(' ').unwrap();
        let (score, reason) = answer.split_once(' ').unwrap_or((answer, ""));
        (name.to_owned(), Assessment { score: score.parse().unwrap(), reason: reason.to_owned() })
    });
    judged::<PaymentRisk>(&question, answers, |highest| match highest {
        None => vec!["nobody scores".to_owned()],
        Some(highest) => vec![format!("{} by {}: {}", highest.score, highest.extension, highest.reason)],
    })
}

#[test]
fn the_highest_score_counts() {
    table::run("tests/cases/payment-risk", risk);
}

/// `bid MAXIMUM [outright AMOUNT]`, then `NAME none`, `NAME objects: REASON` or `NAME at least N: REASON`.
fn bids(input: &str) -> String {
    let mut lines = input.lines();
    let words: Vec<&str> = lines.next().unwrap().split(' ').collect();
    let amount = words.get(3).map(|amount| Amount(amount.parse().unwrap()));
    let question = bid_check::Question {
        auction_id: mortise_types::AuctionId::new("chair").unwrap(),
        currency: euro(),
        customer_id: CustomerId::new("ben").unwrap(),
        sku: Sku::new("chair").unwrap(),
        quantity: Quantity(1),
        starting_price: Amount(1_000),
        price: Some(Amount(4_100)),
        asking_price: Amount(4_200),
        own_maximum: None,
        amount,
        maximum: Amount(words[1].parse().unwrap()),
        bids: 5,
        opens_at: Timestamp::EPOCH,
        closes_at: Timestamp::EPOCH,
        trade_time: Timestamp::EPOCH,
    };
    let answers = lines.map(|line| {
        let (name, answer) = line.split_once(' ').unwrap();
        let objection = answer.split_once(':').map(|(how, reason)| Objection {
            at_least: how.strip_prefix("at least ").map(|least| least.parse().unwrap()),
            reason: reason.trim().to_owned(),
        });
        (name.to_owned(), objection)
    });
    judged::<BidCheck>(&question, answers, |objected| match objected {
        None => vec!["admissible".to_owned()],
        Some(objected) => {
            let least = objected.at_least.map_or_else(String::new, |least| format!(", at least {least}"));
            vec![format!("refused by {}{least}: {}", objected.extension, objected.reason)]
        }
    })
}

#[test]
fn one_objection_is_enough() {
    table::run("tests/cases/bid-check", bids);
}

/// `line ID PAID`, then `NAME refuses ID: REASON`, `NAME caps ID at N: REASON`; lines of one name are one answer.
fn refunds(input: &str) -> String {
    let (asked, said): (Vec<&str>, Vec<&str>) = input.lines().partition(|line| line.starts_with("line "));
    let line = |text: &&str| {
        let words: Vec<&str> = text.split(' ').collect();
        refund_check::Line {
            line_id: LineId::new(words[1]).unwrap(),
            sku: Sku::new("scarf").unwrap(),
            bought: Quantity(1),
            returned: Quantity(1),
            reasons: vec!["changed_mind".to_owned()],
            paid: Amount(words[2].parse().unwrap()),
        }
    };
    let question = refund_check::Question {
        order_id: OrderId::new("o-1").unwrap(),
        customer_id: CustomerId::new("kim").unwrap(),
        currency: euro(),
        kind: Kind::Return,
        placed_at: Timestamp::EPOCH,
        returnable_from: Timestamp::EPOCH,
        trade_time: Timestamp::EPOCH,
        refund: Amount(0),
        lines: asked.iter().map(line).collect(),
    };
    let mut rulings: BTreeMap<String, Ruling> = BTreeMap::new();
    for text in said {
        let (head, reason) = text.split_once(':').unwrap();
        let (words, reason): (Vec<&str>, String) = (head.split(' ').collect(), reason.trim().to_owned());
        let (line_id, ruling) = (words[2].to_owned(), rulings.entry(words[0].to_owned()).or_default());
        match words[1] {
            "refuses" => ruling.refusals.push(Refusal { line_id, reason }),
            "caps" => ruling.caps.push(Cap { line_id, at_most: words[4].parse().unwrap(), reason }),
            other => panic!("`{other}` means nothing"),
        }
    }
    judged::<RefundCheck>(&question, rulings, |ruled| {
        let refused = ruled.refused.iter();
        let refused =
            refused.map(|line| format!("{} stays, by {}: {}", line.line_id, line.extension, line.reason));
        let capped = ruled.capped.iter().map(|line| {
            format!("{} at most {}, by {}: {}", line.line_id, line.at_most, line.extension, line.reason)
        });
        let owed = -RefundCheck::money(&question, &ruled).unwrap().total_minor();
        let mut told: Vec<String> = refused.chain(capped).collect();
        if told.is_empty() {
            told.push("all as the shop's rules say".to_owned());
        }
        told.push(format!("{owed} is owed"));
        told
    })
}

#[test]
fn one_refusal_keeps_a_line_out_and_the_lowest_cap_holds() {
    table::run("tests/cases/refund-check", refunds);
}

/// `NAME none` or `NAME INPUT`, an input being JSON, `deep` or `long`.
fn mappings(input: &str) -> String {
    let scope = Scope::new("demo", "grocery", "api").unwrap();
    let question = request_mapping::Question {
        flow: "fixed-price".to_owned(),
        line: scope.line,
        channel: scope.channel,
        currency: euro(),
        customer_id: None,
        request_time: Timestamp::EPOCH,
        body: "{}".to_owned(),
    };
    let answers = input.lines().map(|line| {
        let (name, answer) = line.split_once(' ').unwrap();
        let input = match answer {
            "deep" => format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200)),
            "long" => format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024)),
            other => other.to_owned(),
        };
        (name.to_owned(), (answer != "none").then(|| Mapped { input, reason: "a cart".to_owned() }))
    });
    judged::<RequestMapping>(&question, answers, |taken| match taken {
        None => vec!["the body as it is".to_owned()],
        Some(taken) => vec![format!("{} by {}", taken.input, taken.extension)],
    })
}

#[test]
fn the_first_that_knows_the_body_maps_it() {
    table::run("tests/cases/request-mapping", mappings);
}

#[test]
fn a_questions_size_is_that_of_what_an_extension_reads() {
    let of = |bytes: usize| {
        let scope = Scope::new("demo", "grocery", "api").unwrap();
        RequestMapping::lines(&request_mapping::Question {
            flow: "f".to_owned(),
            line: scope.line,
            channel: scope.channel,
            currency: euro(),
            customer_id: None,
            request_time: Timestamp::EPOCH,
            body: "x".repeat(bytes),
        })
    };
    assert_eq!([of(0), of(255), of(256), of(1 << 20)], [1, 1, 2, 4_097]);
}
