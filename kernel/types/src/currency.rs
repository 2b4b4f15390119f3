//! Currencies, and money at the edges of the system: an amount with its currency, read from and written as decimals.
//! Nothing converts between currencies.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::newtype::deserialize_text;
use crate::{Amount, ArithmeticError};

/// A code that is not the currency of any price.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 4217 currency with minor units: {0:?}")]
pub struct UnknownCurrency(String);

/// Why amounts of money cannot be combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The two are of different currencies.
    #[error("{left} and {right} cannot be added up")]
    MixedCurrencies {
        /// Of the left operand.
        left: Currency,
        /// Of the right operand.
        right: Currency,
    },
    /// The result does not fit.
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticError),
}

/// Why a decimal text is not an amount in a currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseAmountError {
    /// It is not an optional minus, digits, and a point with digits.
    #[error("not a decimal number: {0:?}")]
    Syntax(String),
    /// It has more decimals than the currency; nothing is rounded on the way in.
    #[error("{text:?} has more than the {digits} decimals of {currency}")]
    TooManyDigits {
        /// The text, shortened.
        text: String,
        /// The currency.
        currency: Currency,
        /// How many decimals the currency has.
        digits: u32,
    },
    /// It does not fit 64 bits.
    #[error("too large an amount: {0:?}")]
    TooLarge(String),
}

/// An ISO 4217 currency that has minor units (so neither gold nor the code for testing), as its three letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The currency of a three-letter code in upper case.
    pub fn new(code: &str) -> Result<Currency, UnknownCurrency> {
        let refused = || UnknownCurrency(code.chars().take(16).collect());
        let letters = <[u8; 3]>::try_from(code.as_bytes()).map_err(|_| refused())?;
        if !letters.iter().all(u8::is_ascii_uppercase) {
            return Err(refused());
        }
        iso_currency::Currency::from_code(code)
            .and_then(iso_currency::Currency::exponent)
            .ok_or_else(refused)?;
        Ok(Currency(letters))
    }

    /// The three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency is made of three ASCII letters, checked by `new`")
    }

    /// How many decimals the major unit has: 2 for EUR, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn minor_digits(self) -> u32 {
        let exponent =
            iso_currency::Currency::from_code(self.code()).and_then(iso_currency::Currency::exponent);
        exponent.map(u32::from).expect("a currency has minor units, checked by `new`")
    }

    /// Reads a decimal in major units, exactly: `12.99` in EUR is 1,299. An optional leading minus, digits, and at
    /// most as many decimals as the currency has; no spaces, signs of thousands or exponents.
    pub fn parse_amount(self, text: &str) -> Result<Amount, ParseAmountError> {
        let shown = || text.chars().take(64).collect::<String>();
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, decimals) = match unsigned.split_once('.') {
            Some((whole, decimals)) if !decimals.is_empty() => (whole, decimals),
            Some(_) => return Err(ParseAmountError::Syntax(shown())),
            None => (unsigned, ""),
        };
        if whole.is_empty() || !whole.bytes().chain(decimals.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(ParseAmountError::Syntax(shown()));
        }
        let digits = self.minor_digits();
        let Some(missing) = (digits as usize).checked_sub(decimals.len()) else {
            return Err(ParseAmountError::TooManyDigits { text: shown(), currency: self, digits });
        };
        let digit_values = whole.bytes().chain(decimals.bytes()).chain(std::iter::repeat_n(b'0', missing));
        let magnitude = digit_values.map(|b| i64::from(b - b'0')).try_fold(0_i64, |amount, digit| {
            // Built up below zero, where i64 reaches one further.
            amount.checked_mul(10)?.checked_sub(digit)
        });
        let amount = if negative { magnitude } else { magnitude.and_then(i64::checked_neg) };
        amount.map(Amount).ok_or_else(|| ParseAmountError::TooLarge(shown()))
    }

    /// The amount in major units, with all decimals of the currency and without its code: `12.99`.
    #[must_use]
    pub fn format_amount(self, amount: Amount) -> String {
        let digits = self.minor_digits() as usize;
        let sign = if amount.is_negative() { "-" } else { "" };
        let all = format!("{:0>width$}", amount.minor().unsigned_abs(), width = digits + 1);
        let (whole, decimals) = all.split_at(all.len() - digits);
        if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{decimals}") }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({})", self.code())
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Currency, UnknownCurrency> {
        Currency::new(code)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
        deserialize_text(deserializer, "an ISO 4217 currency code")
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "pricing/Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// An amount with its currency, as it stands at the edges: `{"amount": 1299, "currency": "EUR"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "pricing/Money")]
pub struct Money {
    /// Minor units of the currency.
    pub amount: Amount,
    /// ISO 4217 code.
    pub currency: Currency,
}

impl Money {
    /// `self + other`, of one currency.
    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        let currency = self.common_currency(other)?;
        Ok(Money { amount: self.amount.checked_add(other.amount)?, currency })
    }

    /// `self - other`, of one currency.
    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        let currency = self.common_currency(other)?;
        Ok(Money { amount: self.amount.checked_sub(other.amount)?, currency })
    }

    fn common_currency(self, other: Money) -> Result<Currency, MoneyError> {
        if self.currency == other.currency {
            Ok(self.currency)
        } else {
            Err(MoneyError::MixedCurrencies { left: self.currency, right: other.currency })
        }
    }
}

/// Major units and the code: `12.99 EUR`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency.format_amount(self.amount), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::new(code).unwrap()
    }

    fn money(amount: i64, code: &str) -> Money {
        Money { amount: Amount(amount), currency: currency(code) }
    }

    #[test]
    fn only_currencies_with_minor_units() {
        for code in ["eur", "EU", "EURO", "ÄÖ", "", "ZZZ", "XAU", "XXX"] {
            assert!(Currency::new(code).is_err(), "{code}");
        }
        for (code, digits) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("CNY", 2)] {
            assert_eq!(currency(code).minor_digits(), digits, "{code}");
        }
        assert!(serde_json::from_str::<Currency>(r#""eur""#).is_err());
        assert_eq!(
            serde_json::to_string(&money(1299, "EUR")).unwrap(),
            r#"{"amount":1299,"currency":"EUR"}"#
        );
    }

    #[test]
    fn money_is_shown_in_major_units() {
        for (amount, code, shown) in [
            (1299, "EUR", "12.99 EUR"),
            (-5, "EUR", "-0.05 EUR"),
            (0, "EUR", "0.00 EUR"),
            (1299, "JPY", "1299 JPY"),
            (-7, "KWD", "-0.007 KWD"),
            (i64::MIN, "EUR", "-92233720368547758.08 EUR"),
        ] {
            assert_eq!(money(amount, code).to_string(), shown);
        }
    }

    #[test]
    fn decimals_are_read_exactly_or_not_at_all() {
        for (text, code, amount) in [
            ("12.99", "EUR", 1299),
            ("12.9", "EUR", 1290),
            ("12", "EUR", 1200),
            ("-0.01", "EUR", -1),
            ("12", "JPY", 12),
        ] {
            assert_eq!(currency(code).parse_amount(text), Ok(Amount(amount)), "{text}");
        }
        let digits = |text: &str, code| ParseAmountError::TooManyDigits {
            text: text.into(),
            currency: currency(code),
            digits: currency(code).minor_digits(),
        };
        assert_eq!(currency("EUR").parse_amount("12.990"), Err(digits("12.990", "EUR")));
        assert_eq!(currency("JPY").parse_amount("12.0"), Err(digits("12.0", "JPY")));
        for text in ["", "-", ".", "12.", ".99", "+1", "1e2", "1,000.00", " 1", "--1", "1.2.3", "１"] {
            assert_eq!(currency("EUR").parse_amount(text), Err(ParseAmountError::Syntax(text.into())));
        }
        let too_large = "92233720368547758.08";
        assert_eq!(
            currency("EUR").parse_amount(too_large),
            Err(ParseAmountError::TooLarge(too_large.into()))
        );
    }

    #[test]
    fn currencies_do_not_mix() {
        let mixed = MoneyError::MixedCurrencies { left: currency("EUR"), right: currency("USD") };
        assert_eq!(money(1, "EUR").checked_add(money(1, "USD")), Err(mixed));
        assert_eq!(money(1, "EUR").checked_sub(money(1, "USD")), Err(mixed));
        assert_eq!(money(3, "EUR").checked_sub(money(5, "EUR")), Ok(money(-2, "EUR")));
        assert_eq!(
            money(i64::MAX, "EUR").checked_add(money(1, "EUR")),
            Err(MoneyError::Arithmetic(ArithmeticError::Overflow))
        );
    }

    proptest! {
        #[test]
        fn every_amount_reads_back(amount: i64, code in prop::sample::select(vec!["EUR", "JPY", "KWD", "CLF"])) {
            let currency = currency(code);
            prop_assert_eq!(currency.parse_amount(&currency.format_amount(Amount(amount))), Ok(Amount(amount)));
        }

        #[test]
        fn any_text_gets_an_answer(text: String) {
            let _ = Currency::new(&text);
            let _ = currency("EUR").parse_amount(&text);
        }
    }
}
