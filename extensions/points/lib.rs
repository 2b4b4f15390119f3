//! The extension points: what each asks and answers as plain types, how an answer is checked and how several are
//! reduced to one, and the trait through which a capability asks. It knows neither WebAssembly nor bindings.

mod ask;
mod check;
mod native;
mod point;

pub use ask::{
    Answered, Attempt, NoExtensions, OnFailure, Opened, Outcome, Panel, PointError, Points, RawOutcome, Seat,
    Verdict, consult,
};
pub use check::{Invalid, MAX_REASON_BYTES};
pub use native::Native;
pub use point::{
    Attribute, CallIdentity, DEPARTMENT, ExtensionId, Failure, FailureKind, MoneyPart, Point, PointMoney,
};

/// Every point, a line each: its module, its type, its folder. This is the only list of them: it is handed to the macro
/// that is named, here for the modules, in the host for the doors.
#[macro_export]
macro_rules! every_point {
    ($then:ident) => {
        $then! {
            allocation: Allocation in "allocation";
            bid_check: BidCheck in "bid-check";
            delivery_fee: DeliveryFee in "delivery-fee";
            discount: Discount in "discount";
            order_split: OrderSplit in "order-split";
            payment_risk: PaymentRisk in "payment-risk";
            purchase_limit: PurchaseLimit in "purchase-limit";
            refund_check: RefundCheck in "refund-check";
            request_mapping: RequestMapping in "request-mapping";
            unit_price: UnitPrice in "unit-price";
        }
    };
}

macro_rules! modules {
    ($($module:ident: $point:ident in $folder:literal;)+) => {
        $(
            #[doc = concat!("The point `", $folder, "`: its types, and what a valid answer is.")]
            #[path = $folder]
            pub mod $module {
                mod point;
                pub use self::point::*;
            }
            pub use $module::$point;
        )+

        /// The name and the newest version of every point.
        pub const POINTS: &[(&str, &str)] = &[$(($point::NAME, $point::VERSION)),+];
    };
}

every_point!(modules);
