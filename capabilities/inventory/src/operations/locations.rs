//! `inventory.import_locations`: adds or replaces places that hold stock.

use mortise_capability::{Call, Reply, StoreError, WriteOperation};
use mortise_store::{Statement, Tx};

use crate::contract::{ImportLocationsInput, Imported, LocationState};

const UPSERT: Statement = Statement::pair(
    "inventory.upsert_location",
    "INSERT INTO inventory_location (tenant, location, name, country, priority, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
     ON CONFLICT (tenant, location) DO UPDATE
     SET name = excluded.name, country = excluded.country, priority = excluded.priority, state = excluded.state",
    "INSERT INTO inventory_location (tenant, location, name, country, priority, state)
     SELECT DISTINCT ON (tenant, location) tenant, location, name, country, priority, state
     FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
       AS item (tenant, location, name, country, priority, state, n)
     ORDER BY tenant, location, n DESC
     ON CONFLICT (tenant, location) DO UPDATE
       SET name = excluded.name, country = excluded.country, priority = excluded.priority,
         state = excluded.state",
);

pub(crate) struct ImportLocations;

impl WriteOperation for ImportLocations {
    type Input = ImportLocationsInput;
    type Output = Imported;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ImportLocationsInput>],
    ) -> Result<Vec<Reply<Imported>>, StoreError> {
        let rows = calls.iter().flat_map(|call| call.input.rows.iter().map(move |row| (call, row)));
        let rows = rows.map(|(call, row)| {
            let name = row.name.as_deref().unwrap_or(row.location.as_str());
            let country = row.country.as_ref().map(|country| country.code());
            let state = match row.state {
                LocationState::Open => "open",
                LocationState::Closed => "closed",
            };
            (&call.context.scope.tenant, &row.location, name, country, row.priority, state)
        });
        tx.execute(&UPSERT, rows).await?;
        Ok(calls.iter().map(|call| Reply::done(Imported { rows: call.input.rows.len() as i64 })).collect())
    }
}
