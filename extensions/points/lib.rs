//! The extension points: what each asks and answers as plain types, how an answer is checked and how several are
//! reduced to one, and the trait through which a capability asks. It knows neither WebAssembly nor bindings.

mod ask;
mod check;
mod point;

#[path = "discount/point.rs"]
pub mod discount;
#[path = "unit-price/point.rs"]
pub mod unit_price;

pub use ask::{
    Answered, Attempt, NoExtensions, OnFailure, Opened, Outcome, Panel, PointError, Points, RawOutcome, Seat,
    Verdict, consult,
};
pub use check::{Invalid, MAX_REASON_BYTES};
pub use discount::Discount;
pub use point::{
    Attribute, CallIdentity, DEPARTMENT, ExtensionId, Failure, FailureKind, MoneyPart, Point, PointMoney,
};
pub use unit_price::UnitPrice;
