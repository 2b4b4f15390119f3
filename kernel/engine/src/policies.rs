//! Where choices by scope are stored. What a choice means is its capability's business.

use mortise_capability::{Policies, PolicyRow};
use mortise_store::{Store, StoreError};
use mortise_types::Timestamp;

use crate::lease;
use crate::store as sql;

/// Reads all choices into `policies`.
///
/// # Errors
/// The database's.
pub async fn load(store: &Store, policies: &Policies) -> Result<(), StoreError> {
    let rows = store
        .read(async |reader| {
            reader.fetch_all::<(String, String, String, String, String), _>(&sql::POLICIES, ()).await
        })
        .await?;
    policies.replace(rows.into_iter().map(|(tenant, line, channel, name, document)| PolicyRow {
        tenant,
        line,
        channel,
        name,
        document,
    }));
    Ok(())
}

/// Stores a choice and lets it hold from now on.
///
/// # Errors
/// The database's.
pub async fn set(
    store: &Store,
    policies: &Policies,
    row: PolicyRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let shared = store.is_shared();
    store
        .write(async move |tx| {
            let PolicyRow { tenant, line, channel, name, document } = row;
            tx.execute(&sql::SET_POLICY, [(tenant, line, channel, name, document, now)]).await?;
            if shared {
                lease::count_published(tx).await?;
            }
            Ok(())
        })
        .await?;
    load(store, policies).await
}
