//! The imports of pricing: rows are judged first, so that a call with a bad row stores nothing; then one statement
//! stores the rows of the whole batch.

use mortise_capability::import::{Rows, any_or, judge, line_of, name, period};
use mortise_capability::{Call, CallContext, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::{Channel, LocationId};

use crate::contract::{Entry, ImportEntriesInput, ImportMembersInput, Member, RemoveEntriesInput};
use crate::store::{self, EntryRow, MemberRow};

/// The code of `pricing.import_entries`.
pub(crate) struct ImportEntries;
/// The code of `pricing.remove_entries`.
pub(crate) struct RemoveEntries;
/// The code of `pricing.import_members`.
pub(crate) struct ImportMembers;

impl WriteOperation for ImportEntries {
    type Input = ImportEntriesInput;
    type Output = Rows;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ImportEntriesInput>],
    ) -> Result<Vec<Reply<Rows>>, StoreError> {
        let mut rows = Vec::with_capacity(calls.iter().map(|call| call.input.rows.len()).sum());
        let replies =
            calls.iter().map(|call| judge(&mut rows, &call.context, &call.input.rows, entry_row)).collect();
        store::put_entries(tx, &rows).await?;
        replies
    }
}

impl WriteOperation for RemoveEntries {
    type Input = RemoveEntriesInput;
    type Output = Rows;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<RemoveEntriesInput>],
    ) -> Result<Vec<Reply<Rows>>, StoreError> {
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let mut rows = Vec::with_capacity(call.input.rows.len());
            let mut reply = judge(&mut rows, &call.context, &call.input.rows, entry_row)?;
            if !rows.is_empty() {
                let removed = store::remove_entries(tx, &rows).await?;
                let rows = i64::try_from(removed.iter().sum::<u64>()).unwrap_or(i64::MAX);
                reply = Reply::done(Rows { rows });
            }
            replies.push(reply);
        }
        Ok(replies)
    }
}

impl WriteOperation for ImportMembers {
    type Input = ImportMembersInput;
    type Output = Rows;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ImportMembersInput>],
    ) -> Result<Vec<Reply<Rows>>, StoreError> {
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let mut rows = Vec::with_capacity(call.input.rows.len());
            replies.push(judge(&mut rows, &call.context, &call.input.rows, member_row)?);
            store::put_members(tx, &rows).await?;
        }
        Ok(replies)
    }
}

fn entry_row(context: &CallContext, entry: &Entry) -> Result<EntryRow, String> {
    let (valid_from, valid_until) = period(entry.valid_from, entry.valid_until)?;
    if entry.amount.is_negative() {
        return Err(format!("amount {} is below 0", entry.amount));
    }
    if entry.per.units() < 1 || entry.min_quantity.units() < 1 {
        return Err("per and min_quantity are at least 1".to_owned());
    }
    let location = any_or(entry.location.as_deref(), |text| LocationId::new(text).map(drop))?;
    Ok(EntryRow {
        tenant: context.scope.tenant.as_str().to_owned(),
        line: line_of(context, entry.line.as_deref())?,
        location,
        sku: entry.sku.clone(),
        currency: entry.currency,
        customer_group: group_of(entry.customer_group.as_deref())?,
        valid_from,
        role: entry.role,
        price_list: name("price_list", &entry.price_list)?,
        channel: any_or(entry.channel.as_deref(), |text| Channel::new(text).map(drop))?,
        min_quantity: entry.min_quantity,
        valid_until,
        priority: entry.priority,
        amount: entry.amount,
        per: entry.per,
    })
}

fn member_row(context: &CallContext, member: &Member) -> Result<MemberRow, String> {
    Ok(MemberRow {
        tenant: context.scope.tenant.as_str().to_owned(),
        customer_id: member.customer_id.clone(),
        line: line_of(context, member.line.as_deref())?,
        customer_group: group_of(member.customer_group.as_deref())?,
    })
}

fn group_of(text: Option<&str>) -> Result<String, String> {
    any_or(text, |text| name("customer_group", text).map(drop))
}
