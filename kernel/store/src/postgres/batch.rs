//! A batch's items on their way to the server: one array a parameter column, in the server's binary form.

use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo};
use sqlx::{Arguments as _, Postgres, Type};

use crate::error::StoreError;
use crate::row::{Datum, DatumType, Params};
use crate::statement::Statement;

/// The items of a batch, column by column.
#[derive(Debug)]
pub(crate) struct Batch {
    columns: Vec<Column>,
    items: usize,
}

/// A one-dimensional array.
#[derive(Debug)]
struct Column {
    holds: DatumType,
    items: i32,
    nulls: bool,
    elements: Vec<u8>,
}

impl Batch {
    /// Takes the items apart.
    ///
    /// # Errors
    /// A value that is not of its column's type, or too large for the server.
    pub(crate) fn of<P: Params>(
        statement: &Statement,
        items: impl IntoIterator<Item = P>,
    ) -> Result<Self, StoreError> {
        let new = |holds: &DatumType| Column { holds: *holds, items: 0, nulls: false, elements: Vec::new() };
        let mut columns: Vec<Column> = P::TYPES.iter().map(new).collect();
        let mut count = 0;
        for params in items {
            count += 1;
            for (index, column) in columns.iter_mut().enumerate() {
                column
                    .push(params.column(index))
                    .map_err(|problem| StoreError::column(statement, (index, problem)))?;
            }
        }
        Ok(Self { columns, items: count })
    }

    pub(crate) const fn items(&self) -> usize {
        self.items
    }

    /// Whether result rows say whose they are.
    pub(super) const fn is_numbered(&self) -> bool {
        !self.columns.is_empty()
    }

    /// What to send, once a run of the statement.
    pub(super) fn into_arguments(self, statement: &Statement) -> Result<Vec<PgArguments>, StoreError> {
        if self.columns.is_empty() {
            return Ok(std::iter::repeat_with(PgArguments::default).take(self.items).collect());
        }
        if self.items == 0 {
            return Ok(Vec::new());
        }
        let mut arguments = PgArguments::default();
        for (index, column) in self.columns.into_iter().enumerate() {
            let added = arguments.add(column);
            added.map_err(|problem| StoreError::column(statement, (index, problem.to_string())))?;
        }
        Ok(vec![arguments])
    }
}

impl Column {
    fn push(&mut self, datum: Datum<'_>) -> Result<(), String> {
        self.items = self.items.checked_add(1).ok_or("a batch of more than 2^31 items")?;
        match (datum, self.holds) {
            (Datum::Null, _) => {
                self.nulls = true;
                self.elements.extend_from_slice(&(-1_i32).to_be_bytes());
                Ok(())
            }
            (Datum::Int(int), DatumType::Int) => self.element(&int.to_be_bytes()),
            (Datum::Text(text), DatumType::Text) => self.element(text.as_bytes()),
            (Datum::Bytes(bytes), DatumType::Bytes) => self.element(bytes),
            (other, holds) => Err(format!("{other:?} where {holds:?} is expected")),
        }
    }

    fn element(&mut self, bytes: &[u8]) -> Result<(), String> {
        let length = i32::try_from(bytes.len()).map_err(|_| "a value of more than 2 GiB".to_owned())?;
        self.elements.extend_from_slice(&length.to_be_bytes());
        self.elements.extend_from_slice(bytes);
        Ok(())
    }
}

impl Type<Postgres> for Column {
    fn type_info() -> PgTypeInfo {
        <Vec<String> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Column {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        const ONE_DIMENSION: i32 = 1;
        const FROM_ONE: i32 = 1;
        let element: i32 = match self.holds {
            DatumType::Int => 20,
            DatumType::Text => 25,
            DatumType::Bytes => 17,
        };
        for word in [ONE_DIMENSION, i32::from(self.nulls), element, self.items, FROM_ONE] {
            buffer.extend_from_slice(&word.to_be_bytes());
        }
        buffer.extend_from_slice(&self.elements);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(match self.holds {
            DatumType::Int => <Vec<i64> as Type<Postgres>>::type_info(),
            DatumType::Text => <Vec<String> as Type<Postgres>>::type_info(),
            DatumType::Bytes => <Vec<Vec<u8>> as Type<Postgres>>::type_info(),
        })
    }
}
