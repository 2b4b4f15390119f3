//! What an order may become, by tables; and the law that its timeline always tells what it is.

use std::collections::BTreeMap;

use mortise_testkit::table;
use mortise_types::{Amount, LocationId, ParcelItem, Price, ProofLine, Sku};
use proptest::prelude::*;

use super::*;

fn order(parcels: &[&str]) -> Order {
    Order {
        customer_id: CustomerId::new("c-1").unwrap(),
        statuses: FRESH,
        parcels: parcels
            .iter()
            .map(|id| ParcelProgress(ParcelId::new(*id).unwrap(), FulfilmentStatus::None))
            .collect(),
        payment_id: None,
        cancel_requested_at: None,
        position: 1,
    }
}

fn told(result: Result<Option<Entry>, String>) -> String {
    match result {
        Ok(None) => "already".to_owned(),
        Ok(Some(entry)) => tell(&entry),
        Err(error) => format!("refused: {error}"),
    }
}

fn tell(entry: &Entry) -> String {
    let about = entry.subject.as_ref().map_or_else(String::new, |subject| format!(" ({subject})"));
    let note = entry.note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
    format!("{} {} {} -> {}{about}{note}", entry.position, entry.axis.word(), entry.from, entry.to)
}

/// One word about an order, as a table has it.
fn say(order: &mut Order, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let now = Timestamp::EPOCH;
    match words[..] {
        ["pay", terms] => {
            let terms: PaymentTerms = serde_json::from_value(terms.into()).unwrap();
            let payment = PaymentId::new("p-1").unwrap();
            told(order.confirm_payment(&payment, terms).map_err(|error| error.to_string()))
        }
        ["money", status] => {
            let to = PaymentStatus::of(status).unwrap();
            told(order.record_payment(to, None).map_err(|from| format!("{} to {}", from.word(), to.word())))
        }
        ["parcel", id, status] => {
            let to = FulfilmentStatus::of(status).unwrap();
            let id = ParcelId::new(id).unwrap();
            told(order.record_parcel(&id, to).map_err(|error| error.to_string()))
        }
        ["complete"] => told(order.complete().map_err(|error| error.to_string())),
        ["cancel"] => match &order.cancel()[..] {
            [] => "already".to_owned(),
            entries => entries.iter().map(tell).collect::<Vec<_>>().join(", "),
        },
        ["wants", "out"] => told(
            order
                .request_cancel(Some("too late"), CancelUntil::Shipped, now)
                .map_err(|late| late.word().to_owned()),
        ),
        ["wants", "out", "unpaid"] => told(
            order
                .request_cancel(Some("too late"), CancelUntil::Paid, now)
                .map_err(|late| late.word().to_owned()),
        ),
        ["place", "again", "by", customer] => {
            let parcels = order.parcels.clone();
            match order.place_again(&CustomerId::new(customer).unwrap(), parcels) {
                None => "refused".to_owned(),
                Some(entries) => entries.iter().map(tell).collect::<Vec<_>>().join(", "),
            }
        }
        _ => panic!("`{line}` means nothing"),
    }
}

fn standing(order: &Order) -> String {
    let Statuses { order: stands, payment, fulfilment, .. } = order.statuses;
    format!("{}: {}, {}, {}", order.state().word(), stands.word(), payment.word(), fulfilment.word())
}

/// An order of the parcels `a` and `b`, and what is said about it, line by line.
fn order_case(input: &str) -> String {
    let mut order = order(&["a", "b"]);
    let mut text: Vec<String> = input.lines().map(|line| say(&mut order, line)).collect();
    text.push(standing(&order));
    text.join("\n")
}

#[test]
fn order_tables() {
    table::run("tests/cases/orders", order_case);
}

/// `ORDER PAYMENT FULFILMENT AFTER_SALE` → one word.
fn state_case(input: &str) -> String {
    let [order, payment, fulfilment, after_sale] = input.split(' ').collect::<Vec<_>>()[..] else {
        panic!("four statuses");
    };
    let statuses = Statuses {
        order: OrderStatus::of(order).unwrap(),
        payment: PaymentStatus::of(payment).unwrap(),
        fulfilment: FulfilmentStatus::of(fulfilment).unwrap(),
        after_sale: AfterSaleStatus::of(after_sale).unwrap(),
    };
    state_of(&statuses).word().to_owned()
}

#[test]
fn state_tables() {
    table::run("tests/cases/states", state_case);
}

/// A proof of lines of one unit price of 100, and parcels of (line, units), a parcel each.
fn placing(lines: &[i64], packed: &[&[(usize, i64)]]) -> Result<(), OrderError> {
    let line = |(n, units): (usize, &i64)| ProofLine {
        line_id: LineId::nth(n),
        sku: Sku::new("tea").unwrap(),
        quantity: Quantity(*units),
        location: None,
        list_price: Price::each(Amount(100)),
        list: Amount(100 * units),
        adjustments: Vec::new(),
        taxes: Vec::new(),
        payable: Amount(100 * units),
    };
    let proof = PriceProof {
        policy_version: "v".to_owned(),
        lines: lines.iter().enumerate().map(line).collect(),
        fees: Vec::new(),
        payable: Amount(100 * lines.iter().sum::<i64>()),
        tax: Amount::ZERO,
    };
    let parcel = |(n, items): (usize, &&[(usize, i64)])| Parcel {
        parcel_id: ParcelId::new(format!("p-{n}")).unwrap(),
        location: LocationId::new("west").unwrap(),
        items: items
            .iter()
            .map(|(line, units)| ParcelItem {
                line_id: LineId::nth(*line),
                sku: Sku::new("tea").unwrap(),
                quantity: Quantity(*units),
            })
            .collect(),
    };
    check_placing(&proof, &packed.iter().enumerate().map(parcel).collect::<Vec<_>>())
}

#[test]
fn parcels_carry_what_is_charged() {
    assert_eq!(placing(&[2, 1], &[&[(0, 1)], &[(0, 1), (1, 1)]]), Ok(()));
    assert_eq!(placing(&[2], &[]), Ok(()), "nothing of it travels");
    let off = |line: usize, proved: i64, packed: i64| OrderError::Parcels {
        line: LineId::nth(line),
        proved: Quantity(proved),
        packed: Quantity(packed),
    };
    assert_eq!(placing(&[2, 1], &[&[(0, 2)]]), Err(off(1, 1, 0)), "a line was forgotten");
    assert_eq!(placing(&[2], &[&[(0, 1)]]), Err(off(0, 2, 1)), "cut, but charged in full");
    assert_eq!(placing(&[2], &[&[(0, 2), (1, 1)]]), Err(off(1, 0, 1)), "a line that nobody pays");
}

fn words() -> impl Strategy<Value = Vec<String>> {
    let fixed = [
        "pay paid",
        "pay invoice",
        "pay on_delivery",
        "complete",
        "cancel",
        "wants out",
        "place again by c-1",
    ];
    let money = ["paid", "collected", "remitted", "refunded"].map(|status| format!("money {status}"));
    let statuses = ["requested", "packed", "handed_over", "in_transit", "delivered", "undeliverable"];
    let parcels =
        statuses.iter().flat_map(|status| ["a", "b"].map(|parcel| format!("parcel {parcel} {status}")));
    let all: Vec<String> = fixed.iter().map(|word| (*word).to_owned()).chain(money).chain(parcels).collect();
    prop::collection::vec(prop::sample::select(all), 0..30)
}

proptest! {
    /// Whatever is said about an order, and in whichever order: positions have no gap, the last entry of each status is
    /// the order's status, and what was said twice in a row changed nothing the second time.
    #[test]
    fn a_timeline_tells_what_an_order_is(words in words()) {
        let mut order = order(&["a", "b"]);
        let (mut last, mut position) = (BTreeMap::new(), 1);
        for word in words {
            for part in say(&mut order, &word).split(", ") {
                let Some((number, rest)) = part.split_once(' ') else { continue };
                let Ok(number) = number.parse::<i64>() else { continue };
                position += 1;
                prop_assert_eq!(number, position);
                let (axis, rest) = rest.split_once(' ').unwrap();
                let to = rest.split("-> ").nth(1).unwrap().split([' ', ':']).next().unwrap();
                last.insert(axis.to_owned(), to.to_owned());
            }
            prop_assert_eq!(order.position, position);
            let told = |axis: &str, fresh: &str| last.get(axis).map_or(fresh, String::as_str).to_owned();
            prop_assert_eq!(told("order", "open"), order.statuses.order.word());
            prop_assert_eq!(told("payment", "due"), order.statuses.payment.word());
            prop_assert_eq!(told("fulfilment", "none"), order.statuses.fulfilment.word());
            let before = order.clone();
            let again = say(&mut order, &word);
            prop_assert!(again == "already" || again.starts_with("refused"), "{} twice: {}", word, again);
            prop_assert_eq!(&order, &before);
        }
    }
}
