//! Customers who buy, pay or do not, cancel, and have stopped what they paid, in ways that are drawn for each order; and how each
//! order has to end. They speak to the shop and to the payment provider as a front end does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;

use super::Dice;
use super::house::Order;
use crate::failure::Failure;
use crate::ground::Ground;
use crate::order::{self, Choice, PayBy, mixed};
use crate::patient::Patient;
use crate::shop::{CURRENCY, LINE, TENANT};
use crate::stopwatch::Stopwatch;

/// For so long money may be on its way: the provider's tries come to be 30 s apart, and a server that is killed five times a second is
/// not there at most of them.
const PAID_WITHIN: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(20);

/// What a customer does with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// On invoice, and the order waits for the warehouse.
    Keep,
    /// On invoice, stopped before it leaves.
    Stop,
    /// Paid.
    Pay,
    /// Paid, stopped before it leaves, refunded.
    PayAndStop,
    /// The card is declined, and the customer cancels.
    DeclineAndCancel,
    /// Cancelled unpaid.
    Cancel,
    /// Paid in one window and cancelled in another at once.
    PayAndCancel,
}

/// All of them, with how often of 100.
const WAYS: [(Way, u64); 7] = [
    (Way::Keep, 15),
    (Way::Stop, 15),
    (Way::Pay, 20),
    (Way::PayAndStop, 20),
    (Way::DeclineAndCancel, 10),
    (Way::Cancel, 10),
    (Way::PayAndCancel, 10),
];

impl Way {
    pub(super) fn of(seed: u64, number: u64) -> Self {
        let mut drawn = Dice(mixed(seed ^ number)).below(100);
        for (way, often) in WAYS {
            if drawn < often {
                return way;
            }
            drawn -= often;
        }
        Self::Keep
    }

    fn pay_by(self) -> PayBy {
        match self {
            Self::Keep | Self::Stop => PayBy::Invoice,
            _ => PayBy::Provider,
        }
    }

    /// Whether an order may end so: the statuses of the order and of its payment.
    fn may_end(self, order: &str, payment: &str) -> bool {
        match self {
            Self::Keep => (order, payment) == ("open", "invoiced"),
            Self::Pay => (order, payment) == ("open", "paid"),
            Self::PayAndStop => (order, payment) == ("cancelled", "refunded"),
            Self::Stop | Self::DeclineAndCancel | Self::Cancel => (order, payment) == ("cancelled", "void"),
            Self::PayAndCancel => {
                matches!((order, payment), ("open", "paid") | ("cancelled", "void" | "refunded"))
            }
        }
    }
}

/// Who is asked, by how many, for how many orders.
#[derive(Debug, Clone)]
pub(super) struct Crowd {
    pub(super) shop: SocketAddr,
    pub(super) sandbox: SocketAddr,
    pub(super) customers: u32,
    pub(super) orders: u64,
    pub(super) skus: u32,
    pub(super) seed: u64,
    /// Orders that were begun.
    pub(super) begun: Arc<AtomicU64>,
}

/// What was answered: the sum that each order was to cost, in cents, by its number.
pub(super) type Payable = BTreeMap<u64, u64>;

impl Crowd {
    /// The callers of a ground, of whom nobody has ordered yet.
    pub(super) fn of(
        ground: &Ground,
        (shop, sandbox): (SocketAddr, SocketAddr),
        orders: u64,
        seed: u64,
    ) -> Self {
        let (customers, skus) = (ground.callers, ground.skus);
        Self { shop, sandbox, customers, orders, skus, seed, begun: Arc::default() }
    }

    /// Every order goes its way.
    ///
    /// # Errors
    /// An answer that the way does not have.
    pub(super) async fn run(&self) -> Result<(Payable, u64), Failure> {
        let mut all = JoinSet::new();
        for _ in 0..self.customers {
            all.spawn(self.clone().one_by_one());
        }
        let (mut payable, mut repeats) = (Payable::new(), 0);
        while let Some(ended) = all.join_next().await {
            let (mine, again) = ended.map_err(|error| Failure::words(format!("a customer: {error}")))??;
            payable.extend(mine);
            repeats += again;
        }
        Ok((payable, repeats))
    }

    async fn one_by_one(self) -> Result<(Payable, u64), Failure> {
        let mut customer = Customer { shop: Patient::new(self.shop), provider: Patient::new(self.sandbox) };
        let mut payable = Payable::new();
        loop {
            let number = self.begun.fetch_add(1, Ordering::Relaxed);
            if number >= self.orders {
                return Ok((payable, customer.shop.repeats));
            }
            payable.insert(number, customer.go(number, Way::of(self.seed, number), self.skus).await?);
        }
    }

    /// The first order that has not ended as its way does, or that nobody has answered for.
    pub(super) fn odd(&self, orders: &BTreeMap<String, Order>, payable: &Payable) -> Option<String> {
        if orders.len() as u64 != self.orders {
            return Some(format!("{} orders were answered, {} are there", self.orders, orders.len()));
        }
        (0..self.orders).find_map(|number| {
            let (id, way) = (order::id(number), Way::of(self.seed, number));
            let Some(order) = orders.get(&id) else { return Some(format!("order {id} is lost")) };
            let statuses = &order.statuses;
            if payable.get(&number) != Some(&order.payable.amount) {
                return Some(format!("order {id} was to cost {:?}, and is {order:?}", payable.get(&number)));
            }
            (!way.may_end(&statuses.order, &statuses.payment))
                .then(|| format!("order {id} ({way:?}) stands at {order:?}"))
        })
    }
}

struct Customer {
    shop: Patient,
    provider: Patient,
}

impl Customer {
    /// What the order costs.
    async fn go(&mut self, number: u64, way: Way, skus: u32) -> Result<u64, Failure> {
        let mut request = Vec::new();
        order::request_paid(number, Choice::Uniform(skus), way.pay_by(), &mut request);
        let (status, body) = self.shop.ask(&request).await?;
        let text = String::from_utf8_lossy(&body);
        let wrong = || Failure::words(format!("order {number} was answered with {status}: {text}"));
        let answer: Value = serde_json::from_slice(&body)?;
        let payable = answer["payable"]["amount"].as_u64().filter(|_| status == 200).ok_or_else(wrong)?;
        let pay_url = answer["pay_url"].as_str();
        let page = pay_url.and_then(|url| url.split("/pay/").nth(1)).map(|id| format!("POST /pay/{id}"));
        let page = || page.clone().ok_or_else(wrong);
        match way {
            Way::Keep => {}
            Way::Stop => self.stop(number).await?,
            Way::Pay => self.pay(&page()?, "ok").await?,
            Way::PayAndStop => {
                self.pay(&page()?, "ok").await?;
                self.until_paid(number).await?;
                self.stop(number).await?;
            }
            Way::DeclineAndCancel => {
                self.pay(&page()?, "decline").await?;
                self.trade(number, "cancel-order", &cancel(number), &[200]).await?;
            }
            Way::Cancel => self.trade(number, "cancel-order", &cancel(number), &[200]).await?,
            Way::PayAndCancel => self.pay_and_cancel(number, &page()?).await?,
        }
        Ok(payable)
    }

    /// Either may come first; a payment that was voided and an order that is paid say no.
    async fn pay_and_cancel(&mut self, number: u64, page: &str) -> Result<(), Failure> {
        let Self { shop, provider } = self;
        let body = cancel(number);
        let paying = provider.ask_json(page, None, number, r#"{"card":"ok"}"#);
        let cancelling = trade(shop, number, "cancel-order", &body, &[200, 422]);
        let ((status, said), ()) = tokio::try_join!(paying, cancelling)?;
        match status {
            200 | 409 => Ok(()),
            _ => Err(Failure::words(format!("order {number}: the provider answered {status}: {said}"))),
        }
    }

    async fn pay(&mut self, page: &str, card: &str) -> Result<(), Failure> {
        let sent_before = self.provider.repeats;
        let (status, said) =
            self.provider.ask_json(page, None, 0, &format!(r#"{{"card":"{card}"}}"#)).await?;
        let was_taken = self.provider.repeats > sent_before && said["payment_status"] == "captured";
        match status {
            200 => Ok(()),
            // The page knows no idempotency keys: whose first answer was lost is told so.
            409 if was_taken => Ok(()),
            _ => Err(Failure::words(format!("{page}: the provider answered {status}: {said}"))),
        }
    }

    async fn until_paid(&mut self, number: u64) -> Result<(), Failure> {
        let began = Stopwatch::start();
        let (id, who) = (order::id(number), order::customer(number));
        let line = format!("GET /v1/{TENANT}/{LINE}/read/order/get?order_id={id}");
        loop {
            let (_, said) = self.shop.ask_json(&line, Some(&who), 0, "").await?;
            if said["summary"]["statuses"]["payment"] == "paid" {
                return Ok(());
            }
            if began.passed() > PAID_WITHIN {
                return Err(Failure::words(format!("the money of order {id} has not come: {said}")));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn stop(&mut self, number: u64) -> Result<(), Failure> {
        let id = order::id(number);
        let body = format!(
            r#"{{"rma_id":"r-{id}","order_id":"{id}","currency":"{CURRENCY}","kind":"before_shipping"}}"#
        );
        self.trade(number, "return-and-refund", &body, &[200]).await
    }

    async fn trade(&mut self, number: u64, flow: &str, body: &str, may: &[u16]) -> Result<(), Failure> {
        trade(&mut self.shop, number, flow, body, may).await
    }
}

fn cancel(number: u64) -> String {
    format!(r#"{{"order_id":"{}"}}"#, order::id(number))
}

async fn trade(shop: &mut Patient, number: u64, flow: &str, body: &str, may: &[u16]) -> Result<(), Failure> {
    let line = format!("POST /v1/{TENANT}/{LINE}/trades/{flow}");
    let (status, said) = shop.ask_json(&line, Some(&order::customer(number)), number, body).await?;
    match may.contains(&status) {
        true => Ok(()),
        false => Err(Failure::words(format!("{flow} of order {number} was answered with {status}: {said}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_drawn_as_often_as_they_are_to_be() {
        assert_eq!(WAYS.iter().map(|(_, often)| often).sum::<u64>(), 100);
        let mut drawn = BTreeMap::new();
        for number in 0..10_000 {
            *drawn.entry(Way::of(3, number)).or_insert(0_u64) += 1;
        }
        for (way, often) in WAYS {
            assert!(drawn[&way].abs_diff(often * 100) < 150, "{way:?}: {drawn:?}");
        }
    }

    #[test]
    fn an_order_that_ends_elsewhere_than_its_way_is_odd() {
        assert!(Way::PayAndStop.may_end("cancelled", "refunded"));
        assert!(!Way::PayAndStop.may_end("cancelled", "paid"), "the money was kept");
        assert!(!Way::Cancel.may_end("open", "due"), "it is stuck");
        assert!(Way::PayAndCancel.may_end("open", "paid") && !Way::PayAndCancel.may_end("open", "due"));
    }
}
