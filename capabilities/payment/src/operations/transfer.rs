//! `payment.transfer`: what is left of an order's payment pays another order, once for a reference. No money leaves: the
//! provider's or the customer's debt to the shop changes the order that it stands for.

use std::collections::{BTreeMap, BTreeSet};

use mortise_capability::{Call, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::{Amount, PaymentId};

use super::{key, too_large};
use crate::contract::{TransferInput, Transferred};
use crate::rules::{Booked, Payment, RefundRow, RefundStatus};
use crate::store::{Key, Payments};

/// The code of `payment.transfer`.
pub(crate) struct TransferFunds;

/// The payment that a transfer makes: the same whoever asks, and however often.
fn made(call: &Call<TransferInput>) -> Result<Key, StoreError> {
    let payment_id = PaymentId::new(format!("pay-{}", call.input.reference));
    Ok(key(call, &payment_id.map_err(|error| StoreError::Value(error.to_string()))?))
}

impl WriteOperation for TransferFunds {
    type Input = TransferInput;
    type Output = Transferred;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<TransferInput>],
    ) -> Result<Vec<Reply<Transferred>>, StoreError> {
        let (mut from, mut to): (BTreeSet<Key>, BTreeSet<Key>) = Default::default();
        for call in calls {
            from.extend(call.input.payments.iter().map(|payment_id| key(call, payment_id)));
            to.insert(made(call)?);
        }
        let mut known = Payments::load(tx, to).await?;
        let mut payments = Payments::load(tx, from).await?;
        let mut new: BTreeMap<Key, Amount> = BTreeMap::new();
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let place = made(call)?;
            let known = known.get_mut(&place).map(|booked| booked.payment.captured);
            let amount = match known.or_else(|| new.get(&place).copied()) {
                Some(amount) => amount,
                None => {
                    let (booked, row, source) = transfer(&mut payments, call, &place.1)?;
                    let amount = booked.payment.captured;
                    payments.put_refund(source, row);
                    payments.add(place.0.clone(), booked);
                    new.insert(place.clone(), amount);
                    amount
                }
            };
            replies.push(Reply::done(Transferred { payment_id: place.1, amount }));
        }
        payments.save(tx).await?;
        Ok(replies)
    }
}

/// Takes from the payment that has the most, and makes one of it for the other order.
fn transfer(
    payments: &mut Payments,
    call: &Call<TransferInput>,
    payment_id: &PaymentId,
) -> Result<(Booked, RefundRow, Key), StoreError> {
    let TransferInput { payments: from, to_order, amount, .. } = &call.input;
    let mut most: Option<(Key, Amount)> = None;
    for key in from.iter().map(|payment_id| key(call, payment_id)) {
        let Some(refundable) = payments.get_mut(&key).map(|booked| booked.payment.refundable()) else {
            continue;
        };
        if most.as_ref().is_none_or(|(_, best)| refundable > *best) {
            most = Some((key, refundable));
        }
    }
    let nothing =
        || StoreError::Value(format!("order {to_order} is to be paid by payments that are not there"));
    let (source, refundable) = most.ok_or_else(nothing)?;
    let amount = (*amount).max(Amount::ZERO).min(refundable);
    let now = call.context.now;
    let booked = payments.get_mut(&source).ok_or_else(nothing)?;
    let mut row = RefundRow {
        refund_id: format!("{payment_id}@{}", source.1),
        status: RefundStatus::Pending,
        amount,
        reason: Some(format!("pays order {to_order}")),
        provider_ref: None,
        created_at: now,
    };
    if amount > Amount::ZERO {
        booked.set_aside(amount).map_err(|_| nothing())?;
        booked.end_refund(&mut row, amount, RefundStatus::Done, now).map_err(too_large)?;
    } else {
        row.status = RefundStatus::Dropped;
    }
    let mut to = Booked::of(Payment {
        payment_id: payment_id.clone(),
        order_id: to_order.clone(),
        deposit: None,
        credited_to: None,
        amount,
        captured: Amount::ZERO,
        refunded: Amount::ZERO,
        pending_refund: Amount::ZERO,
        transfers: 0,
        pay_url: None,
        created_at: now,
        expires_at: None,
        ..booked.payment.clone()
    });
    to.claim(now);
    Ok((to, row, source))
}
