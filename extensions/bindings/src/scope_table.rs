//! A table with an entry for every scope, however many there are: what a tenant's lines and channels have of their own,
//! and what all others get. It holds any value, and knows no bindings.

use std::collections::HashMap;

use mortise_types::{BusinessLine, Channel, Scope, TenantId};

/// Values by scope. Lines and channels that were not named share an entry.
#[derive(Debug)]
pub struct ScopeTable<T> {
    tenants: HashMap<TenantId, Grid<T>>,
}

/// Row 0 is for any line that is not named, column 0 for any such channel.
#[derive(Debug)]
struct Grid<T> {
    rows: HashMap<BusinessLine, usize>,
    columns: HashMap<Channel, usize>,
    cells: Vec<T>,
}

impl<T> Default for ScopeTable<T> {
    fn default() -> Self {
        ScopeTable { tenants: HashMap::new() }
    }
}

impl<T> ScopeTable<T> {
    /// Fills in a tenant: `value` is asked for each pair of a named line (or any other: `None`) and a named channel.
    pub fn insert(
        &mut self,
        tenant: TenantId,
        lines: impl Iterator<Item = BusinessLine>,
        channels: impl Iterator<Item = Channel>,
        mut value: impl FnMut(Option<&BusinessLine>, Option<&Channel>) -> T,
    ) {
        let rows = numbered(lines);
        let columns = numbered(channels);
        let by_row = in_order(&rows);
        let by_column = in_order(&columns);
        let mut cells = Vec::with_capacity(by_row.len() * by_column.len());
        for line in &by_row {
            cells.extend(by_column.iter().map(|channel| value(*line, *channel)));
        }
        self.tenants.insert(tenant, Grid { rows, columns, cells });
    }

    /// The value for a scope; `None` if its tenant is not in the table.
    #[must_use]
    pub fn get(&self, scope: &Scope) -> Option<&T> {
        let grid = self.tenants.get(&scope.tenant)?;
        let row = grid.rows.get(&scope.line).copied().unwrap_or(0);
        let column = grid.columns.get(&scope.channel).copied().unwrap_or(0);
        grid.cells.get(row * (grid.columns.len() + 1) + column)
    }

    /// The same table of other values.
    pub fn map<U>(&self, mut value: impl FnMut(&T) -> U) -> ScopeTable<U> {
        let grid = |grid: &Grid<T>, value: &mut dyn FnMut(&T) -> U| Grid {
            rows: grid.rows.clone(),
            columns: grid.columns.clone(),
            cells: grid.cells.iter().map(value).collect(),
        };
        ScopeTable {
            tenants: self.tenants.iter().map(|(t, cells)| (t.clone(), grid(cells, &mut value))).collect(),
        }
    }
}

/// Numbers from 1, each name once.
fn numbered<K: std::hash::Hash + Eq>(names: impl Iterator<Item = K>) -> HashMap<K, usize> {
    let mut numbers = HashMap::new();
    for name in names {
        let next = numbers.len() + 1;
        numbers.entry(name).or_insert(next);
    }
    numbers
}

fn in_order<K>(numbers: &HashMap<K, usize>) -> Vec<Option<&K>> {
    let mut order = vec![None; numbers.len() + 1];
    for (name, &number) in numbers {
        order[number] = Some(name);
    }
    order
}
