//! Bidding on one auction: every caller is a bidder who bids more than the bid before, over HTTP, as fast as it is answered. Afterwards
//! the bids are read back from the platform and taken once more, one by one, by rules of this program's own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinSet;

use crate::client::Connection;
use crate::failure::Failure;
use crate::load::Load;
use crate::request::{ask, request};
use crate::shop::{self, CURRENCY, LINE, TENANT};
use crate::stopwatch::Stopwatch;

const AUCTION: &str = "the-one";
/// The least first bid, and the one step of the auction, in cents.
const START: u64 = 1_000;
const STEP: u64 = 100;
/// Each bid is so many steps above the one before: two that overtake each other on the way are refused no more often than in a room.
const STEPS: u64 = 10;
/// Bids that are read back at a time.
const PAGE: usize = 500;
/// Where lots go.
const SHIP_TO: &str = r#"{"name":"Ada Lovelace","street":["Rosenweg 12"],"city":"Kassel","postal_code":"34117","country":"DE"}"#;

/// What callers saw.
#[derive(Debug, Default)]
pub(crate) struct Bidding {
    /// Bids that were decided, taken and refused ones.
    pub(crate) load: Load,
    /// Those that were taken, by position.
    pub(crate) taken: BTreeMap<u64, Seen>,
}

/// A bid that was taken, as its bidder knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    bidder: String,
    amount: u64,
    price: u64,
    leading: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Money {
    amount: u64,
}

/// The answer to a bid that was taken.
#[derive(Debug, Deserialize)]
struct Placed {
    bid: u64,
    leading: bool,
    price: Money,
}

/// A bid as the platform tells it to the shop's staff.
#[derive(Debug, Deserialize)]
struct Told {
    position: u64,
    customer_id: String,
    paddle: u64,
    amount: Money,
    price: Money,
    leading: u64,
}

fn bidder(caller: u32) -> String {
    format!("bidder-{caller}")
}

/// Opens the auction and admits the callers to it.
///
/// # Errors
/// An answer that is not 200.
pub(crate) async fn open(address: SocketAddr, callers: u32) -> Result<(), Failure> {
    let mut connection = Connection::open(address).await?;
    let money = |amount: u64| json!({ "amount": amount, "currency": CURRENCY });
    let auction = json!({
        "auction_id": AUCTION,
        "currency": CURRENCY,
        "lot": { "title": "the one", "sku": shop::sku(0), "quantity": 1 },
        "terms": {
            "starting_price": money(START),
            "lasts_s": 86_400,
            "increments": [{ "from": money(0), "step": money(STEP) }],
        },
    });
    ask(&mut connection, &format!("POST /v1/{TENANT}/{LINE}/trades/auction"), None, &auction.to_string())
        .await?;
    for caller in 0..callers {
        let name = bidder(caller);
        let body = format!(
            r#"{{"auction_id":"{AUCTION}","currency":"{CURRENCY}","ship_to":{}}}"#,
            SHIP_TO.replace("Ada Lovelace", &name)
        );
        let line = format!("POST /v1/{TENANT}/{LINE}/trades/auction-register");
        let mut sent = Vec::new();
        request(&line, Some(&name), (1 << 50) + u64::from(caller), &body, &mut sent);
        let answer = connection.exchange(&sent).await?;
        if answer.status != 200 {
            let said = String::from_utf8_lossy(answer.body);
            return Err(Failure::words(format!("{name} was not admitted: {} {said}", answer.status)));
        }
    }
    Ok(())
}

/// Bids for so long.
///
/// # Errors
/// The first bid that is neither taken nor refused for being too low.
pub(crate) async fn run(
    address: SocketAddr,
    callers: u32,
    time: Duration,
    numbers: &Arc<AtomicU64>,
) -> Result<Bidding, Failure> {
    let mut connections = Vec::new();
    for _ in 0..callers {
        connections.push(Connection::open(address).await?);
    }
    let began = Stopwatch::start();
    let mut all = JoinSet::new();
    for (caller, connection) in (0..callers).zip(connections) {
        all.spawn(bid(connection, caller, time, began, Arc::clone(numbers)));
    }
    let mut bidding = Bidding::default();
    while let Some(ended) = all.join_next().await {
        let one = ended.map_err(|error| Failure::words(format!("a bidder: {error}")))??;
        bidding.load.latencies_us.extend(one.load.latencies_us);
        bidding.load.took = bidding.load.took.max(one.load.took);
        for (position, seen) in one.taken {
            if let Some(other) = bidding.taken.insert(position, seen) {
                return Err(Failure::words(format!("two bids were answered with {position}: {other:?}")));
            }
        }
    }
    bidding.load.latencies_us.sort_unstable();
    Ok(bidding)
}

async fn bid(
    mut connection: Connection,
    caller: u32,
    time: Duration,
    began: Stopwatch,
    numbers: Arc<AtomicU64>,
) -> Result<Bidding, Failure> {
    let line = format!("POST /v1/{TENANT}/{LINE}/trades/auction-bid");
    let (mut bidding, mut sent, bidder) = (Bidding::default(), Vec::new(), bidder(caller));
    while began.passed() < time {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let amount = START + number * STEP * STEPS;
        let body = format!(
            r#"{{"auction_id":"{AUCTION}","currency":"{CURRENCY}","bid":{{"amount":{{"amount":{amount},"currency":"{CURRENCY}"}}}}}}"#
        );
        request(&line, Some(&bidder), number, &body, &mut sent);
        let asked = Stopwatch::start();
        let answer = connection.exchange(&sent).await?;
        match answer.status {
            200 => {
                let Placed { bid, leading, price } = serde_json::from_slice(answer.body)?;
                let bidder = bidder.clone();
                bidding.taken.insert(bid, Seen { bidder, amount, price: price.amount, leading });
            }
            status => refused_as_too_low(status, answer.body)?,
        }
        bidding.load.latencies_us.push(u32::try_from(asked.passed().as_micros()).unwrap_or(u32::MAX));
        bidding.load.took = began.passed();
    }
    Ok(bidding)
}

/// Two bids that were sent at once may overtake each other; then the lower one is refused.
fn refused_as_too_low(status: u16, body: &[u8]) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(body);
    let low = ["\"bid_too_low\"", "\"below_own_maximum\""].iter().any(|reason| text.contains(reason));
    match status == 422 && low {
        true => Ok(()),
        false => Err(Failure::words(format!("a bid was answered with {status}: {text}"))),
    }
}

/// Reads all bids back and holds them against what callers saw and against the rules.
///
/// # Errors
/// A bid that is lost, one that nobody placed, an auction that stands elsewhere than its bids lead.
pub(crate) async fn hold(address: SocketAddr, seen: &BTreeMap<u64, Seen>) -> Result<(), Failure> {
    let mut connection = Connection::open(address).await?;
    let mut told: Vec<Told> = Vec::new();
    loop {
        let after = told.last().map_or(0, |bid| bid.position);
        let line = format!(
            "GET /v1/{TENANT}/{LINE}/read/auction/bids?auction_id={AUCTION}&after={after}&limit={PAGE}"
        );
        let page = ask(&mut connection, &line, None, "").await?;
        let page: Vec<Told> = serde_json::from_value(page["entries"].clone())?;
        let last = page.len() < PAGE;
        told.extend(page);
        if last {
            break;
        }
    }
    same(&told, seen)?;
    let stands = replay(&told)?;
    let line = format!("GET /v1/{TENANT}/{LINE}/read/auction/get?auction_id={AUCTION}");
    let view = ask(&mut connection, &line, None, "").await?;
    let summary = &view["summary"];
    let says = (summary["leading"].as_u64(), summary["price"]["amount"].as_u64(), summary["bids"].as_u64());
    match stands == says {
        true => Ok(()),
        false => Err(Failure::words(format!(
            "leader, price and number of bids are {says:?}; the bids one by one come to {stands:?}"
        ))),
    }
}

/// Whether what was answered to bidders is what is there: no bid lost, none twice, none that nobody placed.
fn same(told: &[Told], seen: &BTreeMap<u64, Seen>) -> Result<(), Failure> {
    let there = told.iter().map(|bid| {
        let (bidder, leading) = (bid.customer_id.clone(), bid.leading == bid.paddle);
        (bid.position, Seen { bidder, amount: bid.amount.amount, price: bid.price.amount, leading })
    });
    let there: BTreeMap<u64, Seen> = there.collect();
    if told.len() == seen.len() && there == *seen {
        return Ok(());
    }
    let odd = seen.iter().find(|(position, bid)| there.get(position) != Some(bid));
    Err(Failure::words(format!(
        "{} bids were answered and {} are there; the first that differs: {odd:?}",
        seen.len(),
        told.len()
    )))
}

/// The auction of these bids, taken one after the other: who leads, the price, how many.
type Stands = (Option<u64>, Option<u64>, Option<u64>);

fn replay(told: &[Told]) -> Result<Stands, Failure> {
    // Who leads, up to how much, and the price.
    let mut lead: Option<(u64, u64, u64)> = None;
    for bid in told {
        let amount = bid.amount.amount;
        let next = match lead {
            None if amount >= START => (bid.paddle, amount, amount),
            Some((leader, most, price)) if leader == bid.paddle && amount > most => (leader, amount, price),
            Some((leader, most, price)) if leader != bid.paddle && amount >= price + STEP => {
                if amount > most {
                    (bid.paddle, amount, amount)
                } else {
                    (leader, most, most.min(amount + STEP))
                }
            }
            _ => return Err(Failure::words(format!("{bid:?} was taken, and is too low behind {lead:?}"))),
        };
        if (bid.leading, bid.price.amount) != (next.0, next.2) {
            return Err(Failure::words(format!("{bid:?}: one by one it comes to {next:?}")));
        }
        lead = Some(next);
    }
    let bids = told.len() as u64;
    Ok((lead.map(|(leader, ..)| leader), lead.map(|(.., price)| price), Some(bids)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bids: &[(u64, u64, u64, u64)]) -> Vec<Told> {
        let bid = |(position, (paddle, amount, price, leading)): (u64, &(u64, u64, u64, u64))| Told {
            position,
            customer_id: format!("bidder-{paddle}"),
            paddle: *paddle,
            amount: Money { amount: *amount },
            price: Money { amount: *price },
            leading: *leading,
        };
        (2..).zip(bids).map(bid).collect()
    }

    #[test]
    fn bids_one_by_one_come_to_a_leader_and_a_price() {
        let bids =
            told(&[(1, 1_000, 1_000, 1), (1, 3_000, 1_000, 1), (2, 2_000, 2_100, 1), (2, 4_000, 4_000, 2)]);
        assert_eq!(replay(&bids).unwrap(), (Some(2), Some(4_000), Some(4)));
        assert!(replay(&told(&[(1, 999, 999, 1)])).is_err(), "below the starting price");
        assert!(replay(&told(&[(1, 1_000, 1_000, 1), (2, 1_000, 1_000, 1)])).is_err(), "an equal bid");
        assert!(replay(&told(&[(1, 1_000, 1_100, 1)])).is_err(), "another price");
    }

    #[test]
    fn a_bid_that_is_lost_or_nobodys_is_found() {
        let bids = told(&[(1, 1_000, 1_000, 1), (2, 2_000, 2_000, 2)]);
        let seen = |amount| Seen { bidder: "bidder-1".into(), amount, price: amount, leading: true };
        let second = Seen { bidder: "bidder-2".into(), amount: 2_000, price: 2_000, leading: true };
        let mut all = BTreeMap::from([(2, seen(1_000)), (3, second)]);
        assert!(same(&bids, &all).is_ok());
        assert!(same(&bids[..1], &all).is_err(), "one is lost");
        all.insert(2, seen(1_001));
        assert!(same(&bids, &all).is_err(), "another amount");
        all.remove(&2);
        assert!(same(&bids, &all).is_err(), "one that nobody placed");
    }

    #[test]
    fn only_a_bid_that_is_too_low_may_be_refused() {
        assert!(refused_as_too_low(422, br#"{"reason":"bid_too_low"}"#).is_ok());
        assert!(refused_as_too_low(422, br#"{"reason":"auction_closed"}"#).is_err());
        assert!(refused_as_too_low(503, br#"{"reason":"bid_too_low"}"#).is_err());
    }
}
