//! Fulfilment's operations: asking for a parcel, saying how far it is, and what is still to be done.

mod stop;

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_capability::{Call, ReadOperation, Reply, StoreError, WriteOperation};
use mortise_store::{Reader, Tx};
use mortise_types::{Applied, IdSource, PickListId, Timestamp};

use crate::contract::{
    Changed, ListInput, ListOutput, PickListRef, PickListState, PickListUnknown, Progressed, RequestInput,
    Requested, WrongState,
};
use crate::rules::{Step, Word, step};
use crate::store::{self, NewPickList, Page, PickListKey, Standing};

pub(crate) use stop::{Resume, Stop};

/// `fulfilment.request`.
pub(crate) struct Request {
    pub(crate) ids: Arc<dyn IdSource>,
}

impl WriteOperation for Request {
    type Input = RequestInput;
    type Output = PickListRef;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<RequestInput>],
    ) -> Result<Vec<Reply<PickListRef>>, StoreError> {
        let (mut new, mut replies) = (Vec::with_capacity(calls.len()), Vec::with_capacity(calls.len()));
        for Call { context, input } in calls {
            let pick_list_id = PickListId::new(self.ids.next().to_string()).map_err(store::off)?;
            let requested = Requested {
                pick_list_id: pick_list_id.clone(),
                order_id: input.order_id.clone(),
                parcel: input.parcel.clone(),
            };
            let reply = Reply::done(PickListRef { pick_list_id: pick_list_id.clone() });
            replies.push(reply.emit("fulfilment.requested", &requested)?);
            new.push(NewPickList { tenant: &context.scope.tenant, pick_list_id, input, now: context.now });
        }
        store::insert(tx, &new).await?;
        Ok(replies)
    }
}

/// `fulfilment.pack`, `fulfilment.hand_over`, `fulfilment.cancel`: a word about a pick list.
pub(crate) struct Say(pub(crate) Word);

impl WriteOperation for Say {
    type Input = PickListRef;
    type Output = Changed;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<PickListRef>],
    ) -> Result<Vec<Reply<Changed>>, StoreError> {
        let key = |call: &Call<PickListRef>| -> PickListKey {
            (call.context.scope.tenant.clone(), call.input.pick_list_id.clone())
        };
        let mut standings = store::load(tx, calls.iter().map(key).collect()).await?;
        let mut changed: BTreeMap<PickListKey, (PickListState, Timestamp)> = BTreeMap::new();
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let key = key(call);
            let Some(standing) = standings.get_mut(&key) else {
                replies.push(self.unknown(&call.input.pick_list_id)?);
                continue;
            };
            let pick_list_id = call.input.pick_list_id.clone();
            let wrong = WrongState { pick_list_id, state: standing.state };
            replies.push(match step(standing.state, self.0) {
                Step::Already => Reply::done(Changed { applied: Applied::Already }),
                Step::Cancelled => Reply::rejected("pick_list_cancelled", &wrong)?,
                Step::NotPacked => Reply::rejected("not_packed", &wrong)?,
                Step::To(state) => {
                    standing.state = state;
                    changed.insert(key, (state, call.context.now));
                    self.progressed(call, standing)?
                }
            });
        }
        let rows: Vec<_> = changed.into_iter().map(|(key, (state, now))| (key, state, now)).collect();
        store::save(tx, &rows).await?;
        Ok(replies)
    }
}

impl Say {
    /// What goes backward tolerates a list that was never asked for; the warehouse is told.
    fn unknown(&self, pick_list_id: &PickListId) -> Result<Reply<Changed>, StoreError> {
        match self.0 {
            Word::Cancel => Ok(Reply::done(Changed { applied: Applied::Already })),
            Word::Pack | Word::HandOver => {
                Reply::rejected("pick_list_unknown", &PickListUnknown { pick_list_id: pick_list_id.clone() })
            }
        }
    }

    fn progressed(
        &self,
        call: &Call<PickListRef>,
        standing: &Standing,
    ) -> Result<Reply<Changed>, StoreError> {
        let reply = Reply::done(Changed { applied: Applied::Now });
        let event = match self.0 {
            Word::Pack => "fulfilment.packed",
            Word::HandOver => "fulfilment.handed_over",
            Word::Cancel => return Ok(reply),
        };
        let progressed = Progressed {
            pick_list_id: call.input.pick_list_id.clone(),
            order_id: standing.order_id.clone(),
            parcel_id: standing.parcel_id.clone(),
            location: standing.location.clone(),
            at: call.context.now,
        };
        reply.emit(event, &progressed)
    }
}

/// `fulfilment.list`.
pub(crate) struct List;

impl ReadOperation for List {
    type Input = ListInput;
    type Output = ListOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<ListInput>],
    ) -> Result<Vec<Reply<ListOutput>>, StoreError> {
        let pages: Vec<Page<'_>> = calls
            .iter()
            .map(|call| Page {
                tenant: &call.context.scope.tenant,
                location: call.input.location.as_ref(),
                behind: behind(call.input.cursor.as_deref()),
                rows: page_size(&call.input).saturating_add(1),
            })
            .collect();
        let lists = store::open(reader, &pages).await?;
        let replies = calls.iter().zip(lists).map(|(call, mut pick_lists)| {
            let size = usize::try_from(page_size(&call.input)).unwrap_or_default();
            let more = pick_lists.len() > size;
            pick_lists.truncate(size);
            let next = pick_lists.last().filter(|_| more);
            let next = next.map(|last| format!("{}@{}", last.pick_list_id, last.parcel.location));
            Reply::done(ListOutput { pick_lists, next })
        });
        Ok(replies.collect())
    }
}

fn page_size(input: &ListInput) -> i64 {
    input.limit.clamp(1, 200)
}

/// `PICK_LIST@LOCATION`; a cursor that none of our pages gave begins at its text.
fn behind(cursor: Option<&str>) -> (&str, &str) {
    let cursor = cursor.unwrap_or_default();
    match cursor.split_once('@') {
        Some((pick_list_id, location)) => (location, pick_list_id),
        None => ("", cursor),
    }
}
