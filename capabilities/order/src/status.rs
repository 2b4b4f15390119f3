//! The words of an order's four statuses, and of its parcels. Which follows which is decided in the rules.

use mortise_store::{AsDatum, Datum, DatumType, FromDatum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A status in a column: the word that JSON has for it.
macro_rules! status {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$word_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Its word.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The status of a word.
            pub fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl AsDatum for $name {
            const TYPE: DatumType = DatumType::Text;
            fn datum(&self) -> Datum<'_> {
                Datum::Text(self.word())
            }
        }

        impl FromDatum for $name {
            fn from_datum(datum: Datum<'_>) -> Result<Self, String> {
                let word = String::from_datum(datum)?;
                Self::of(&word).ok_or_else(|| format!(concat!("{} is no ", stringify!($name)), word))
            }
        }
    };
}

status! {
    /// Whether the order stands.
    OrderStatus {
        /// It is on its way.
        Open = "open",
        /// All is done.
        Completed = "completed",
        /// It was taken back before it was done.
        Cancelled = "cancelled",
    }
}

status! {
    /// What has become of the money.
    PaymentStatus {
        /// It is owed.
        Due = "due",
        /// A deposit is paid, the balance is owed.
        DepositPaid = "deposit_paid",
        /// The shop keeps the deposit: the balance did not come.
        DepositForfeited = "deposit_forfeited",
        /// It is owed, by invoice: the goods may go.
        Invoiced = "invoiced",
        /// It is owed to the carrier, against the goods.
        DueOnDelivery = "due_on_delivery",
        /// The shop has it.
        Paid = "paid",
        /// The carrier has it.
        Collected = "collected",
        /// The carrier has passed it on to the shop.
        Remitted = "remitted",
        /// The customer has a part of it back.
        PartiallyRefunded = "partially_refunded",
        /// The customer has it back.
        Refunded = "refunded",
        /// Nothing is owed: the order was cancelled before it was paid.
        Void = "void",
    }
}

status! {
    /// How far the goods are: as far as the parcel that is least far.
    FulfilmentStatus {
        /// Nothing has begun.
        None = "none",
        /// The warehouse has been asked.
        Requested = "requested",
        /// It is packed.
        Packed = "packed",
        /// The carrier has it.
        HandedOver = "handed_over",
        /// The carrier has said where it is.
        InTransit = "in_transit",
        /// The customer has it.
        Delivered = "delivered",
        /// The carrier cannot bring it; a person has to look.
        Undeliverable = "undeliverable",
        /// It has come back to the shop.
        Returned = "returned",
    }
}

status! {
    /// What is going on after the sale.
    AfterSaleStatus {
        /// Nothing.
        None = "none",
        /// A return or refund is asked for.
        Requested = "requested",
        /// What was asked for is settled.
        Settled = "settled",
    }
}

status! {
    /// What changed: one of the four statuses, a parcel's own, or a wish.
    Axis {
        /// Whether the order stands.
        Order = "order",
        /// What has become of the money.
        Payment = "payment",
        /// How far the goods are.
        Fulfilment = "fulfilment",
        /// What is going on after the sale.
        AfterSale = "after_sale",
        /// How far one parcel is; `subject` names it.
        Parcel = "parcel",
        /// Somebody asks for something; no status has changed by that.
        Request = "request",
    }
}

status! {
    /// The one word that says it all, worked out from the four.
    OrderState {
        /// The customer has to pay.
        AwaitingPayment = "awaiting_payment",
        /// The warehouse may begin.
        AwaitingFulfilment = "awaiting_fulfilment",
        /// The warehouse is at it.
        InFulfilment = "in_fulfilment",
        /// All of it has left.
        Shipped = "shipped",
        /// The customer has all of it.
        Delivered = "delivered",
        /// All is done.
        Completed = "completed",
        /// It was taken back.
        Cancelled = "cancelled",
        /// A return or refund is asked for.
        AfterSale = "after_sale",
    }
}
