//! Rows in and out: tuples of columns. Integers, text, bytes and null are all there is; money and time are integers.

use std::sync::Arc;

use mortise_types::{
    Amount, AuctionId, BusinessLine, CampaignId, Channel, CouponCode, CustomerId, FeeId, GroupId, LineId,
    LocationId, OrderId, ParcelId, PaymentId, PickListId, Quantity, RateBp, RegistrationId, ReservationId,
    RmaId, SeatId, ShipmentId, Sku, TenantId, Timestamp,
};

/// One column's value on its way in or out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datum<'a> {
    /// Null.
    Null,
    /// INTEGER.
    Int(i64),
    /// TEXT.
    Text(&'a str),
    /// BLOB.
    Bytes(&'a [u8]),
}

/// What a parameter column holds, whichever value it has: PostgreSQL is told before the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatumType {
    /// INTEGER; PostgreSQL's `bigint`.
    Int,
    /// TEXT.
    Text,
    /// BLOB; PostgreSQL's `bytea`.
    Bytes,
}

/// What can be a parameter.
pub trait AsDatum {
    /// What it is when it is not null.
    const TYPE: DatumType;
    /// The column's value.
    fn datum(&self) -> Datum<'_>;
}

/// What can be read from a column.
pub trait FromDatum: Sized {
    /// The value, or what stands there instead.
    ///
    /// # Errors
    /// A sentence for the log.
    fn from_datum(datum: Datum<'_>) -> Result<Self, String>;
}

/// The parameters of one item: a tuple of up to eighteen columns.
pub trait Params {
    /// What the columns hold.
    const TYPES: &'static [DatumType];
    /// How many columns.
    const COLUMNS: usize = Self::TYPES.len();
    /// The column at `index`, from 0.
    fn column(&self, index: usize) -> Datum<'_>;
}

/// Takes one column's value, or says what is wrong with it.
pub type TakeDatum<'t> = dyn FnMut(Datum<'_>) -> Result<(), String> + 't;
/// Gives the column at an index to who takes it.
pub type ReadColumn<'r> = dyn FnMut(usize, &mut TakeDatum<'_>) -> Result<(), String> + 'r;

/// One result row: a tuple of up to eighteen columns.
pub trait FromRow: Sized {
    /// Reads the row; `read` gives the column at an index.
    ///
    /// # Errors
    /// The column's index and what stands there.
    fn from_row(read: &mut ReadColumn<'_>) -> Result<Self, (usize, String)>;
}

macro_rules! integer {
    ($($type:ty: $into:expr, $from:expr;)*) => {$(
        impl AsDatum for $type {
            const TYPE: DatumType = DatumType::Int;
            fn datum(&self) -> Datum<'_> {
                let into: fn(&$type) -> i64 = $into;
                Datum::Int(into(self))
            }
        }
        impl FromDatum for $type {
            fn from_datum(datum: Datum<'_>) -> Result<Self, String> {
                let from: fn(i64) -> Result<$type, String> = $from;
                match datum {
                    Datum::Int(int) => from(int),
                    other => Err(format!("{other:?} where an integer is expected")),
                }
            }
        }
    )*};
}

integer! {
    i64: |v| *v, Ok;
    u32: |v| i64::from(*v), |v| u32::try_from(v).map_err(|_| format!("{v} is outside of 32 bits"));
    bool: |v| i64::from(*v), |v| Ok(v != 0);
    Amount: |v| v.0, |v| Ok(Amount(v));
    Quantity: |v| v.0, |v| Ok(Quantity(v));
    RateBp: |v| v.0, |v| Ok(RateBp(v));
    Timestamp: |v| v.as_millis(), |v| Ok(Timestamp::from_millis(v));
}

macro_rules! text {
    ($($type:ty),*) => {$(
        impl AsDatum for $type {
            const TYPE: DatumType = DatumType::Text;
            fn datum(&self) -> Datum<'_> {
                Datum::Text(self.as_str())
            }
        }
        impl FromDatum for $type {
            fn from_datum(datum: Datum<'_>) -> Result<Self, String> {
                match datum {
                    Datum::Text(text) => text.parse().map_err(|error| format!("{error}")),
                    other => Err(format!("{other:?} where text is expected")),
                }
            }
        }
    )*};
}

text! {
    AuctionId, BusinessLine, CampaignId, Channel, CouponCode, CustomerId, FeeId, GroupId, LineId, LocationId, OrderId,
    ParcelId, PaymentId, PickListId, RegistrationId, ReservationId, RmaId, SeatId, ShipmentId, Sku, TenantId
}

impl AsDatum for str {
    const TYPE: DatumType = DatumType::Text;
    fn datum(&self) -> Datum<'_> {
        Datum::Text(self)
    }
}
impl AsDatum for String {
    const TYPE: DatumType = DatumType::Text;
    fn datum(&self) -> Datum<'_> {
        Datum::Text(self)
    }
}
impl AsDatum for Arc<str> {
    const TYPE: DatumType = DatumType::Text;
    fn datum(&self) -> Datum<'_> {
        Datum::Text(self)
    }
}
impl AsDatum for [u8] {
    const TYPE: DatumType = DatumType::Bytes;
    fn datum(&self) -> Datum<'_> {
        Datum::Bytes(self)
    }
}
impl AsDatum for Vec<u8> {
    const TYPE: DatumType = DatumType::Bytes;
    fn datum(&self) -> Datum<'_> {
        Datum::Bytes(self)
    }
}
impl<T: AsDatum + ?Sized> AsDatum for &T {
    const TYPE: DatumType = T::TYPE;
    fn datum(&self) -> Datum<'_> {
        (**self).datum()
    }
}
impl<T: AsDatum> AsDatum for Option<T> {
    const TYPE: DatumType = T::TYPE;
    fn datum(&self) -> Datum<'_> {
        self.as_ref().map_or(Datum::Null, AsDatum::datum)
    }
}

impl FromDatum for String {
    fn from_datum(datum: Datum<'_>) -> Result<Self, String> {
        match datum {
            Datum::Text(text) => Ok(text.to_owned()),
            other => Err(format!("{other:?} where text is expected")),
        }
    }
}
impl FromDatum for Arc<str> {
    fn from_datum(datum: Datum<'_>) -> Result<Self, String> {
        match datum {
            Datum::Text(text) => Ok(text.into()),
            other => Err(format!("{other:?} where text is expected")),
        }
    }
}
impl FromDatum for Vec<u8> {
    fn from_datum(datum: Datum<'_>) -> Result<Self, String> {
        match datum {
            Datum::Bytes(bytes) => Ok(bytes.to_owned()),
            other => Err(format!("{other:?} where bytes are expected")),
        }
    }
}
impl<T: FromDatum> FromDatum for Option<T> {
    fn from_datum(datum: Datum<'_>) -> Result<Self, String> {
        match datum {
            Datum::Null => Ok(None),
            some => T::from_datum(some).map(Some),
        }
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+))*) => {$(
        impl<$($name: AsDatum),+> Params for ($($name,)+) {
            const TYPES: &'static [DatumType] = &[$($name::TYPE),+];
            fn column(&self, index: usize) -> Datum<'_> {
                match index {
                    $($index => self.$index.datum(),)+
                    _ => Datum::Null,
                }
            }
        }
        impl<$($name: FromDatum),+> FromRow for ($($name,)+) {
            fn from_row(
                read: &mut ReadColumn<'_>,
            ) -> Result<Self, (usize, String)> {
                Ok(($({
                    let mut value: Option<$name> = None;
                    read($index, &mut |datum| {
                        value = Some($name::from_datum(datum)?);
                        Ok(())
                    })
                    .map_err(|problem| ($index, problem))?;
                    value.ok_or_else(|| ($index, "no such column".to_owned()))?
                },)+))
            }
        }
    )*};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15, Q 16)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15, Q 16, R 17)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15, Q 16, R 17, S 18)
}

impl Params for () {
    const TYPES: &'static [DatumType] = &[];
    fn column(&self, _: usize) -> Datum<'_> {
        Datum::Null
    }
}
