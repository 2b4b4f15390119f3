//! Many orders through buying, cancelling and refunding: our books, the stock and the provider's own book come to the same, with
//! nothing over.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;

use super::customers::Crowd;
use super::house::{House, LOOK, Order, SETTLED_WITHIN, nobody_waits, promised, settled};
use super::{Counts, Yard};
use crate::failure::Failure;
use crate::ground::Ground;
use crate::order;
use crate::patient::Patient;
use crate::platform::Serving;
use crate::stopwatch::Stopwatch;

pub(super) async fn run(yard: &Yard) -> Result<Counts, Failure> {
    let orders = yard.size.pick(150, 100_000);
    let (ground, mut dice) = (&yard.ground, yard.dice("ledger"));
    let data = ground.fresh()?;
    let sandbox = ground.platform.sandbox(&ground.bench.path("ledger-book"))?;
    let serving = Serving { sandbox: Some(sandbox.address), ..Serving::default() };
    let mut house = House::open(&ground.platform, &data, serving)?;
    let crowd = Crowd::of(ground, (house.address, sandbox.address), orders, dice.below(u64::MAX));
    let (payable, _) = crowd.run().await?;
    let seen = settled(house.address, |orders| crowd.odd(orders, &payable)).await?;
    let held = balanced(ground, &mut house, &data, sandbox.address, &seen).await?;
    Ok([vec![("orders", orders)], held].concat())
}

/// That shop and provider agree about all orders, when nothing is under way any more.
///
/// # Errors
/// The drift: cents or units that one has and the other has not, a payment or a refund that was made twice.
pub(super) async fn balanced(
    ground: &Ground,
    house: &mut House<'_>,
    data: &Path,
    sandbox: SocketAddr,
    seen: &BTreeMap<String, Order>,
) -> Result<Counts, Failure> {
    let theirs = settled_at(sandbox, seen).await?;
    nobody_waits(house.address).await?;
    let units = promised(house.address, ground.skus).await?;
    house.close();
    ground.platform.verify_beside(data, sandbox)?;
    let open = seen.values().filter(|order| order.statuses.order == "open").count() as u64;
    if open * order::UNITS != units {
        return Err(Failure::words(format!(
            "{open} open orders of {} units are promised {units} units",
            order::UNITS
        )));
    }
    let of = |payment: &str| seen.values().filter(|order| order.statuses.payment == payment).count() as u64;
    let late = theirs.values().filter(|payment| payment.refunded_amount > 0).count() as u64;
    let late = late.saturating_sub(of("refunded"));
    Ok(vec![
        ("paid", of("paid")),
        ("refunded", of("refunded")),
        ("on invoice", of("invoiced")),
        ("void", of("void")),
        ("of them paid too late and refunded", late),
        ("payments at the provider", theirs.len() as u64),
        ("cents captured there", theirs.values().map(|payment| payment.captured_amount).sum()),
        ("cents refunded there", theirs.values().map(|payment| payment.refunded_amount).sum()),
        ("cents of drift", 0),
        ("units of drift", 0),
    ])
}

/// The provider's payments by order, when what it has of each order is what the order says.
async fn settled_at(
    sandbox: SocketAddr,
    seen: &BTreeMap<String, Order>,
) -> Result<BTreeMap<String, Payment>, Failure> {
    let began = Stopwatch::start();
    loop {
        let (status, book) = Patient::new(sandbox).ask_json("GET /_control/book", None, 0, "").await?;
        if status != 200 {
            return Err(Failure::words(format!("the provider's book was answered with {status}")));
        }
        let theirs = by_order(Vec::deserialize(&book["payments"])?)?;
        match drift(seen, &theirs) {
            None => return Ok(theirs),
            Some(drift) if began.passed() > SETTLED_WITHIN => return Err(Failure::words(drift)),
            // A refund may be under way.
            Some(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

/// The first order of which the provider has another sum than the order says.
fn drift(seen: &BTreeMap<String, Order>, theirs: &BTreeMap<String, Payment>) -> Option<String> {
    if let Some(nobodys) = theirs.keys().find(|id| !seen.contains_key(*id)) {
        return Some(format!("the provider has a payment of {nobodys}, which is no order"));
    }
    seen.iter().find_map(|(id, order)| {
        let has =
            theirs.get(id).map_or(0, |payment| payment.captured_amount.abs_diff(payment.refunded_amount));
        let is_to_have = if order.statuses.payment == "paid" { order.payable.amount } else { 0 };
        (has != is_to_have).then(|| {
            format!("the provider has {has} cents of order {id}, and is to have {is_to_have}: {order:?}")
        })
    })
}

/// A payment in the provider's book.
#[derive(Debug, Deserialize)]
struct Payment {
    reference: String,
    captured_amount: u64,
    refunded_amount: u64,
    refunds: Vec<serde_json::Value>,
}

/// The payments by order.
///
/// # Errors
/// An order that was to be paid twice, a payment that was refunded twice.
fn by_order(payments: Vec<Payment>) -> Result<BTreeMap<String, Payment>, Failure> {
    let mut all = BTreeMap::new();
    for payment in payments {
        let order = payment.reference.split(':').next().unwrap_or_default().to_owned();
        if payment.refunds.len() > 1 {
            return Err(Failure::words(format!("payment {} was refunded twice", payment.reference)));
        }
        if let Some(twice) = all.insert(order, payment) {
            return Err(Failure::words(format!("an order was to be paid twice: {}", twice.reference)));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endure::house::{Money, Statuses};

    fn payment(order: &str, captured_amount: u64, refunded_amount: u64) -> Payment {
        let refunds = vec![serde_json::Value::Null; usize::from(refunded_amount > 0)];
        Payment { reference: format!("{order}:pay"), captured_amount, refunded_amount, refunds }
    }

    #[test]
    fn an_order_that_is_paid_or_refunded_twice_is_found() {
        assert_eq!(by_order(vec![payment("o-1", 500, 0), payment("o-2", 500, 500)]).unwrap().len(), 2);
        assert!(by_order(vec![payment("o-1", 500, 0), payment("o-1", 500, 0)]).is_err());
        let twice = Payment { refunds: vec![serde_json::Value::Null; 2], ..payment("o-1", 500, 500) };
        assert!(by_order(vec![twice]).is_err());
    }

    #[test]
    fn a_cent_that_only_one_book_has_is_drift() {
        let order = |payment: &str| Order {
            order_id: "o-1".into(),
            payable: Money { amount: 500 },
            statuses: Statuses { order: "open".into(), payment: payment.into() },
        };
        let off = |status: &str, payment: Payment| {
            let seen = BTreeMap::from([("o-1".to_owned(), order(status))]);
            drift(&seen, &by_order(vec![payment]).unwrap()).is_some()
        };
        assert!(!off("paid", payment("o-1", 500, 0)) && off("paid", payment("o-1", 499, 0)));
        assert!(!off("void", payment("o-1", 500, 500)) && off("void", payment("o-1", 500, 499)));
        assert!(off("void", payment("o-2", 0, 0)), "nobody's payment");
    }
}
