//! The SQL of campaigns, their allotments and their groups: loaded and saved for a whole batch. It decides nothing.

mod groups;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mortise_store::{Reader, Statement, StoreError, Tx};
use mortise_types::{ArithmeticError, CampaignId, CustomerId, Quantity, Sku, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

pub(crate) use groups::{GroupKey, Groups, SeatKey, check_groups, open_groups, seats_of};

use crate::contract::Campaign;

const CAMPAIGN: Statement = Statement::pair(
    "campaign.campaign",
    "SELECT line, version, document FROM campaign_campaign WHERE tenant = ?1 AND campaign = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, campaign, n)
     CROSS JOIN LATERAL (
       SELECT line, version, document FROM campaign_campaign
       WHERE tenant = item.tenant AND campaign = item.campaign) AS found",
);
const DEFINE: Statement = Statement::pair(
    "campaign.define",
    "INSERT INTO campaign_campaign (tenant, campaign, line, version, document) VALUES (?1, ?2, ?3, ?4, ?5) \
     ON CONFLICT (tenant, campaign) DO UPDATE SET line = excluded.line, version = excluded.version, \
     document = excluded.document",
    "INSERT INTO campaign_campaign (tenant, campaign, line, version, document)
     SELECT * FROM unnest($1, $2, $3, $4, $5) ORDER BY 1, 2
     ON CONFLICT (tenant, campaign)
       DO UPDATE SET line = excluded.line, version = excluded.version, document = excluded.document",
);
const GIVEN: Statement = Statement::pair(
    "campaign.given",
    "SELECT units FROM campaign_given WHERE tenant = ?1 AND campaign = ?2 AND sku = ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, campaign, sku, n)
     CROSS JOIN LATERAL (
       SELECT units FROM campaign_given
       WHERE tenant = item.tenant AND campaign = item.campaign AND sku = item.sku) AS found",
);
/// Differences, not figures: what another writer gave out meanwhile is not lost.
const GIVE: Statement = Statement::pair(
    "campaign.give",
    "INSERT INTO campaign_given (tenant, campaign, sku, units) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (tenant, campaign, sku) DO UPDATE SET units = campaign_given.units + excluded.units",
    "INSERT INTO campaign_given (tenant, campaign, sku, units)
     SELECT * FROM unnest($1, $2, $3, $4) ORDER BY 1, 2, 3
     ON CONFLICT (tenant, campaign, sku) DO UPDATE SET units = campaign_given.units + excluded.units",
);
const TAKE_AWAY: Statement = Statement::pair(
    "campaign.take_away",
    "UPDATE campaign_given SET units = units - ?4 WHERE tenant = ?1 AND campaign = ?2 AND sku = ?3",
    "UPDATE campaign_given t SET units = t.units - item.units
     FROM (
       SELECT item.* FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, campaign, sku, units, n)
       JOIN campaign_given g ON g.tenant = item.tenant AND g.campaign = item.campaign AND g.sku = item.sku
       ORDER BY g.tenant, g.campaign, g.sku FOR UPDATE OF g) AS item
     WHERE t.tenant = item.tenant AND t.campaign = item.campaign AND t.sku = item.sku
     RETURNING item.n",
);
const GIVEN_TO: Statement = Statement::pair(
    "campaign.given_to",
    "SELECT units FROM campaign_given_to WHERE tenant = ?1 AND campaign = ?2 AND customer_id = ?3 AND sku = ?4",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, campaign, customer_id, sku, n)
     CROSS JOIN LATERAL (
       SELECT units FROM campaign_given_to
       WHERE tenant = item.tenant AND campaign = item.campaign AND customer_id = item.customer_id
         AND sku = item.sku) AS found",
);
const GIVE_TO: Statement = Statement::pair(
    "campaign.give_to",
    "INSERT INTO campaign_given_to (tenant, campaign, customer_id, sku, units) VALUES (?1, ?2, ?3, ?4, ?5) \
     ON CONFLICT (tenant, campaign, customer_id, sku) DO UPDATE \
     SET units = campaign_given_to.units + excluded.units",
    "INSERT INTO campaign_given_to (tenant, campaign, customer_id, sku, units)
     SELECT * FROM unnest($1, $2, $3, $4, $5) ORDER BY 1, 2, 3, 4
     ON CONFLICT (tenant, campaign, customer_id, sku)
       DO UPDATE SET units = campaign_given_to.units + excluded.units",
);
const TAKE_AWAY_FROM: Statement = Statement::pair(
    "campaign.take_away_from",
    "UPDATE campaign_given_to SET units = units - ?5 \
     WHERE tenant = ?1 AND campaign = ?2 AND customer_id = ?3 AND sku = ?4",
    "UPDATE campaign_given_to t SET units = t.units - item.units
     FROM (
       SELECT item.* FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS item (tenant, campaign, customer_id, sku, units, n)
       JOIN campaign_given_to g ON g.tenant = item.tenant AND g.campaign = item.campaign
         AND g.customer_id = item.customer_id AND g.sku = item.sku
       ORDER BY g.tenant, g.campaign, g.customer_id, g.sku FOR UPDATE OF g) AS item
     WHERE t.tenant = item.tenant AND t.campaign = item.campaign AND t.customer_id = item.customer_id AND t.sku = item.sku
     RETURNING item.n",
);
const TAKING: Statement = Statement::pair(
    "campaign.taking",
    "SELECT customer_id, lines, state FROM campaign_taking WHERE tenant = ?1 AND holder = ?2 AND campaign = ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, holder, campaign, n)
     CROSS JOIN LATERAL (
       SELECT customer_id, lines, state FROM campaign_taking
       WHERE tenant = item.tenant AND holder = item.holder AND campaign = item.campaign) AS found",
);
const NEW_TAKING: Statement = Statement::pair(
    "campaign.new_taking",
    "INSERT INTO campaign_taking (tenant, holder, campaign, customer_id, lines, state, taken_at, returned_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, 'open', ?6, NULL) ON CONFLICT (tenant, holder, campaign) DO UPDATE \
     SET customer_id = excluded.customer_id, lines = excluded.lines, state = 'open', taken_at = excluded.taken_at, \
     returned_at = NULL",
    "INSERT INTO campaign_taking (tenant, holder, campaign, customer_id, lines, state, taken_at, returned_at)
     SELECT DISTINCT ON (tenant, holder, campaign) tenant, holder, campaign, customer_id, lines, 'open',
       taken_at, NULL
     FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
       AS item (tenant, holder, campaign, customer_id, lines, taken_at, n)
     ORDER BY tenant, holder, campaign, n DESC
     ON CONFLICT (tenant, holder, campaign)
       DO UPDATE SET customer_id = excluded.customer_id, lines = excluded.lines, state = 'open',
         taken_at = excluded.taken_at, returned_at = NULL",
);
const RETURN_TAKING: Statement = Statement::pair(
    "campaign.return_taking",
    "UPDATE campaign_taking SET state = 'returned', returned_at = ?4 \
     WHERE tenant = ?1 AND holder = ?2 AND campaign = ?3",
    "UPDATE campaign_taking t SET state = 'returned', returned_at = item.returned_at
     FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, holder, campaign, returned_at, n)
     WHERE t.tenant = item.tenant AND t.holder = item.holder AND t.campaign = item.campaign
     RETURNING item.n",
);
/// A page of what is taken, behind a key.
const OPEN_TAKINGS: Statement = Statement::pair(
    "campaign.check_takings",
    "SELECT tenant, holder, campaign, customer_id, lines, state = 'open' FROM campaign_taking \
     WHERE (tenant, holder, campaign) > (?1, ?2, ?3) ORDER BY tenant, holder, campaign LIMIT 1000",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, holder, campaign, n)
     CROSS JOIN LATERAL (
       SELECT tenant, holder, campaign, customer_id, lines, state = 'open' FROM campaign_taking
       WHERE (tenant, holder, campaign) > (item.tenant, item.holder, item.campaign)
       ORDER BY tenant, holder, campaign LIMIT 1000) AS found",
);
const ALL_GIVEN: Statement = Statement::pair(
    "campaign.check_given",
    "SELECT tenant, campaign, '', sku, units FROM campaign_given WHERE ?1 = 0 \
     UNION ALL SELECT tenant, campaign, customer_id, sku, units FROM campaign_given_to",
    "SELECT item.n, found.* FROM unnest($1) WITH ORDINALITY AS item (zero, n)
     CROSS JOIN LATERAL (
       SELECT tenant, campaign, '', sku, units FROM campaign_given
       WHERE item.zero = 0 UNION ALL SELECT tenant, campaign, customer_id, sku, units
         FROM campaign_given_to) AS found",
);

pub(crate) fn off(problem: impl std::fmt::Display) -> StoreError {
    StoreError::Value(format!("campaign: {problem}"))
}

pub(crate) fn arithmetic(error: ArithmeticError) -> StoreError {
    off(error)
}

/// A campaign within its tenant.
pub(crate) type CampaignKey = (TenantId, CampaignId);

/// A campaign as it stands in the database.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) line: String,
    pub(crate) version: i64,
    pub(crate) campaign: Campaign,
}

/// The campaigns at `keys`, each read once; those that are not there are left out.
pub(crate) async fn campaigns(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = CampaignKey>,
) -> Result<HashMap<CampaignKey, Stored>, StoreError> {
    let keys: BTreeSet<CampaignKey> = keys.into_iter().collect();
    let params = keys.iter().map(|(tenant, campaign)| (tenant, campaign));
    let rows: Vec<Option<(String, i64, String)>> = reader.fetch_optional(&CAMPAIGN, params).await?;
    let mut found = HashMap::with_capacity(keys.len());
    for (key, row) in keys.into_iter().zip(rows) {
        if let Some((line, version, document)) = row {
            let campaign = serde_json::from_str(&document).map_err(off)?;
            found.insert(key, Stored { line, version, campaign });
        }
    }
    Ok(found)
}

pub(crate) async fn define(
    tx: &mut Tx<'_>,
    defined: &BTreeMap<CampaignKey, Stored>,
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(defined.len());
    for ((tenant, id), stored) in defined {
        let document = serde_json::to_string(&stored.campaign).map_err(off)?;
        rows.push((tenant, id, stored.line.as_str(), stored.version, document));
    }
    tx.execute(&DEFINE, rows).await.map(drop)
}

/// A counter's place: an item of a campaign, for all or for one customer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CounterKey {
    pub(crate) tenant: TenantId,
    pub(crate) campaign: CampaignId,
    /// `None` for what went to all.
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) sku: Sku,
}

/// The counters that a batch touches: decided on in memory, one change a counter.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    counts: BTreeMap<CounterKey, (Quantity, Quantity)>,
}

impl Counters {
    pub(crate) async fn load(
        reader: &Reader<'_>,
        keys: impl IntoIterator<Item = CounterKey>,
    ) -> Result<Counters, StoreError> {
        let keys: BTreeSet<CounterKey> = keys.into_iter().collect();
        let (of_customers, of_all): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|key| key.customer_id.is_some());
        let params = of_all.iter().map(|key| (&key.tenant, &key.campaign, &key.sku));
        let mut found: Vec<Option<(Quantity,)>> = reader.fetch_optional(&GIVEN, params).await?;
        let params =
            of_customers.iter().map(|key| (&key.tenant, &key.campaign, key.customer_id.as_ref(), &key.sku));
        found.extend(reader.fetch_optional(&GIVEN_TO, params).await?);
        let units = found.into_iter().map(|row| row.map_or(Quantity::ZERO, |(units,)| units));
        let counts = of_all.into_iter().chain(of_customers).zip(units);
        Ok(Counters { counts: counts.map(|(key, units)| (key, (units, units))).collect() })
    }

    /// Units that were given out.
    pub(crate) fn given(&self, key: &CounterKey) -> Quantity {
        self.counts.get(key).map_or(Quantity::ZERO, |(now, _)| *now)
    }

    pub(crate) fn add(&mut self, key: CounterKey, units: Quantity) -> Result<(), StoreError> {
        let (now, _) = self.counts.entry(key).or_default();
        *now = now.checked_add(units).map_err(arithmetic)?;
        Ok(())
    }

    /// Writes the differences: one statement a counter, however many orders met there.
    pub(crate) async fn save(self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let mut moved = Vec::new();
        for (key, (now, before)) in self.counts {
            moved.push((key, now.checked_sub(before).map_err(arithmetic)?));
        }
        let part = |more: fn(i64) -> bool| moved.iter().filter(move |(_, by)| more(by.units()));
        let all = |(key, by): &(CounterKey, Quantity)| {
            key.customer_id.is_none().then(|| {
                (key.tenant.clone(), key.campaign.clone(), key.sku.clone(), Quantity(by.units().abs()))
            })
        };
        let one = |(key, by): &(CounterKey, Quantity)| {
            let customer_id = key.customer_id.clone()?;
            let units = Quantity(by.units().abs());
            Some((key.tenant.clone(), key.campaign.clone(), customer_id, key.sku.clone(), units))
        };
        tx.execute(&GIVE, part(|by| by > 0).filter_map(all)).await?;
        tx.execute(&GIVE_TO, part(|by| by > 0).filter_map(one)).await?;
        tx.execute(&TAKE_AWAY, part(|by| by < 0).filter_map(all)).await?;
        tx.execute(&TAKE_AWAY_FROM, part(|by| by < 0).filter_map(one)).await.map(drop)
    }
}

/// Units of an item that a holder has. Stored as `["sku", units, 1]`, or 0 where they do not count for the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TakenLine(pub(crate) Sku, pub(crate) Quantity, u8);

impl TakenLine {
    pub(crate) fn new(sku: Sku, units: Quantity, counted: Counted) -> TakenLine {
        TakenLine(sku, units, u8::from(counted == Counted::ForTheCustomerToo))
    }

    pub(crate) fn counts_for_the_customer(&self) -> bool {
        self.2 != 0
    }
}

/// For whom taken units count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    ForAll,
    ForTheCustomerToo,
}

/// Whether what was taken is still taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Open,
    Returned,
}

/// What a holder took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taking {
    pub(crate) customer_id: CustomerId,
    pub(crate) lines: Vec<TakenLine>,
    pub(crate) standing: Standing,
}

/// A holder's taking of a campaign, within its tenant.
pub(crate) type TakingKey = (TenantId, String, CampaignId);

/// The entries of the ledger at `keys`; those that are not there are left out.
pub(crate) async fn takings(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = TakingKey>,
) -> Result<HashMap<TakingKey, Taking>, StoreError> {
    let keys: BTreeSet<TakingKey> = keys.into_iter().collect();
    let params = keys.iter().map(|(tenant, holder, campaign)| (tenant, holder.as_str(), campaign));
    let rows: Vec<Option<(CustomerId, String, String)>> = reader.fetch_optional(&TAKING, params).await?;
    let mut found = HashMap::with_capacity(keys.len());
    for (key, row) in keys.into_iter().zip(rows) {
        let Some((customer_id, lines, state)) = row else { continue };
        let standing = if state == "open" { Standing::Open } else { Standing::Returned };
        let lines = serde_json::from_str(&lines).map_err(off)?;
        found.insert(key, Taking { customer_id, lines, standing });
    }
    Ok(found)
}

pub(crate) async fn insert_takings(
    tx: &mut Tx<'_>,
    new: &[(TakingKey, Taking, Timestamp)],
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(new.len());
    for ((tenant, holder, campaign), taking, now) in new {
        let lines = serde_json::to_string(&taking.lines).map_err(off)?;
        rows.push((tenant, holder.as_str(), campaign, &taking.customer_id, lines, *now));
    }
    tx.execute(&NEW_TAKING, rows).await.map(drop)
}

pub(crate) async fn return_takings(
    tx: &mut Tx<'_>,
    returned: &[(TakingKey, Timestamp)],
) -> Result<(), StoreError> {
    let rows =
        returned.iter().map(|((tenant, holder, campaign), now)| (tenant, holder.as_str(), campaign, *now));
    tx.execute(&RETURN_TAKING, rows).await.map(drop)
}

/// Counters that are not what the ledger adds up to: tenant, campaign, customer (empty for all), item, counted, added up.
pub(crate) async fn check_counters(
    reader: &Reader<'_>,
) -> Result<Vec<(String, String, String, String, i64, i64)>, StoreError> {
    type Place = (String, String, String, String);
    let mut counts: BTreeMap<Place, (i64, i64)> = BTreeMap::new();
    for (tenant, campaign, customer, sku, units) in
        reader.fetch_all::<(String, String, String, String, i64), _>(&ALL_GIVEN, (0_i64,)).await?
    {
        counts.entry((tenant, campaign, customer, sku)).or_default().0 += units;
    }
    let mut behind = (String::new(), String::new(), String::new());
    loop {
        let page: Vec<(String, String, String, String, String, bool)> =
            reader.fetch_all(&OPEN_TAKINGS, (&behind.0, &behind.1, &behind.2)).await?;
        let Some(last) = page.last() else { break };
        behind = (last.0.clone(), last.1.clone(), last.2.clone());
        for (tenant, _, campaign, customer, lines, open) in page {
            let lines: Vec<TakenLine> = serde_json::from_str(&lines).map_err(off)?;
            for line in lines.iter().filter(|_| open) {
                let place = |customer: &str| {
                    (tenant.clone(), campaign.clone(), customer.to_owned(), line.0.to_string())
                };
                counts.entry(place("")).or_default().1 += line.1.units();
                if line.counts_for_the_customer() {
                    counts.entry(place(&customer)).or_default().1 += line.1.units();
                }
            }
        }
    }
    let off = counts.into_iter().filter(|(_, (counted, added))| counted != added);
    Ok(off.map(|((t, c, u, s), (counted, added))| (t, c, u, s, counted, added)).collect())
}
