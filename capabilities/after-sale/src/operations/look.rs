//! `after_sale.get` and `after_sale.list`: returns, to those whose they are.

use mortise_capability::{Call, CallContext, ReadOperation, Reply, StoreError};
use mortise_store::Reader;
use mortise_types::CustomerId;

use super::batch::key;
use crate::contract::{GetInput, ListInput, ListOutput, RMA_UNKNOWN, RmaSummary, RmaUnknown, RmaView};
use crate::rules::Rma;
use crate::store::{self, Page};

/// Whose returns a call may see; `Err` where a signed-in customer asks for another's.
fn whose<'a>(
    context: &'a CallContext,
    asked: Option<&'a CustomerId>,
) -> Result<Option<&'a CustomerId>, NotYours> {
    match (context.caller.as_ref(), asked) {
        (Some(caller), Some(asked)) if caller != asked => Err(NotYours),
        (Some(customer), _) | (None, Some(customer)) => Ok(Some(customer)),
        (None, None) => Ok(None),
    }
}

/// Somebody else's.
struct NotYours;

fn summary(rma: &Rma) -> RmaSummary {
    RmaSummary {
        rma_id: rma.rma_id.clone(),
        order_id: rma.order_id.clone(),
        customer_id: rma.customer_id.clone(),
        kind: rma.kind,
        state: rma.state,
        currency: rma.currency,
        refund: rma.document.entitlement.refund,
        given: rma.given,
        opened_at: rma.opened_at,
        changed_at: rma.changed_at,
    }
}

/// The code of `after_sale.get`.
pub(crate) struct Get;

impl ReadOperation for Get {
    type Input = GetInput;
    type Output = RmaView;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<GetInput>],
    ) -> Result<Vec<Reply<RmaView>>, StoreError> {
        let keys = calls.iter().map(|call| key(&call.context, &call.input.rma_id)).collect();
        let rmas = store::load_rmas(reader, keys).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for Call { context, input } in calls {
            let found = rmas.get(&key(context, &input.rma_id)).filter(|rma| {
                whose(context, input.customer_id.as_ref())
                    .is_ok_and(|only| only.is_none_or(|only| *only == rma.customer_id))
            });
            replies.push(match found {
                None => Reply::rejected(RMA_UNKNOWN, &RmaUnknown { rma_id: input.rma_id.clone() })?,
                Some(rma) => Reply::done(RmaView {
                    summary: summary(rma),
                    lines: rma.document.lines.clone(),
                    inspected: rma.document.inspected.clone(),
                    entitlement: rma.document.entitlement.clone(),
                    policy_version: rma.document.policy_version.clone(),
                    note: rma.document.note.clone(),
                }),
            });
        }
        Ok(replies)
    }
}

/// The code of `after_sale.list`.
pub(crate) struct List;

impl ReadOperation for List {
    type Input = ListInput;
    type Output = ListOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<ListInput>],
    ) -> Result<Vec<Reply<ListOutput>>, StoreError> {
        let mut replies = Vec::with_capacity(calls.len());
        let pages: Vec<Option<Page<'_>>> = calls
            .iter()
            .map(|call| {
                let customer = whose(&call.context, call.input.customer_id.as_ref()).ok()?;
                Some(Page {
                    tenant: &call.context.scope.tenant,
                    customer,
                    order: call.input.order_id.as_ref(),
                    behind: call.input.cursor.as_deref().unwrap_or(store::FROM_THE_LATEST),
                    rows: page_size(&call.input).saturating_add(1),
                })
            })
            .collect();
        let asked: Vec<Page<'_>> = pages.iter().flatten().copied().collect();
        let mut found = store::pages(reader, &asked).await?.into_iter();
        for (call, page) in calls.iter().zip(&pages) {
            let mut rmas = page.and_then(|_| found.next()).unwrap_or_default();
            let size = usize::try_from(page_size(&call.input)).unwrap_or_default();
            let more = rmas.len() > size;
            rmas.truncate(size);
            let next = rmas.last().filter(|_| more).map(|(entry, _)| entry.clone());
            let returns = rmas.iter().map(|(_, rma)| summary(rma)).collect();
            replies.push(Reply::done(ListOutput { returns, next }));
        }
        Ok(replies)
    }
}

fn page_size(input: &ListInput) -> i64 {
    input.limit.clamp(1, 200)
}
