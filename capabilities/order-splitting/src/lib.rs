//! Order splitting: what of an order travels together. It is pure: it holds no stock, stores nothing, and asks no carrier,
//! only the extensions at the point `order-split`.

mod asked;
pub mod contract;
mod rules;

use std::sync::Arc;

use mortise_capability::{Call, Capability, PureOperation, RejectionPage, Reply, StoreError};
use mortise_contract::DeclarationError;
use mortise_points::{OrderSplit, Points};

use contract::{PlanInput, PlanOutput, SplitMoneyInput, SplitMoneyOutput};
use rules::Decision;

const PAGES: &[RejectionPage] = &[
    mortise_asking::PAGE,
    RejectionPage { code: "too_many_parcels", page: include_str!("../rejections/too_many_parcels.md") },
    RejectionPage { code: "not_of_this_price", page: include_str!("../rejections/not_of_this_price.md") },
    RejectionPage { code: "order_id_too_long", page: include_str!("../rejections/order_id_too_long.md") },
];

struct Plan {
    points: Arc<dyn Points>,
}

impl PureOperation for Plan {
    type Input = PlanInput;
    type Output = PlanOutput;

    fn run(&self, calls: &[Call<PlanInput>]) -> Result<Vec<Reply<PlanOutput>>, StoreError> {
        let reply = |call: &Call<PlanInput>| {
            let decision = rules::plan(&call.input.order_id, &call.input.allocations);
            match decision.map_err(|error| StoreError::Value(format!("order splitting: {error}")))? {
                Decision::Planned(output) => match self.points.open::<OrderSplit>(&call.context.scope) {
                    None => Ok(Reply::done(output)),
                    Some(opened) => asked::reply(&opened, call, output),
                },
                Decision::TooMany(detail) => Reply::rejected("too_many_parcels", &detail),
                Decision::TooLong(detail) => Reply::rejected("order_id_too_long", &detail),
            }
        };
        calls.iter().map(reply).collect()
    }
}

struct SplitMoney;

impl PureOperation for SplitMoney {
    type Input = SplitMoneyInput;
    type Output = SplitMoneyOutput;

    fn run(&self, calls: &[Call<SplitMoneyInput>]) -> Result<Vec<Reply<SplitMoneyOutput>>, StoreError> {
        let reply = |call: &Call<SplitMoneyInput>| {
            let split = rules::split_money(&call.input.proof, &call.input.parcels);
            match split.map_err(|error| StoreError::Value(format!("order splitting: {error}")))? {
                Ok(output) => Ok(Reply::done(output)),
                Err(detail) => Reply::rejected("not_of_this_price", &detail),
            }
        };
        calls.iter().map(reply).collect()
    }
}

/// The capability; `points` holds whoever answers `order-split`.
///
/// # Errors
/// A contract outside of the language's subset.
pub fn capability(points: Arc<dyn Points>) -> Result<Capability, DeclarationError> {
    let summary = "Parcels out of allocations: what travels together, from one location.";
    Ok(Capability::new("order_splitting", summary, contract::declaration)?
        .pure("plan", Plan { points })
        .pure("split_money", SplitMoney)
        .pages(PAGES))
}
