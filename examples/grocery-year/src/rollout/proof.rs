//! Price proofs as the platform gives them, and what two of them say about the same basket with and without extensions.
//! Asks nobody.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::order::Order;

/// The parts of a price proof that are compared; amounts in cents.
#[derive(Debug, Deserialize)]
pub(crate) struct Proof {
    #[serde(deserialize_with = "cents")]
    payable: i64,
    lines: Vec<Item>,
    fees: Vec<Item>,
}

/// A line or a fee: its list amount and its adjustments add up to what is paid for it.
#[derive(Debug, Deserialize)]
struct Item {
    #[serde(deserialize_with = "cents")]
    list: i64,
    adjustments: Vec<Adjustment>,
}

#[derive(Debug, Deserialize)]
struct Adjustment {
    kind: String,
    source: String,
    #[serde(deserialize_with = "cents")]
    amount: i64,
}

/// An amount stands with its currency, which is the shop's.
fn cents<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    struct Money {
        amount: i64,
    }
    Money::deserialize(deserializer).map(|money| money.amount)
}

impl Proof {
    /// The proof, if it leads to what was answered when the order was placed.
    pub(crate) fn paying(self, payable: i64) -> Result<Self, String> {
        let steps: i64 = self.items().map(|item| item.list).sum::<i64>()
            + self.adjustments().map(|adjustment| adjustment.amount).sum::<i64>();
        match self.payable == payable && steps == payable {
            true => Ok(self),
            false => Err(format!("answered {payable}, proved {}, whose steps come to {steps}", self.payable)),
        }
    }

    fn items(&self) -> impl Iterator<Item = &Item> {
        self.lines.iter().chain(&self.fees)
    }

    fn adjustments(&self) -> impl Iterator<Item = &Adjustment> {
        self.items().flat_map(|item| &item.adjustments)
    }

    /// What each extension changed.
    fn by_extension(&self) -> BTreeMap<String, i64> {
        let mut changes = BTreeMap::new();
        for adjustment in self.adjustments().filter(|adjustment| adjustment.kind == "extension") {
            *changes.entry(adjustment.source.clone()).or_default() += adjustment.amount;
        }
        changes
    }

    /// What all other rules changed: the week's specials.
    fn by_others(&self) -> i64 {
        self.adjustments().filter(|adjustment| adjustment.kind != "extension").map(|other| other.amount).sum()
    }

    /// Before any rule changes anything.
    fn list(&self) -> i64 {
        self.items().map(|item| item.list).sum()
    }
}

/// What came of one basket on both lines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Compared {
    /// What the till charged.
    pub(crate) till: i64,
    /// Payable without extensions.
    pub(crate) plain: i64,
    /// Payable where they are tried.
    pub(crate) tried: i64,
    /// What each extension changed, as the proof says.
    pub(crate) extensions: BTreeMap<String, i64>,
    /// What other rules changed because of them, as both proofs say: a special that is now capped at a lower price.
    pub(crate) others: i64,
    /// Whether both began at the same list prices.
    pub(crate) is_same_list: bool,
    /// Whether an extension has a part in the proof of the line that has none.
    pub(crate) is_leaked: bool,
}

impl Compared {
    pub(crate) fn new(order: &Order, plain: &Proof, tried: &Proof) -> Self {
        Self {
            till: order.basket.till,
            plain: plain.payable,
            tried: tried.payable,
            extensions: tried.by_extension(),
            others: tried.by_others() - plain.by_others(),
            is_same_list: tried.list() == plain.list(),
            is_leaked: !plain.by_extension().is_empty(),
        }
    }

    /// What is wrong about it: the line without extensions is at the till's total, and the other as far from it as the
    /// proofs say.
    pub(crate) fn problem(&self) -> Option<String> {
        let Self { till, plain, tried, .. } = self;
        if self.is_leaked {
            return Some("an extension answered on the line that has none".to_owned());
        }
        if !self.is_same_list {
            return Some("the two lines began at different list prices".to_owned());
        }
        if plain != till {
            return Some(format!("the line without extensions came to {plain}, the till to {till}"));
        }
        let proved = self.extensions.values().sum::<i64>() + self.others;
        (tried - plain != proved)
            .then(|| format!("{} apart, of which the proofs say {proved}", tried - plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::BusinessLine;
    use crate::order::tests::order;

    fn proof(text: &str) -> Proof {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_difference_is_what_extensions_changed_and_what_followed_from_it() {
        let plain = proof(
            r#"{"payable": {"amount": 30, "currency": "USD"}, "fees": [], "lines": [{"list": {"amount": 50, "currency": "USD"}, "adjustments": [
                {"kind": "promotion", "source": "weekly-specials", "amount": {"amount": -20, "currency": "USD"}}]}]}"#,
        );
        let tried = proof(
            r#"{"payable": {"amount": 27, "currency": "USD"}, "fees": [{"list": {"amount": 0, "currency": "USD"}, "adjustments": [{"kind": "extension", "source": "fee", "amount": {"amount": 2, "currency": "USD"}}]}],
                "lines": [{"list": {"amount": 50, "currency": "USD"}, "adjustments": [
                {"kind": "extension", "source": "loyal", "amount": {"amount": -6, "currency": "USD"}},
                {"kind": "promotion", "source": "weekly-specials", "amount": {"amount": -19, "currency": "USD"}}]}]}"#,
        );
        let order = order(
            BusinessLine::Tried,
            r#"{"basket":"33","store":"2","household":"9","verdict":"exact","because":[],"till":30,"lines":[]}"#,
        );
        let compared = Compared::new(&order, &plain, &tried);
        assert_eq!(compared.extensions, [("fee".to_owned(), 2), ("loyal".to_owned(), -6)].into());
        assert_eq!((compared.others, compared.problem()), (1, None));
        assert!(Compared::new(&order, &tried, &plain).problem().is_some());
    }

    #[test]
    fn a_proof_must_lead_to_what_was_answered() {
        let text = r#"{"payable": {"amount": 30, "currency": "USD"}, "fees": [], "lines": [{"list": {"amount": 50, "currency": "USD"}, "adjustments": []}]}"#;
        assert!(proof(text).paying(30).unwrap_err().contains("come to 50"));
    }
}
