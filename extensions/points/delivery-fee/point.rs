//! The point `delivery-fee`: what does this parcel cost? For each consignment the first fee by rank wins.

use mortise_types::{
    Amount, CountryCode, Currency, FeeId, LineId, LocationId, ParcelId, Quantity, Sku, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::check::{Place, at_most, shown};
use crate::{Attribute, ExtensionId, Invalid, MoneyPart, Point, PointMoney};

/// The highest fee, in minor units.
pub const MAX_FEE_MINOR: i64 = 1_000_000_000_000;

/// The point `delivery-fee`.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryFee;

/// All consignments of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Of all amounts.
    pub currency: Currency,
    /// Where they go.
    pub country: CountryCode,
    /// State or province, where the country uses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Empty where the country has none.
    pub postal_code: String,
    /// When the trade takes place.
    pub trade_time: Timestamp,
    /// What a fee each is for; fee ids occur once.
    pub consignments: Vec<Consignment>,
}

/// What one fee is for: a parcel, or the whole order where the shop charges by the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consignment {
    /// Names it in answers.
    pub fee_id: FeeId,
    /// None for the whole order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcel_id: Option<ParcelId>,
    /// Where the parcel leaves from; none for the whole order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationId>,
    /// Its weight.
    pub grams: i64,
    /// The fee of the shop's own table; none where no table has this place and weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_amount: Option<Amount>,
    /// What is in it.
    pub items: Vec<Item>,
}

/// Units of a line on their way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The line.
    pub line_id: LineId,
    /// What is bought.
    pub sku: Sku,
    /// How many units, at least 1.
    pub quantity: Quantity,
    /// Those that the panel asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
}

/// What an extension says of one consignment, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// Of a consignment of the question.
    pub fee_id: String,
    /// Minor units; 0 is free.
    pub amount: i64,
    /// For the price proof.
    pub reason: String,
}

/// A checked fee.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidFee {
    /// Position of the consignment in the question.
    pub consignment_index: usize,
    /// 0 to [`MAX_FEE_MINOR`].
    pub amount: Amount,
    /// For the price proof.
    pub reason: String,
}

/// The fee that counts for one consignment, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Won {
    /// The fee.
    #[serde(flatten)]
    pub fee: ValidFee,
    /// By whom.
    pub extension: ExtensionId,
}

impl Point for DeliveryFee {
    const NAME: &'static str = "delivery-fee";
    const VERSION: &'static str = "1.0";
    type Question = Question;
    type Answer = Vec<Fee>;
    type Valid = Vec<ValidFee>;
    /// For each consignment; none where nobody has an opinion.
    type Reduced = Vec<Option<Won>>;

    fn lines(question: &Question) -> usize {
        question.consignments.iter().map(|consignment| consignment.items.len()).sum()
    }

    fn trade_time(question: &Question) -> Timestamp {
        question.trade_time
    }

    fn revalidate(question: &Question, fees: Vec<Fee>) -> Result<Vec<ValidFee>, Invalid> {
        at_most("fees", fees.len(), question.consignments.len())?;
        let mut priced = vec![false; question.consignments.len()];
        let mut valid = Vec::with_capacity(fees.len());
        for (index, Fee { fee_id, amount, reason }) in fees.into_iter().enumerate() {
            let place = Place { list: "fees", index };
            let mut consignments = question.consignments.iter();
            let consignment_index = consignments
                .position(|consignment| consignment.fee_id.as_str() == fee_id)
                .ok_or_else(|| place.refuse("fee-id", format_args!("no fee {}", shown(&fee_id))))?;
            if std::mem::replace(&mut priced[consignment_index], true) {
                return Err(place.refuse("fee-id", format_args!("{} twice", shown(&fee_id))));
            }
            if !(0..=MAX_FEE_MINOR).contains(&amount) {
                return Err(
                    place.refuse("amount", format_args!("{amount} is not within 0 to {MAX_FEE_MINOR}"))
                );
            }
            place.reason(&reason)?;
            valid.push(ValidFee { consignment_index, amount: Amount(amount), reason });
        }
        Ok(valid)
    }

    fn reduce(question: &Question, answers: Vec<(ExtensionId, Vec<ValidFee>)>) -> Vec<Option<Won>> {
        let mut won: Vec<Option<Won>> = vec![None; question.consignments.len()];
        for (extension, fees) in answers {
            for fee in fees {
                let place = &mut won[fee.consignment_index];
                place.get_or_insert_with(|| Won { fee, extension: extension.clone() });
            }
        }
        won
    }

    /// What all consignments cost: a table's fee where nobody answered.
    fn money(question: &Question, won: &Vec<Option<Won>>) -> Option<PointMoney> {
        let fee = |(consignment, won): (&Consignment, &Option<Won>)| {
            let amount = won.as_ref().map(|won| won.fee.amount).or(consignment.table_amount)?;
            Some(MoneyPart { sku: None, department: None, minor: amount.minor() })
        };
        let parts = question.consignments.iter().zip(won).filter_map(fee).collect();
        Some(PointMoney { currency: question.currency, parts })
    }
}
