//! A basket as an order: what is asked of the platform, and what the answer must be.
//! Sends nothing; client.rs does.

use std::sync::Arc;

use serde::Serialize;

use crate::data::{Basket, Line};
use crate::selection::Week;

/// The business lines of the shop: each has prices and promotions of its own, over the same stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BusinessLine {
    /// Entries from all baskets; baskets whose entries are unambiguous.
    Year,
    /// Entries learned from the even baskets; of the odd ones, the lines that those know.
    Learned,
    /// The same entries and baskets as the year's, with extensions that are tried.
    Tried,
}

impl BusinessLine {
    /// The two of a replay.
    pub(crate) const REPLAY: [Self; 2] = [Self::Year, Self::Learned];
    /// The two of a rollout.
    pub(crate) const ROLLOUT: [Self; 2] = [Self::Year, Self::Tried];

    /// As it stands in the path of a request.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Learned => "learned",
            Self::Tried => "tried",
        }
    }
}

/// An order for a basket, or for those of its lines that the even baskets know.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) basket: Arc<Basket>,
    pub(crate) week: Week,
    pub(crate) line: BusinessLine,
}

impl Order {
    /// The orders of a week's baskets for one business line, in the order of the baskets.
    pub(crate) fn of_week(baskets: &[Arc<Basket>], week: Week, line: BusinessLine) -> Vec<Self> {
        let order = |basket: &Arc<Basket>| Self { basket: Arc::clone(basket), week, line };
        baskets.iter().map(order).filter(Self::is_for_sale).collect()
    }

    fn is_for_sale(&self) -> bool {
        match self.line {
            BusinessLine::Year | BusinessLine::Tried => self.basket.verdict.is_exact(),
            BusinessLine::Learned => self.lines().next().is_some(),
        }
    }

    /// The order's id, equal in every run: sending it again changes nothing.
    pub(crate) fn id(&self) -> String {
        format!("{}-{}", self.line.name(), self.basket.id)
    }

    /// The lines that are ordered.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Line> {
        let all = self.line != BusinessLine::Learned;
        self.basket.lines.iter().filter(move |line| all || line.learned.is_some())
    }

    /// What the platform must answer where no extension answers, in cents.
    pub(crate) fn due(&self) -> i64 {
        match self.line {
            BusinessLine::Year | BusinessLine::Tried => self.basket.till,
            BusinessLine::Learned => self.lines().map(|line| self.amount_of(line)).sum(),
        }
    }

    /// What the platform must make of one of the ordered lines, in cents.
    pub(crate) fn amount_of(&self, line: &Line) -> i64 {
        match self.line {
            BusinessLine::Year | BusinessLine::Tried => line.till,
            BusinessLine::Learned => line.learned.unwrap_or(line.till),
        }
    }

    /// What the till charged for the ordered lines, in cents.
    pub(crate) fn till(&self) -> i64 {
        self.lines().map(|line| line.till).sum()
    }

    /// The body of the request.
    pub(crate) fn body<'a>(&self, currency: &'a str) -> OrderBody<'a> {
        let location = self.basket.store.to_string();
        let line = |line: &Line| LineBody {
            sku: line.sku.to_string(),
            quantity: line.quantity,
            location: location.clone(),
        };
        OrderBody {
            order_id: self.id(),
            currency,
            lines: self.lines().map(line).collect(),
            coupons: [],
            ship_to: AT_THE_TILL,
            pay_by: "invoice",
        }
    }
}

/// What `POST /v1/{tenant}/{line}/trades/fixed-price` takes.
#[derive(Debug, Serialize)]
pub(crate) struct OrderBody<'a> {
    order_id: String,
    currency: &'a str,
    lines: Vec<LineBody>,
    coupons: [String; 0],
    ship_to: AddressBody,
    pay_by: &'static str,
}

#[derive(Debug, Serialize)]
struct LineBody {
    sku: String,
    quantity: u32,
    location: String,
}

#[derive(Debug, Serialize)]
struct AddressBody {
    name: &'static str,
    street: [&'static str; 1],
    city: &'static str,
    postal_code: &'static str,
    country: &'static str,
}

/// The data names no address: these customers carried their baskets home.
const AT_THE_TILL: AddressBody = AddressBody {
    name: "At the till",
    street: ["1 Market Street"],
    city: "Cincinnati",
    postal_code: "45202",
    country: "US",
};

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn order(line: BusinessLine, basket: &str) -> Order {
        let basket = Arc::new(serde_json::from_str(basket).unwrap());
        Order { basket, week: Week::new(2).unwrap(), line }
    }

    pub(crate) const HALF_KNOWN: &str = r#"{"basket":"33","store":"2","household":"9","verdict":"price_several","because":["8"],
        "till":30,"lines":[["7",3,10,0,11],["8",1,20,1,null]]}"#;

    #[test]
    fn the_year_sells_exact_baskets_and_the_learned_line_the_lines_it_knows() {
        let baskets = [Arc::new(serde_json::from_str::<Basket>(HALF_KNOWN).unwrap())];
        let week = Week::new(2).unwrap();
        assert!(Order::of_week(&baskets, week, BusinessLine::Year).is_empty());
        let [learned] = &Order::of_week(&baskets, week, BusinessLine::Learned)[..] else {
            panic!("one order")
        };
        assert_eq!((learned.due(), learned.till()), (11, 10));
    }

    #[test]
    fn a_body_names_the_store_on_each_line() {
        let body = order(BusinessLine::Learned, HALF_KNOWN).body("USD").lines;
        insta::assert_snapshot!(serde_json::to_string(&body).unwrap(), @r#"[{"sku":"7","quantity":3,"location":"2"}]"#);
    }
}
