//! The point `payment-risk`: how likely is it that this order is not paid? The highest score of all counts, and the shop's
//! own is among them: an extension can make an order look riskier, never safer.

use mortise_types::{Amount, CountryCode, Currency, CustomerId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::check::Whole;
use crate::{ExtensionId, Invalid, Point};

/// The highest score.
pub const MAX_SCORE: i64 = 100;

/// The point `payment-risk`.
#[derive(Clone, Copy, Debug)]
pub struct PaymentRisk;

/// An order whose risk is scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Of all amounts.
    pub currency: Currency,
    /// Who buys.
    pub customer_id: CustomerId,
    /// What is to be collected.
    pub amount: Amount,
    /// Where it goes.
    pub country: CountryCode,
    /// Empty where a country has none.
    #[serde(default)]
    pub postal_code: String,
    /// City, town or village.
    #[serde(default)]
    pub city: String,
    /// Parcels that the customer has paid for at the door.
    pub collected: i64,
    /// Parcels that the customer did not take at the door.
    pub refused: i64,
    /// What the customer has ordered within the last hour.
    pub last_hour: Recent,
    /// What the customer has ordered within the last day.
    pub last_day: Recent,
    /// The score that the shop's own policy gives, from 0 to 100.
    pub score: i64,
    /// When the trade takes place.
    pub trade_time: Timestamp,
}

/// What a customer has ordered within some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recent {
    /// Orders, in whatever currency.
    pub orders: i64,
    /// What those in the question's currency came to.
    pub amount: Amount,
}

/// What an extension says of the order, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// 0 to 100.
    pub score: i64,
    /// For the shop's staff and the refusal.
    pub reason: String,
}

/// A checked assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValidAssessment {
    /// 0 to 100.
    pub score: i64,
    /// For the shop's staff and the refusal.
    pub reason: String,
}

/// The highest assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Highest {
    /// 0 to 100.
    pub score: i64,
    /// Why, in the extension's words.
    pub reason: String,
    /// Whose it is.
    pub extension: ExtensionId,
}

impl Point for PaymentRisk {
    const NAME: &'static str = "payment-risk";
    const VERSION: &'static str = "1.0";
    type Question = Question;
    type Answer = Assessment;
    type Valid = ValidAssessment;
    /// The highest score; of equal ones, that of the higher rank.
    type Reduced = Option<Highest>;

    fn lines(_: &Question) -> usize {
        1
    }

    fn trade_time(question: &Question) -> Timestamp {
        question.trade_time
    }

    fn revalidate(
        _: &Question,
        Assessment { score, reason }: Assessment,
    ) -> Result<ValidAssessment, Invalid> {
        let place = Whole("assessment");
        if !(0..=MAX_SCORE).contains(&score) {
            return Err(place.refuse("score", format_args!("{score} is not within 0 to {MAX_SCORE}")));
        }
        place.reason(&reason)?;
        Ok(ValidAssessment { score, reason })
    }

    fn reduce(_: &Question, answers: Vec<(ExtensionId, ValidAssessment)>) -> Option<Highest> {
        let highest = |(extension, ValidAssessment { score, reason })| Highest { score, reason, extension };
        // The last of equal ones is the greatest; from the lowest rank on, that is the highest rank's.
        answers.into_iter().rev().max_by_key(|(_, answer)| answer.score).map(highest)
    }

    fn customer(question: &Question) -> Option<&str> {
        Some(question.customer_id.as_str())
    }
}
