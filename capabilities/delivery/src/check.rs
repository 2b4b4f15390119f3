//! What must hold in every committed state: a shipment stands where its way ends, that it was delivered was told if and
//! only if the way says so, and what carriers paid out adds up.

use futures::future::{FutureExt, LocalBoxFuture};
use mortise_capability::{Check, Finding};
use mortise_store::{Reader, StoreError};

use crate::store::{CHECK_REMITTANCES, CHECK_REMITTED, CHECK_TRACKING};

pub(crate) const TRACKING: Check = Check { name: "tracking", run: tracking };

pub(crate) const REMITTANCES: Check = Check { name: "remittances", run: remittances };

fn remittances<'a>(reader: &'a Reader<'a>) -> LocalBoxFuture<'a, Result<Vec<Finding>, StoreError>> {
    async move {
        let mut findings = Vec::new();
        type Row = (String, String, i64, i64, bool);
        for (tenant, shipment, remitted, added_up, known) in
            reader.fetch_all::<Row, _>(&CHECK_REMITTED, (0_i64,)).await?
        {
            let problem = if known {
                format!("{remitted} of it is paid out, its payouts come to {added_up}")
            } else {
                format!("a carrier paid {added_up} out for it, and nobody here has it")
            };
            findings.push(Finding { subject: format!("{tenant} shipment {shipment}"), problem });
        }
        for (tenant, remittance, amount, added_up) in
            reader.fetch_all::<(String, String, i64, i64), _>(&CHECK_REMITTANCES, (0_i64,)).await?
        {
            let problem = format!("it is {amount}, its parcels come to {added_up}");
            findings.push(Finding { subject: format!("{tenant} payout {remittance}"), problem });
        }
        Ok(findings)
    }
    .boxed_local()
}

fn tracking<'a>(reader: &'a Reader<'a>) -> LocalBoxFuture<'a, Result<Vec<Finding>, StoreError>> {
    async move {
        type Row = (String, String, String, i64, bool, i64, bool);
        let rows = reader.fetch_all::<Row, _>(&CHECK_TRACKING, (0_i64,)).await?;
        let finding = |(tenant, shipment, status, sequence, told, last, delivered): Row| {
            let subject = format!("{tenant} shipment {shipment}");
            let problem = if sequence != last {
                format!("it is {status} at step {sequence}, its way ends at step {last}")
            } else if told != delivered {
                let word = |yes: bool| if yes { "delivered" } else { "not delivered" };
                format!("it was told to be {}, its way says {}", word(told), word(delivered))
            } else {
                format!("it is {status}, and the carrier's name for it is unknown")
            };
            Finding { subject, problem }
        };
        Ok(rows.into_iter().map(finding).collect())
    }
    .boxed_local()
}
