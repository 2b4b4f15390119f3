//! `after_sale.assess` and `after_sale.open`: what would be owed, by the shop's rules and by whoever answers `refund-check`,
//! and taking the units on. Returns that are opened at once
//! see each other's units, whether they are in one batch or not.

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_capability::{Call, CallContext, Policies, ReadOperation, Reply, StoreError, WriteOperation};
use mortise_points::{Points, RefundCheck};
use mortise_store::{Reader, Tx};
use mortise_types::{Amount, CustomerId, IdSource, Parcel, ParcelId, ParcelItem, TenantId};

use super::batch::{key, news};
use super::ruling::{Judging, ruled};
use crate::contract::{
    AssessInput, Assessment, OpenInput, Opened, RETURN_REFUSED, RMA_EXISTS, RmaExists, RmaKind, RmaState,
    UNITS_EXCEEDED,
};
use crate::policy::AfterSalePolicy;
use crate::rules::{Account, AfterSaleError, Refusal, Request, Rma, RmaDocument, Sale, judge};
use crate::store::{self, RmaKey, SaleKey, Stored};

/// The code of `after_sale.assess`.
pub(crate) struct Assess {
    pub(crate) policies: Arc<Policies>,
    pub(crate) points: Arc<dyn Points>,
}

/// The code of `after_sale.open`.
pub(crate) struct Open {
    pub(crate) policies: Arc<Policies>,
    pub(crate) ids: Arc<dyn IdSource>,
}

fn sale_key(context: &CallContext, asked: &AssessInput) -> SaleKey {
    (context.scope.tenant.clone(), asked.order_id.clone(), asked.placed_at)
}

/// The sale that is asked about: as it is stored, or as it is from now on, by the choices that hold now.
fn sale_of(
    policies: &Policies,
    context: &CallContext,
    known: Option<&Stored>,
    asked: &AssessInput,
) -> Result<Stored, AfterSaleError> {
    let mut stored = match known {
        Some(stored) if stored.sale.proof != asked.proof => return Err(AfterSaleError::AnotherProof),
        Some(stored) => stored.clone(),
        None => {
            asked.proof.check()?;
            let chosen = policies.get::<AfterSalePolicy>(&context.scope);
            let sale = Sale {
                proof: asked.proof.clone(),
                terms: asked.terms.clone(),
                policy: chosen.policy.clone(),
                policy_version: chosen.version.as_ref().to_owned(),
            };
            Stored { sale, account: Account::default(), is_stored: false }
        }
    };
    // The rest of a price may come in later than its first part; what came is never less than it was.
    stored.account.captured = stored.account.captured.max(asked.captured);
    Ok(stored)
}

pub(super) fn refusal<O>(refusal: &Refusal) -> Result<Reply<O>, StoreError> {
    match refusal {
        Refusal::Refused(detail) => Reply::rejected(RETURN_REFUSED, detail),
        Refusal::Units(detail) => Reply::rejected(UNITS_EXCEEDED, detail),
    }
}

pub(super) fn caller(context: &CallContext) -> Option<&CustomerId> {
    context.caller.as_ref()
}

impl ReadOperation for Assess {
    type Input = AssessInput;
    type Output = Assessment;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<AssessInput>],
    ) -> Result<Vec<Reply<Assessment>>, StoreError> {
        let keys = calls.iter().map(|call| sale_key(&call.context, &call.input)).collect();
        let sales = store::load_sales(reader, keys).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let Call { context, input } = call;
            let known = sales.get(&sale_key(context, input));
            let Stored { sale, account, .. } = sale_of(&self.policies, context, known, input)?;
            let judged = judge(&sale, &account, input, &[], caller(context), context.now)?;
            // What never left the shop comes back whole: nobody is asked about it.
            let opened = self.points.open::<RefundCheck>(&context.scope);
            let opened = opened.filter(|_| input.kind != RmaKind::BeforeShipping);
            replies.push(match (judged, opened) {
                (Err(no), _) => refusal(&no)?,
                (Ok(request), Some(opened)) => {
                    ruled(&opened, &Judging { call, sale: &sale, account: &account }, request)?
                }
                (Ok(Request { entitlement, state, .. }), None) => {
                    Reply::done(Assessment { entitlement, state, caps: Vec::new() })
                }
            });
        }
        Ok(replies)
    }
}

impl WriteOperation for Open {
    type Input = OpenInput;
    type Output = Opened;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<OpenInput>],
    ) -> Result<Vec<Reply<Opened>>, StoreError> {
        let keys = calls.iter().map(|call| sale_key(&call.context, &call.input.request)).collect();
        let mut sales = store::load_sales(tx, keys).await?;
        let ids = calls.iter().map(|call| key(&call.context, &call.input.rma_id)).collect();
        let mut standing = store::load_rmas(tx, ids).await?;
        let mut opened: BTreeMap<RmaKey, SaleKey> = BTreeMap::new();
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let id = key(&call.context, &call.input.rma_id);
            if standing.get(&id).is_some_and(|rma| !may_be_opened_again(rma, &call.input)) {
                replies.push(Reply::rejected(RMA_EXISTS, &RmaExists { rma_id: id.1 })?);
                continue;
            }
            let place = sale_key(&call.context, &call.input.request);
            match self.open(call, sales.get(&place))? {
                Err(no) => replies.push(refusal(&no)?),
                Ok((rma, stored)) => {
                    let (rma_id, state) = (rma.rma_id.clone(), rma.state);
                    let entitlement = rma.document.entitlement.clone();
                    let parcel = parcel(&stored.sale, &rma)?;
                    let reply = Reply::done(Opened { rma_id, state, entitlement, parcel });
                    replies.push(reply.emit("after_sale.opened", &news(&rma))?);
                    sales.insert(place.clone(), stored);
                    standing.insert(id.clone(), rma);
                    opened.insert(id, place);
                }
            }
        }
        let changed = opened.values().filter_map(|place| sales.get_key_value(place));
        let changed: BTreeMap<&SaleKey, &Stored> = changed.collect();
        store::save_sales(tx, &changed.into_iter().collect::<Vec<_>>()).await?;
        let new = opened.keys().filter_map(|id| Some((id, standing.get(id)?)));
        let new: Vec<(TenantId, String, &Rma)> =
            new.map(|(id, rma)| (id.0.clone(), self.ids.next().to_string(), rma)).collect();
        store::insert_rmas(tx, &new).await?;
        Ok(replies)
    }
}

/// How a return travels back. What never left does not travel.
fn parcel(sale: &Sale, rma: &Rma) -> Result<Option<Parcel>, StoreError> {
    let Some(location) = rma.document.return_to.clone().filter(|_| rma.kind != RmaKind::BeforeShipping)
    else {
        return Ok(None);
    };
    let mut items = Vec::with_capacity(rma.document.lines.len());
    for line in &rma.document.lines {
        let sku = sale.line(&line.line_id)?.sku.clone();
        items.push(ParcelItem { line_id: line.line_id.clone(), sku, quantity: line.quantity });
    }
    let parcel_id = ParcelId::new(rma.rma_id.as_str()).map_err(store::off)?;
    Ok(Some(Parcel { parcel_id, location, items }))
}

/// A return that was withdrawn may be asked for again, by the customer who had it.
fn may_be_opened_again(rma: &Rma, input: &OpenInput) -> bool {
    rma.state == RmaState::Withdrawn && rma.customer_id == input.request.customer_id
}

impl Open {
    fn open(
        &self,
        call: &Call<OpenInput>,
        known: Option<&Stored>,
    ) -> Result<Result<(Rma, Stored), Refusal>, StoreError> {
        let Call { context, input } = call;
        let asked = &input.request;
        let mut stored = sale_of(&self.policies, context, known, asked)?;
        let judged = judge(&stored.sale, &stored.account, asked, &input.caps, caller(context), context.now)?;
        let Request { lines, parcels, entitlement, state, .. } = match judged {
            Ok(request) => request,
            Err(no) => return Ok(Err(no)),
        };
        for line in &lines {
            stored.account.hold(&line.line_id, line.quantity)?;
        }
        let policy_version = stored.sale.policy_version.clone();
        let return_to = input.return_to.clone().or_else(|| stored.sale.policy.return_to.clone());
        let (inspected, caps, note) = (Vec::new(), input.caps.clone(), None);
        let document =
            RmaDocument { lines, parcels, return_to, inspected, caps, entitlement, note, policy_version };
        let rma = Rma {
            rma_id: input.rma_id.clone(),
            order_id: asked.order_id.clone(),
            placed_at: asked.placed_at,
            customer_id: asked.customer_id.clone(),
            currency: asked.currency,
            kind: asked.kind,
            state,
            document,
            given: Amount::ZERO,
            opened_at: context.now,
            changed_at: context.now,
        };
        Ok(Ok((rma, stored)))
    }
}
