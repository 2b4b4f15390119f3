//! What holds in every committed state of the auctions: they stand where their bids lead, one offer of each is open or paid at
//! most, and no deposit stays undecided when an auction is over.

use futures::future::LocalBoxFuture;
use mortise_capability::{Check, Finding, StoreError};
use mortise_store::{Reader, Statement};
use mortise_types::{Amount, AuctionId, TenantId};

use crate::rules::sale::replay;
use crate::store::{self, LotKey};

const MOST: usize = 100;
const PAGE: i64 = 1_000;

const KEYS: Statement = Statement::pair(
    "auction.check_keys",
    "SELECT tenant, auction_id FROM auction_lot WHERE (tenant, auction_id) > (?1, ?2)
     ORDER BY tenant, auction_id LIMIT ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, auction_id, most, n)
     CROSS JOIN LATERAL (
       SELECT tenant, auction_id FROM auction_lot WHERE (tenant, auction_id) > (item.tenant, item.auction_id)
       ORDER BY tenant, auction_id LIMIT item.most) AS found",
);
/// The timeline has no gap and no entry twice.
const POSITIONS: Statement = Statement::pair(
    "auction.check_positions",
    "SELECT count(*), coalesce(min(position), 0), coalesce(max(position), 0), count(DISTINCT position)
     FROM (SELECT position FROM auction_bid WHERE tenant = ?1 AND auction_id = ?2
           UNION ALL
           SELECT position FROM auction_entry WHERE tenant = ?1 AND auction_id = ?2) told",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, auction_id, n)
     CROSS JOIN LATERAL (
       SELECT count(*), coalesce(min(position), 0), coalesce(max(position), 0), count(DISTINCT position)
       FROM (SELECT position FROM auction_bid WHERE tenant = item.tenant AND auction_id = item.auction_id
       UNION ALL
       SELECT position FROM auction_entry WHERE tenant = item.tenant
         AND auction_id = item.auction_id) told) AS found",
);
/// An awarded auction has its latest offer open, a sold one has it paid, and nothing else is open or paid.
const OFFERS: Statement = Statement::both(
    "auction.check_offers",
    "SELECT l.tenant, l.auction_id, l.state, l.offer, coalesce(o.state, 'none'), coalesce(n.open, 0)
     FROM auction_lot l
     LEFT JOIN auction_offer o ON o.tenant = l.tenant AND o.auction_id = l.auction_id AND o.offer = l.offer
     LEFT JOIN (SELECT tenant, auction_id, count(*) AS open FROM auction_offer
                WHERE state IN ('awarded', 'paid') GROUP BY tenant, auction_id) n
       ON n.tenant = l.tenant AND n.auction_id = l.auction_id
     WHERE coalesce(n.open, 0) <> CASE WHEN l.state IN ('awarded', 'sold') THEN 1 ELSE 0 END
        OR (l.state = 'awarded' AND coalesce(o.state, 'none') <> 'awarded')
        OR (l.state = 'sold' AND coalesce(o.state, 'none') <> 'paid')
     LIMIT 100",
);
/// What was offered lies between what the lot is sold for at least and what its bidder bid at most.
const PRICES: Statement = Statement::both(
    "auction.check_prices",
    "SELECT o.tenant, o.auction_id, o.offer, o.price, coalesce(b.maximum, 0)
     FROM auction_offer o
     LEFT JOIN (SELECT tenant, auction_id, customer_id, max(maximum) AS maximum FROM auction_bid
                GROUP BY tenant, auction_id, customer_id) b
       ON b.tenant = o.tenant AND b.auction_id = o.auction_id AND b.customer_id = o.customer_id
     WHERE o.price > coalesce(b.maximum, 0)
     LIMIT 100",
);
const UNDECIDED: Statement = Statement::both(
    "auction.check_undecided",
    "SELECT b.tenant, b.auction_id, b.customer_id, l.state
     FROM auction_bidder b JOIN auction_lot l ON l.tenant = b.tenant AND l.auction_id = b.auction_id
     WHERE b.deposit_state = 'held' AND l.state IN ('sold', 'unsold', 'cancelled')
     LIMIT 100",
);

/// Each auction stands where the fold of its bids leads, and its timeline has no gap.
pub(crate) const STANDINGS: Check = Check { name: "standings", run: standings };
/// A lot is offered to one bidder at a time, and for no more than that bidder bid.
pub(crate) const SALES: Check = Check { name: "sales", run: sales };
/// When an auction is over, it is decided what becomes of every deposit.
pub(crate) const DEPOSITS: Check = Check { name: "deposits", run: deposits };

type Found<'a> = LocalBoxFuture<'a, Result<Vec<Finding>, StoreError>>;

fn standings<'a>(reader: &'a Reader<'a>) -> Found<'a> {
    Box::pin(async move {
        let (mut findings, mut after) = (Vec::new(), (String::new(), String::new()));
        while findings.len() < MOST {
            let keys: Vec<LotKey> = reader.fetch_all(&KEYS, (&after.0, &after.1, PAGE)).await?;
            let Some((tenant, auction)) = keys.last() else { break };
            after = (tenant.to_string(), auction.to_string());
            for key in &keys {
                findings.extend(problem_of(reader, key).await?.map(|problem| finding(key, problem)));
            }
        }
        findings.truncate(MOST);
        Ok(findings)
    })
}

fn finding((tenant, auction): &LotKey, problem: String) -> Finding {
    Finding { subject: format!("{tenant}: auction {auction}"), problem }
}

async fn problem_of(reader: &Reader<'_>, key: &LotKey) -> Result<Option<String>, StoreError> {
    let Some(lot) = store::load_lots(reader, [key.clone()]).await?.remove(key) else { return Ok(None) };
    let bids = store::all_bids(reader, key).await?;
    let mut folded = replay(&lot.rules, bids.iter());
    // Behind the last bid only the timeline goes on.
    let last = folded.position;
    folded.position = lot.standing.position;
    if folded != lot.standing {
        let (stands, leads) = (say(&lot.standing), say(&folded));
        return Ok(Some(format!("it stands at {stands}, its {} bids lead to {leads}", bids.len())));
    }
    let rows: Vec<(i64, i64, i64, i64)> = reader.fetch_all(&POSITIONS, (&key.0, &key.1)).await?;
    let whole = (lot.standing.position, 1, lot.standing.position, lot.standing.position);
    Ok(match rows.first() {
        Some(told) if *told == whole && last <= lot.standing.position => None,
        told => Some(format!(
            "its timeline is at position {}, which these entries, from, up to, different ones tell: {told:?}",
            lot.standing.position
        )),
    })
}

fn say(standing: &crate::rules::Standing) -> String {
    let lead = standing.lead.as_ref().map_or_else(
        || "no bid".to_owned(),
        |(leader, price)| format!("{price} of {} up to {}", leader.bidder.customer_id, leader.maximum),
    );
    format!("{lead}, closing {} after {} extensions", standing.closes_at, standing.extensions)
}

fn sales<'a>(reader: &'a Reader<'a>) -> Found<'a> {
    Box::pin(async move {
        type Offer = (TenantId, AuctionId, String, i64, String, i64);
        let offers: Vec<Offer> = reader.fetch_all(&OFFERS, ()).await?;
        let mut findings: Vec<Finding> = offers
            .into_iter()
            .map(|(tenant, auction, state, offer, latest, open)| {
                let problem = format!(
                    "it is {state}, its latest offer ({offer}) is {latest}, and {open} offers are open or paid"
                );
                finding(&(tenant, auction), problem)
            })
            .collect();
        let prices: Vec<(TenantId, AuctionId, i64, Amount, Amount)> = reader.fetch_all(&PRICES, ()).await?;
        findings.extend(prices.into_iter().map(|(tenant, auction, offer, price, maximum)| {
            let problem = format!("offer {offer} is at {price}, its bidder bid {maximum} at most");
            finding(&(tenant, auction), problem)
        }));
        findings.truncate(MOST);
        Ok(findings)
    })
}

fn deposits<'a>(reader: &'a Reader<'a>) -> Found<'a> {
    Box::pin(async move {
        let rows: Vec<(TenantId, AuctionId, String, String)> = reader.fetch_all(&UNDECIDED, ()).await?;
        let said = |(tenant, auction, customer, state): (TenantId, AuctionId, String, String)| {
            finding(&(tenant, auction), format!("it is {state}, and the deposit of {customer} is undecided"))
        };
        Ok(rows.into_iter().map(said).collect())
    })
}
