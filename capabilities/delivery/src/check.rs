//! What must hold in every committed state: a shipment stands where its way ends, and that it was delivered was told if
//! and only if the way says so.

use futures::future::{FutureExt, LocalBoxFuture};
use mortise_capability::{Check, Finding};
use mortise_store::{Reader, StoreError};

use crate::store::CHECK_TRACKING;

pub(crate) const TRACKING: Check = Check { name: "tracking", run: tracking };

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
