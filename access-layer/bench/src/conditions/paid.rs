//! Orders that are paid at the provider, over HTTP: each caller places one, pays it on the provider's page, and places the next; the
//! provider tells the shop. What counts is the money that has come.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::{Connection as Database, OpenFlags};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::client::Connection;
use crate::failure::Failure;
use crate::load::Numbers;
use crate::order::{self, Choice, PayBy};
use crate::request;
use crate::stopwatch::Stopwatch;

/// Between two looks at what is paid.
const LOOK: Duration = Duration::from_millis(10);
/// For so long money may be on its way behind the last order.
const LATEST: Duration = Duration::from_secs(60);

/// Places and pays for a time, and waits until all is paid: how many orders, and how long it took.
///
/// # Errors
/// An order or a payment that is refused, money that does not come.
pub(super) async fn run(
    (shop, provider): (SocketAddr, SocketAddr),
    database: &Path,
    callers: u32,
    time: Duration,
    choice: Choice,
    numbers: &Numbers,
) -> Result<(u64, Duration), Failure> {
    let began = Stopwatch::start();
    let mut all = JoinSet::new();
    for _ in 0..callers {
        let numbers = Numbers::clone(numbers);
        all.spawn(async move {
            let (mut shop, mut provider) = (Connection::open(shop).await?, Connection::open(provider).await?);
            while began.passed() < time {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                one(&mut shop, &mut provider, number, choice).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(ended) = all.join_next().await {
        ended.map_err(|error| Failure::words(format!("a customer: {error}")))??;
    }
    let placed = numbers.load(Ordering::Relaxed);
    let database = Database::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    loop {
        let paid: i64 = database.query_row(
            "SELECT count(*) FROM order_header WHERE payment_status = 'paid'",
            [],
            |row| row.get(0),
        )?;
        if paid.unsigned_abs() == placed {
            return Ok((placed, began.passed()));
        }
        if began.passed() > time + LATEST {
            return Err(Failure::words(format!("of {placed} orders {paid} are paid")));
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn one(
    shop: &mut Connection,
    provider: &mut Connection,
    number: u64,
    choice: Choice,
) -> Result<(), Failure> {
    let mut request = Vec::new();
    order::request_paid(number, choice, PayBy::Provider, &mut request);
    let answer = shop.exchange(&request).await?;
    let said = String::from_utf8_lossy(answer.body).into_owned();
    let wrong = || Failure::words(format!("order {number} was answered with {}: {said}", answer.status));
    let placed: Value = serde_json::from_str(&said).map_err(|_| wrong())?;
    let page = placed["pay_url"].as_str().and_then(|url| url.split("/pay/").nth(1)).ok_or_else(wrong)?;
    request::request(&format!("POST /pay/{page}"), None, number, r#"{"card":"ok"}"#, &mut request);
    let answer = provider.exchange(&request).await?;
    match answer.status {
        200 => Ok(()),
        status => {
            let said = String::from_utf8_lossy(answer.body);
            Err(Failure::words(format!("the payment of order {number} was answered with {status}: {said}")))
        }
    }
}
