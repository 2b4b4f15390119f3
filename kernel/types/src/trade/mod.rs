//! Records that stand in more than one capability's contract: what was asked, from where it comes, how it travels, and
//! the proof of its price. All are closed; what they mean is decided by the capabilities.

mod address;
mod check;
mod goods;
mod proof;
mod returned;

pub use address::Address;
pub use check::{ProofError, ProofPlace};
pub use goods::{Allocation, Attributes, Parcel, ParcelItem, RequestedLine};
pub use proof::{
    Adjustment, AdjustmentKind, FeeKind, PriceProof, ProofFee, ProofLine, TaxPart, TaxTreatment,
};
pub use returned::{GoodsCondition, ItemUnits, PromotionTerms, ReturnedUnits};
