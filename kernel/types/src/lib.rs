//! The vocabulary that every part of Mortise shares: money, quantities, rates, rounding, spreading, scope, ids, time,
//! and the records that stand in more than one contract. It does no I/O; only `system` reads the machine's clock.

pub mod allocate;
mod amount;
mod applied;
mod clock;
mod country;
mod currency;
mod id;
mod named;
mod nearest;
mod newtype;
mod price;
mod quantity;
mod rate;
mod rounding;
mod scope;
mod seeded_ids;
mod span;
mod system;
pub mod trade;
mod virtual_clock;

pub use amount::{Amount, ArithmeticError};
pub use applied::Applied;
pub use clock::{Clock, IdSource, Timestamp, TimestampError};
pub use country::{CountryCode, UnknownCountry};
pub use currency::{Currency, Money, MoneyError, ParseAmountError, UnknownCurrency};
pub use id::{
    AuctionId, CampaignId, CouponCode, CustomerId, FeeId, GroupId, LineId, LocationId, OrderId, ParcelId,
    PaymentId, PickListId, RegistrationId, ReservationId, RmaId, SeatId, ShipmentId, Sku,
};
pub use named::judge_text;
pub use nearest::nearest;
pub use newtype::{InvalidText, TextProblem};
pub use price::{Price, PriceError};
pub use quantity::Quantity;
pub use rate::{IncludedTax, RateBp};
pub use rounding::{Rounding, RoundingLevel};
pub use scope::{BusinessLine, Channel, Scope, TenantId};
pub use seeded_ids::SeededIds;
pub use span::{Span, SpanError};
pub use system::{SystemClock, SystemIds};
pub use trade::{
    Address, Adjustment, AdjustmentKind, Allocation, Attributes, FeeKind, GoodsCondition, ItemUnits, Parcel,
    ParcelItem, PriceProof, PromotionTerms, ProofError, ProofFee, ProofLine, ProofPlace, RequestedLine,
    ReturnedUnits, TaxPart, TaxTreatment,
};
/// The id type of trades, calls and events; time-ordered (version 7) where an [`IdSource`] makes it.
pub use uuid::Uuid;
pub use virtual_clock::VirtualClock;
