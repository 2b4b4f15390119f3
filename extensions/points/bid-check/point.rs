//! The point `bid-check`: does something speak against this bid? One objection is enough; of several the bidder is told
//! that of the highest rank. What other bidders are ready to pay, and the reserve price, no extension sees.

use mortise_types::{Amount, AuctionId, Currency, CustomerId, Quantity, Sku, Timestamp};
use serde::{Deserialize, Serialize};

use crate::check::Whole;
use crate::{ExtensionId, Invalid, Point};

/// No bid is above this, in minor units.
pub const MAX_AMOUNT_MINOR: i64 = 1_000_000_000_000_000;

/// The point `bid-check`.
#[derive(Clone, Copy, Debug)]
pub struct BidCheck;

/// A bid that the auction's own rules admit, and the auction as it stands. Amounts are for all units together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The auction.
    pub auction_id: AuctionId,
    /// Of all amounts.
    pub currency: Currency,
    /// Who bids.
    pub customer_id: CustomerId,
    /// What is auctioned.
    pub sku: Sku,
    /// Units of it.
    pub quantity: Quantity,
    /// The least first bid.
    pub starting_price: Amount,
    /// The price as it stands; none: nobody has bid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
    /// The least that the auction takes from whoever does not lead.
    pub asking_price: Amount,
    /// The bidder's own maximum so far, where the bidder leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_maximum: Option<Amount>,
    /// What is bid at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Up to how much is bid.
    pub maximum: Amount,
    /// Bids that were taken so far.
    pub bids: i64,
    /// From when bids are taken.
    pub opens_at: Timestamp,
    /// Until when, as it stands.
    pub closes_at: Timestamp,
    /// When the trade takes place.
    pub trade_time: Timestamp,
}

/// What an extension has against the bid, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objection {
    /// The least that would be admissible, if that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<i64>,
    /// For the bidder.
    pub reason: String,
}

/// A checked objection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValidObjection {
    /// The least that would be admissible: above what is bid.
    pub at_least: Option<Amount>,
    /// For the bidder.
    pub reason: String,
}

/// The objection by which a bid is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Objected {
    /// The least that would be admissible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Amount>,
    /// Why, in the extension's words.
    pub reason: String,
    /// Whose it is.
    pub extension: ExtensionId,
}

impl Point for BidCheck {
    const NAME: &'static str = "bid-check";
    const VERSION: &'static str = "1.0";
    type Question = Question;
    type Answer = Option<Objection>;
    type Valid = Option<ValidObjection>;
    /// The objection of the highest rank; none: the bid is admissible.
    type Reduced = Option<Objected>;

    fn lines(_: &Question) -> usize {
        1
    }

    fn trade_time(question: &Question) -> Timestamp {
        question.trade_time
    }

    fn revalidate(
        question: &Question,
        objection: Option<Objection>,
    ) -> Result<Option<ValidObjection>, Invalid> {
        let Some(Objection { at_least, reason }) = objection else { return Ok(None) };
        let place = Whole("objection");
        if let Some(least) = at_least {
            let bid = question.maximum.minor().max(question.amount.unwrap_or_default().minor());
            if least <= bid {
                return Err(
                    place.refuse("at-least", format_args!("{least} is not above the {bid} that is bid"))
                );
            }
            if least > MAX_AMOUNT_MINOR {
                return Err(place.refuse("at-least", format_args!("{least} is above {MAX_AMOUNT_MINOR}")));
            }
        }
        place.reason(&reason)?;
        Ok(Some(ValidObjection { at_least: at_least.map(Amount), reason }))
    }

    fn reduce(_: &Question, answers: Vec<(ExtensionId, Option<ValidObjection>)>) -> Option<Objected> {
        answers.into_iter().find_map(|(extension, objection)| {
            let ValidObjection { at_least, reason } = objection?;
            Some(Objected { at_least, reason, extension })
        })
    }

    fn customer(question: &Question) -> Option<&str> {
        Some(question.customer_id.as_str())
    }
}
