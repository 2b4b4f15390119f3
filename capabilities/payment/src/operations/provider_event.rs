//! `payment.record_provider_event`: what a verified webhook says, taken once, in whatever order it comes.

use mortise_capability::{Call, Reply, WriteOperation};
use mortise_store::{StoreError, Tx};
use mortise_types::Amount;

use super::{applied, key, payment_news, refund_news, too_large, unknown};
use crate::contract::{AppliedOnce, ProviderEvent, ProviderEventKind, ProviderRefund};
use crate::rules::{Booked, Fact, News, RefundRow, RefundStatus, WhatHappened};
use crate::store::{Payments, refunds, take_events};

pub(crate) struct RecordProviderEvent;

type Replies = Vec<Reply<AppliedOnce>>;

impl WriteOperation for RecordProviderEvent {
    type Input = ProviderEvent;
    type Output = AppliedOnce;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<ProviderEvent>]) -> Result<Replies, StoreError> {
        let mut payments =
            Payments::load(tx, calls.iter().map(|call| key(call, &call.input.payment_id))).await?;
        let known: Vec<bool> =
            calls.iter().map(|call| payments.get_mut(&key(call, &call.input.payment_id)).is_some()).collect();
        let events =
            calls.iter().zip(&known).filter(|(_, known)| **known).map(|(call, _)| {
                (&call.context.scope.tenant, call.input.event_id.as_str(), call.context.now)
            });
        let mut is_new = take_events(tx, events).await?.into_iter();
        let mut rows = load_refunds(tx, calls).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let key = key(call, &call.input.payment_id);
            let Some(booked) = payments.get_mut(&key) else {
                replies.push(unknown(&call.input.payment_id)?);
                continue;
            };
            if is_new.next() != Some(true) {
                replies.push(Reply::done(applied(WhatHappened::Already)));
                continue;
            }
            booked.payment.provider_ref.get_or_insert_with(|| call.input.provider_ref.clone());
            match (&call.input.kind, &call.input.refund) {
                (ProviderEventKind::Refunded, Some(refund)) => {
                    let row =
                        rows.iter_mut().find(|(of, row)| *of == key && row.refund_id == refund_id(refund));
                    let mut row = row.map_or_else(|| by_hand(refund, call), |(_, row)| row.clone());
                    replies.push(take_refund(booked, &mut row, refund, call)?);
                    match rows.iter_mut().find(|(of, found)| *of == key && found.refund_id == row.refund_id) {
                        Some((_, found)) => *found = row.clone(),
                        None => rows.push((key.clone(), row.clone())),
                    }
                    payments.put_refund(key, row);
                }
                _ => replies.push(take_fact(booked, call)?),
            }
        }
        payments.save(tx).await?;
        Ok(replies)
    }
}

/// The refunds that the batch's events speak of, as they stand.
async fn load_refunds(
    tx: &Tx<'_>,
    calls: &[Call<ProviderEvent>],
) -> Result<Vec<(crate::store::Key, RefundRow)>, StoreError> {
    let asked: Vec<_> = calls
        .iter()
        .filter_map(|call| Some((key(call, &call.input.payment_id), refund_id(call.input.refund.as_ref()?))))
        .collect();
    let keys =
        asked.iter().map(|((tenant, payment_id), id)| (tenant.clone(), payment_id.clone(), id.clone()));
    let found = refunds(tx, keys).await?;
    let mut rows: Vec<_> =
        asked.into_iter().zip(found).filter_map(|((key, _), row)| row.map(|row| (key, row))).collect();
    rows.dedup_by(|a, b| a.0 == b.0 && a.1.refund_id == b.1.refund_id);
    Ok(rows)
}

fn refund_id(refund: &ProviderRefund) -> String {
    refund.refund_id.clone().unwrap_or_else(|| format!("by-hand-{}", refund.provider_refund_ref))
}

/// A refund that we did not ask for: somebody gave the money back at the provider's.
fn by_hand(refund: &ProviderRefund, call: &Call<ProviderEvent>) -> RefundRow {
    RefundRow {
        refund_id: refund_id(refund),
        status: RefundStatus::Dropped,
        amount: Amount::ZERO,
        reason: Some("by hand at the provider's".to_owned()),
        provider_ref: None,
        created_at: call.context.now,
    }
}

fn take_refund(
    booked: &mut Booked,
    row: &mut RefundRow,
    refund: &ProviderRefund,
    call: &Call<ProviderEvent>,
) -> Result<Reply<AppliedOnce>, StoreError> {
    let now = call.context.now;
    // Webhooks overtake each other: what went back had come.
    let captured = Fact::Captured(call.input.amount.unwrap_or(booked.payment.amount));
    let came = booked.learn(&captured, now);
    let captured_news = payment_news(&booked.payment);
    let happened = match row.status {
        RefundStatus::Pending => {
            booked.end_refund(row, refund.amount, RefundStatus::Done, now).map_err(too_large)?
        }
        RefundStatus::Done => WhatHappened::Already,
        // By hand, or the provider did what it had refused: the money is gone either way.
        RefundStatus::Dropped | RefundStatus::Refused => {
            booked.book_refund(refund.amount, now).map_err(too_large)?;
            row.status = RefundStatus::Done;
            row.amount = refund.amount;
            WhatHappened::Now
        }
    };
    row.provider_ref = Some(refund.provider_refund_ref.clone());
    let mut reply = Reply::done(applied(happened));
    if came == News::Captured {
        reply = reply.emit("payment.captured", &captured_news)?;
    }
    match happened {
        WhatHappened::Now => {
            reply.emit("payment.refunded", &refund_news(&booked.payment, &row.refund_id, refund.amount))
        }
        WhatHappened::Already => Ok(reply),
    }
}

fn take_fact(booked: &mut Booked, call: &Call<ProviderEvent>) -> Result<Reply<AppliedOnce>, StoreError> {
    let fact = match call.input.kind {
        ProviderEventKind::Authorised => Fact::Authorised,
        ProviderEventKind::Captured => Fact::Captured(call.input.amount.unwrap_or(booked.payment.amount)),
        ProviderEventKind::Declined => {
            Fact::Declined(call.input.code.clone().unwrap_or_else(|| "declined".to_owned()))
        }
        ProviderEventKind::Voided => Fact::Voided,
        ProviderEventKind::Expired => Fact::Expired,
        ProviderEventKind::Refunded => {
            return Err(StoreError::Value("a refund event without its refund".to_owned()));
        }
    };
    let before = booked.payment.status;
    let news = booked.learn(&fact, call.context.now);
    let happened = if booked.payment.status == before { WhatHappened::Already } else { WhatHappened::Now };
    let reply = Reply::done(applied(happened));
    let name = match news {
        News::Authorised => "payment.authorised",
        News::Captured => "payment.captured",
        News::Declined => "payment.declined",
        News::Expired => "payment.expired",
        News::None => return Ok(reply),
    };
    reply.emit(name, &payment_news(&booked.payment))
}
