//! What a shop chooses about its auctions, by scope, where an auction's own terms leave it open.

use mortise_capability::Policy;
use mortise_types::Amount;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Extension, Increment, NextPrice};

/// A shop's choices about auctions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuctionPolicy {
    /// The steps between bids, by price band. The default is the table of eBay's auctions in currencies with cents.
    #[schemars(length(min = 1, max = 50))]
    pub increments: Vec<Increment>,
    /// How a late bid moves the closing time; `null` for a hard close.
    pub extension: Option<Extension>,
    /// What a bidder deposits, in minor units; 0 for nothing.
    #[schemars(range(min = 0, max = 1_000_000_000_000_000_i64))]
    pub deposit: Amount,
    /// How long a winner has to pay, in seconds.
    #[schemars(range(min = 60, max = 2_592_000))]
    pub payment_window_s: i64,
    /// To how many bidders a lot is offered, one after the other.
    #[schemars(range(min = 1, max = 20))]
    pub offers_most: i64,
    /// What the next bidder pays when the winner does not.
    pub next_price: NextPrice,
}

impl Default for AuctionPolicy {
    fn default() -> Self {
        const BANDS: [(i64, i64); 10] = [
            (0, 5),
            (100, 25),
            (500, 50),
            (2_500, 100),
            (10_000, 250),
            (25_000, 500),
            (50_000, 1_000),
            (100_000, 2_500),
            (250_000, 5_000),
            (500_000, 10_000),
        ];
        AuctionPolicy {
            increments: BANDS.map(|(from, step)| Increment { from: Amount(from), step: Amount(step) }).into(),
            extension: Some(Extension { within_s: 120, by_s: 120, most: 100 }),
            deposit: Amount::ZERO,
            payment_window_s: 3 * 24 * 60 * 60,
            offers_most: 3,
            next_price: NextPrice::OwnMaximum,
        }
    }
}

impl Policy for AuctionPolicy {
    const NAME: &'static str = "auction";
}
