//! The ledger: accounts, and transfers between two of them. A transfer's two entries add up to zero by its shape; what
//! has to be held is that a payment's figures are the sums of its transfers.

use std::fmt;
use std::str::FromStr;

use mortise_types::{Amount, Timestamp};

/// An account. Debits raise what the shop owns (`is_ours`), credits what it owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Account {
    /// What customers owe by invoice.
    CustomerReceivable,
    /// What customers owe at the door.
    CashOnDelivery,
    /// What carriers have collected and owe the shop.
    CarrierClearing,
    /// What the provider holds for the shop.
    ProviderBalance,
    /// Money in the shop's bank.
    Bank,
    /// What orders have brought: the shop owes goods for it, or the money back.
    OrderFunds,
    /// Deposits: the shop owes them to whoever paid them until they are credited or forfeited.
    DepositsHeld,
    /// Deposits that the shop may keep: its income.
    DepositsForfeited,
}

/// What a transfer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TransferKind {
    Invoiced,
    DueOnDelivery,
    Captured,
    Refunded,
    Cancelled,
    Received,
    Collected,
    Remitted,
    DepositCredited,
    DepositUncredited,
    DepositForfeited,
}

/// One transaction of two entries: `debit` gets `+amount`, `credit` gets `-amount`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transfer {
    /// Within its payment, from 1.
    pub(crate) number: i64,
    pub(crate) kind: TransferKind,
    pub(crate) debit: Account,
    pub(crate) credit: Account,
    /// Above zero.
    pub(crate) amount: Amount,
    pub(crate) at: Timestamp,
}

macro_rules! words {
    ($type:ty { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// The word in the database and in contracts.
            pub(crate) const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    other => Err(format!("{other:?} is no {}", stringify!($type))),
                }
            }
        }
    };
}

pub(super) use words;

words!(Account {
    CustomerReceivable = "customer_receivable",
    CashOnDelivery = "cash_on_delivery",
    CarrierClearing = "carrier_clearing",
    ProviderBalance = "provider_balance",
    Bank = "bank",
    OrderFunds = "order_funds",
    DepositsHeld = "deposits_held",
    DepositsForfeited = "deposits_forfeited",
});

words!(TransferKind {
    Invoiced = "invoiced",
    DueOnDelivery = "due_on_delivery",
    Captured = "captured",
    Refunded = "refunded",
    Cancelled = "cancelled",
    Received = "received",
    Collected = "collected",
    Remitted = "remitted",
    DepositCredited = "deposit_credited",
    DepositUncredited = "deposit_uncredited",
    DepositForfeited = "deposit_forfeited",
});
