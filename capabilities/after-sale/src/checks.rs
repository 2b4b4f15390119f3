//! What holds in every committed state: a sale's account is what its returns add up to, and nothing comes back or is
//! granted beyond what was bought and paid.

use std::collections::BTreeMap;

use futures::future::LocalBoxFuture;
use mortise_capability::{Check, Finding, StoreError};
use mortise_store::Reader;
use mortise_types::{Amount, LineId, Quantity, Timestamp};

use crate::contract::RmaState;
use crate::rules::{Account, Rma, Sale, Units};
use crate::store::{self, SaleRow};

const MOST: usize = 100;
const PAGE: i64 = 500;

/// The accounts of sales are what their returns add up to.
pub(crate) const ACCOUNTS: Check = Check { name: "returns", run: accounts };

fn accounts<'a>(reader: &'a Reader<'a>) -> LocalBoxFuture<'a, Result<Vec<Finding>, StoreError>> {
    Box::pin(async move {
        let mut findings = Vec::new();
        let mut after = (String::new(), String::new(), Timestamp::MIN);
        while findings.len() < MOST {
            let rows = store::sales_behind(reader, (&after.0, &after.1, after.2), PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = (last.0.as_str().to_owned(), last.1.as_str().to_owned(), last.2);
            for row in &rows {
                let rmas = store::rmas_of(reader, &row.0, &row.1).await?;
                let own: Vec<&Rma> = rmas.iter().filter(|rma| rma.placed_at == row.2).collect();
                let subject = format!("{}: order {}", row.0, row.1);
                let problems = problems(row, &own)?;
                findings.extend(
                    problems.into_iter().map(|problem| Finding { subject: subject.clone(), problem }),
                );
            }
        }
        findings.truncate(MOST);
        Ok(findings)
    })
}

fn problems(row: &SaleRow, rmas: &[&Rma]) -> Result<Vec<String>, StoreError> {
    let (sale, account): (Sale, Account) = match (store::read(&row.4), store::read(&row.5)) {
        (Ok(sale), Ok(account)) => (sale, account),
        (Err(error), _) | (_, Err(error)) => return Ok(vec![format!("it cannot be read: {error}")]),
    };
    let mut problems = Vec::new();
    let granted = rmas.iter().filter(|rma| matches!(rma.state, RmaState::Inspected | RmaState::Settled));
    let granted = Amount::sum(granted.map(|rma| rma.document.entitlement.gross)).map_err(store::off)?;
    if granted != account.granted || row.3 != account.granted {
        problems.push(format!(
            "{} is granted on its account, {} beside it; its returns were granted {granted}",
            account.granted, row.3
        ));
    }
    if account.granted > account.captured || account.granted > sale.proof.payable {
        problems.push(format!(
            "{} is granted of {} captured and {} paid",
            account.granted, account.captured, sale.proof.payable
        ));
    }
    for line in &sale.proof.lines {
        let stated = account.units(&line.line_id);
        let told = units_of(rmas, &line.line_id)?;
        if (stated.held, stated.back) != (told.held, told.back) {
            problems.push(format!(
                "line {}: {} units are held and {} back on its account, by its returns {} and {}",
                line.line_id, stated.held, stated.back, told.held, told.back
            ));
        }
        let all = stated.held.checked_add(stated.back).map_err(store::off)?;
        if all > line.quantity || stated.stopped > stated.back {
            problems.push(format!("line {}: {all} units of {} come back", line.line_id, line.quantity));
        }
    }
    Ok(problems)
}

fn units_of(rmas: &[&Rma], line_id: &LineId) -> Result<Units, StoreError> {
    let mut sums: BTreeMap<bool, Quantity> = BTreeMap::new();
    for rma in rmas {
        let (holds, units) = if rma.holds() {
            (true, rma.asked(line_id)?)
        } else if matches!(rma.state, RmaState::Inspected | RmaState::Settled) {
            let own = rma.document.inspected.iter().filter(|line| line.line_id == *line_id);
            (false, Quantity::sum(own.map(|line| line.accepted)).map_err(store::off)?)
        } else {
            continue;
        };
        let sum = sums.entry(holds).or_default();
        *sum = sum.checked_add(units).map_err(store::off)?;
    }
    let of = |holds: bool| sums.get(&holds).copied().unwrap_or_default();
    Ok(Units { held: of(true), back: of(false), stopped: Quantity::ZERO })
}
