//! Deciding what becomes of held deposits, for the operations after which one is decided.

use mortise_capability::{Reply, StoreError};
use mortise_store::Tx;
use mortise_types::OrderId;

use crate::contract::{DepositDecided, DepositDecision, DepositState};
use crate::rules::Deposits;
use crate::store::{self, LotKey};

/// Decides the held deposits of an auction; `order` is what is being paid in it, where something is.
pub(crate) async fn decide(
    tx: &mut Tx<'_>,
    key: &LotKey,
    deposits: Deposits<'_>,
    order: Option<&OrderId>,
) -> Result<Vec<DepositDecided>, StoreError> {
    let held = store::bidders_with_held_deposit(tx, key).await?;
    let mut decided = Vec::new();
    for (registration, customer_id) in held {
        let Some(decision) = deposits.decide(&customer_id) else { continue };
        let order_id = order.filter(|_| decision != DepositDecision::Return).cloned();
        let auction_id = key.1.clone();
        decided.push(DepositDecided { registration, auction_id, customer_id, decision, order_id });
    }
    let changes: Vec<_> = decided
        .iter()
        .map(|one| (key.0.clone(), one.registration.clone(), on_its_way(one.decision)))
        .collect();
    store::set_deposits(tx, &changes).await?;
    Ok(decided)
}

const fn on_its_way(decision: DepositDecision) -> DepositState {
    match decision {
        DepositDecision::Return => DepositState::ToReturn,
        DepositDecision::Credit => DepositState::ToCredit,
        DepositDecision::Forfeit => DepositState::ToForfeit,
    }
}

/// A reply with what was decided.
pub(crate) fn tell<O>(mut reply: Reply<O>, decided: &[DepositDecided]) -> Result<Reply<O>, StoreError> {
    for one in decided {
        reply = reply.emit("auction.deposit_decided", one)?;
    }
    Ok(reply)
}
