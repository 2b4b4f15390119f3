//! A server that dies and is started again at the same address, so that callers and peers find it, and what staff read in it.
//! When it dies is a suite's decision.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::failure::Failure;
use crate::patient::Patient;
use crate::platform::{Platform, Server, Serving};
use crate::shop::{self, LINE, TENANT};
use crate::stopwatch::Stopwatch;

/// Orders of a page.
const PAGE: usize = 200;
/// Items whose stock is read at once.
const SHELF: u32 = 100;
/// For so long what is under way may take before something is stuck.
pub(super) const SETTLED_WITHIN: Duration = Duration::from_secs(120);
/// Between two looks.
pub(super) const LOOK: Duration = Duration::from_millis(200);

/// The server of a place.
pub(super) struct House<'a> {
    platform: &'a Platform,
    data: PathBuf,
    serving: Serving,
    server: Option<Server>,
    pub(super) address: SocketAddr,
}

impl<'a> House<'a> {
    pub(super) fn open(platform: &'a Platform, data: &Path, serving: Serving) -> Result<Self, Failure> {
        let server = platform.serve_as(data, &serving)?;
        let address = server.address;
        let serving = Serving { listen: Some(address), ..serving };
        Ok(Self { platform, data: data.to_owned(), serving, server: Some(server), address })
    }

    /// Ends the process as a power cut would, and starts the next one.
    pub(super) fn kill(&mut self) -> Result<(), Failure> {
        self.close();
        self.server = Some(self.platform.serve_as(&self.data, &self.serving)?);
        Ok(())
    }

    /// Ends the process, and starts one that dies at this point by itself; it may do so before it listens.
    pub(super) fn doom(&mut self, crash_at: String) {
        self.close();
        let serving = Serving { crash_at: Some(crash_at), ..self.serving.clone() };
        self.server = self.platform.serve_as(&self.data, &serving).ok();
    }

    /// Whether it has died by itself.
    pub(super) fn is_dead(&mut self) -> Result<bool, Failure> {
        self.server.as_mut().map_or(Ok(true), Server::has_ended)
    }

    pub(super) fn close(&mut self) {
        self.server = None;
    }
}

/// An order as the shop's staff see it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Order {
    pub(super) order_id: String,
    pub(super) payable: Money,
    pub(super) statuses: Statuses,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Money {
    pub(super) amount: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Statuses {
    pub(super) order: String,
    pub(super) payment: String,
}

/// All orders of the shop by their id.
///
/// # Errors
/// One that is there twice.
pub(super) async fn orders(address: SocketAddr) -> Result<BTreeMap<String, Order>, Failure> {
    let (mut staff, mut orders, mut cursor) = (Patient::new(address), BTreeMap::new(), String::new());
    loop {
        let line = format!("GET /v1/{TENANT}/{LINE}/read/order/list?limit={PAGE}{cursor}");
        let (status, page) = staff.ask_json(&line, None, 0, "").await?;
        if status != 200 {
            return Err(Failure::words(format!("{line} was answered with {status}: {page}")));
        }
        for order in Vec::<Order>::deserialize(&page["orders"])? {
            if let Some(twice) = orders.insert(order.order_id.clone(), order) {
                return Err(Failure::words(format!("order {} is there twice", twice.order_id)));
            }
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(orders),
        }
    }
}

/// Looks at all orders until none is `odd` any more.
///
/// # Errors
/// Those that still are after two minutes: they are stuck, or doubled, or lost.
pub(super) async fn settled(
    address: SocketAddr,
    odd: impl Fn(&BTreeMap<String, Order>) -> Option<String>,
) -> Result<BTreeMap<String, Order>, Failure> {
    let began = Stopwatch::start();
    loop {
        let orders = orders(address).await?;
        match odd(&orders) {
            None => return Ok(orders),
            Some(problem) if began.passed() > SETTLED_WITHIN => return Err(Failure::words(problem)),
            Some(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

/// Units that are promised to orders, of all `skus` items.
pub(super) async fn promised(address: SocketAddr, skus: u32) -> Result<u64, Failure> {
    let (mut staff, mut promised) = (Patient::new(address), 0);
    let all: Vec<u32> = (0..skus).collect();
    for some in all.chunks(SHELF as usize) {
        let names: Vec<String> = some.iter().map(|number| format!("skus={}", shop::sku(*number))).collect();
        let line = format!("GET /v1/{TENANT}/{LINE}/read/inventory/get_stock?{}", names.join("&"));
        let (status, shelf) = staff.ask_json(&line, None, 0, "").await?;
        let rows = shelf["rows"].as_array().filter(|rows| status == 200 && rows.len() == some.len());
        let rows =
            rows.ok_or_else(|| Failure::words(format!("{line} was answered with {status}: {shelf}")))?;
        for row in rows {
            promised += row["claimed"].as_u64().unwrap_or(0) + row["reserved"].as_u64().unwrap_or(0);
        }
    }
    Ok(promised)
}

/// That nothing waits for a person.
pub(super) async fn nobody_waits(address: SocketAddr) -> Result<(), Failure> {
    let line = format!("GET /v1/{TENANT}/{LINE}/attention");
    let (status, said) = Patient::new(address).ask_json(&line, None, 0, "").await?;
    match said["waiting"].as_array() {
        Some(waiting) if status == 200 && waiting.is_empty() => Ok(()),
        _ => Err(Failure::words(format!("trades wait for a person: {status} {said}"))),
    }
}
