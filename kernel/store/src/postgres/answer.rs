//! What the server answered to a batch: result rows, each with the number of its item in front, and how many rows changed.

use sqlx::Row as _;
use sqlx::ValueRef as _;
use sqlx::postgres::{PgRow, PgValueRef};

use super::batch::Batch;
use crate::error::StoreError;
use crate::row::{Datum, FromDatum as _, FromRow};
use crate::statement::Statement;

/// The rows of a statement that ran.
#[derive(Debug)]
pub(crate) struct Answer {
    rows: Vec<PgRow>,
    /// Whether the rows say whose they are; else each run is an item.
    is_numbered: bool,
    items: usize,
    /// Rows that changed, a run.
    affected: Vec<u64>,
    /// Where each run's rows end.
    runs: Vec<usize>,
}

impl Answer {
    pub(super) fn new(batch: &Batch) -> Self {
        Self {
            rows: Vec::new(),
            is_numbered: batch.is_numbered(),
            items: batch.items(),
            affected: Vec::new(),
            runs: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, row: PgRow) {
        self.rows.push(row);
    }

    pub(super) fn done(&mut self, affected: u64) {
        self.affected.push(affected);
        self.runs.push(self.rows.len());
    }

    /// The rows in the order of their items, each with its item's number from 0; and how many items there were.
    pub(crate) fn rows<R: FromRow>(
        self,
        statement: &Statement,
    ) -> Result<(Vec<(usize, R)>, usize), StoreError> {
        let mut out = Vec::with_capacity(self.rows.len());
        for (index, row) in self.rows.iter().enumerate() {
            let (item, first) = if self.is_numbered {
                (self.number(statement, row)?, 1)
            } else {
                (self.runs.partition_point(|end| *end <= index), 0)
            };
            let read = R::from_row(&mut |column, take| {
                let value = row.try_get_raw(column + first).map_err(|error| error.to_string())?;
                take(datum(&value)?)
            });
            out.push((item, read.map_err(|off| StoreError::column(statement, off))?));
        }
        // The rows of one item stay in the statement's order.
        out.sort_by_key(|(item, _)| *item);
        Ok((out, self.items))
    }

    /// How many rows each item changed.
    pub(crate) fn changed(self, statement: &Statement) -> Result<Vec<u64>, StoreError> {
        if !self.is_numbered {
            return Ok(self.affected);
        }
        // A text that returns nothing is an insert that adds or replaces a row for every item.
        let silent = self.rows.is_empty() && self.affected.iter().any(|affected| *affected > 0);
        let mut changed = vec![u64::from(silent); self.items];
        for row in &self.rows {
            changed[self.number(statement, row)?] += 1;
        }
        Ok(changed)
    }

    /// The number of a row's item, from 0.
    fn number(&self, statement: &Statement, row: &PgRow) -> Result<usize, StoreError> {
        let read = || {
            let value = row.try_get_raw(0).map_err(|error| error.to_string())?;
            let number = i64::from_datum(datum(&value)?)?;
            let item = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
            item.filter(|item| *item < self.items).ok_or_else(|| format!("{number} is no item's number"))
        };
        read().map_err(|problem| StoreError::column(statement, (0, problem)))
    }
}

fn datum<'r>(value: &PgValueRef<'r>) -> Result<Datum<'r>, String> {
    if value.is_null() {
        return Ok(Datum::Null);
    }
    let bytes = value.as_bytes().map_err(|error| error.to_string())?;
    let oid = value.type_info().oid().map(|oid| oid.0);
    match (oid, bytes) {
        (Some(20), &[a, b, c, d, e, f, g, h]) => Ok(Datum::Int(i64::from_be_bytes([a, b, c, d, e, f, g, h]))),
        (Some(23), &[a, b, c, d]) => Ok(Datum::Int(i64::from(i32::from_be_bytes([a, b, c, d])))),
        (Some(16), &[truth]) => Ok(Datum::Int(i64::from(truth != 0))),
        (Some(25), text) => std::str::from_utf8(text).map(Datum::Text).map_err(|error| error.to_string()),
        (Some(17), bytes) => Ok(Datum::Bytes(bytes)),
        _ => Err(format!("{}, which no column of Mortise is", value.type_info())),
    }
}
