//! What must hold in every committed state: what was given out is what the ledger adds up to, and a group's figures are
//! those of its seats.

use futures::future::{FutureExt, LocalBoxFuture};
use mortise_capability::{Check, Finding};
use mortise_store::{Reader, StoreError};

use crate::store::{check_counters, check_groups};

/// How many findings one check names.
const FINDINGS_MAX: usize = 100;

pub(crate) const ALLOTMENTS: Check = Check { name: "allotments", run: allotments };
pub(crate) const GROUPS: Check = Check { name: "groups", run: groups };

type Findings<'a> = LocalBoxFuture<'a, Result<Vec<Finding>, StoreError>>;

fn allotments<'a>(reader: &'a Reader<'a>) -> Findings<'a> {
    async move {
        let rows = check_counters(reader).await?.into_iter().take(FINDINGS_MAX);
        let finding = |(tenant, campaign, customer, sku, counted, added): (_, _, String, _, _, _)| {
            let whose = if customer.is_empty() { String::new() } else { format!(" for customer {customer}") };
            Finding {
                subject: format!("{tenant} campaign {campaign}, item {sku}{whose}"),
                problem: format!("{counted} units are counted as given, the ledger has {added}"),
            }
        };
        let rows: Vec<(String, String, String, String, i64, i64)> = rows.collect();
        Ok(rows.into_iter().map(finding).collect())
    }
    .boxed_local()
}

fn groups<'a>(reader: &'a Reader<'a>) -> Findings<'a> {
    async move {
        let rows = check_groups(reader).await?;
        let finding = |(tenant, group, problem): (String, String, String)| Finding {
            subject: format!("{tenant} group {group}"),
            problem,
        };
        Ok(rows.into_iter().map(finding).collect())
    }
    .boxed_local()
}
