//! Sends many orders with so many callers at once, and keeps what each came to.
//! A caller places its next order when its last one is answered.

use std::time::Duration;

use futures::StreamExt;

use crate::client::{Client, Refusal};
use crate::measure::Stopwatch;
use crate::order::Order;

/// An order with what the platform said to it.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) order: Order,
    /// The payable amount in cents, or why there is none.
    pub(crate) payable: Result<i64, Refusal>,
    pub(crate) latency: Duration,
}

/// Places the orders and calls `done` after each.
pub(crate) async fn send(
    client: &Client,
    orders: Vec<Order>,
    callers: usize,
    done: impl Fn(),
) -> Vec<Answered> {
    let place = async |order: Order| {
        let watch = Stopwatch::start();
        let payable = client.place(&order).await;
        done();
        Answered { order, payable, latency: watch.elapsed() }
    };
    futures::stream::iter(orders).map(place).buffer_unordered(callers).collect().await
}
