//! Integer money for extensions: prices as an amount per so many units, shares in basis points.
//! No currency and no float; all lines of an order have the order's currency.

/// An amount in minor units for so many units: "3 for 5.00" is `{ amount: 500, per: 3 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    pub amount: i64,
    pub per: i64,
}

impl Price {
    /// This price less a rate in basis points (500 is 5%), to the nearest minor unit, halves up.
    #[must_use]
    pub fn less(self, rate_bp: i64) -> Price {
        Price { amount: rate_of(self.amount, 10_000 - rate_bp), per: self.per }
    }

    /// Cheaper for each unit than the other, exactly: 500 for 3 is below 167 for 1.
    #[must_use]
    pub fn is_below(self, other: Price) -> bool {
        i128::from(self.amount) * i128::from(other.per) < i128::from(other.amount) * i128::from(self.per)
    }
}

/// A rate in basis points of an amount, rounded half up (away from zero for negative amounts).
#[must_use]
pub fn rate_of(amount: i64, rate_bp: i64) -> i64 {
    let product = i128::from(amount) * i128::from(rate_bp);
    let rounded = (product.abs() + 5_000) / 10_000 * product.signum();
    i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
}

/// A rate as people write it: 500 is "5%", 1250 is "12.5%".
#[must_use]
pub fn percent(rate_bp: i64) -> String {
    let (whole, rest) = (rate_bp / 100, (rate_bp % 100).abs());
    match (rest, rest % 10) {
        (0, _) => format!("{whole}%"),
        (_, 0) => format!("{whole}.{}%", rest / 10),
        _ => format!("{whole}.{rest:02}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_rounds_half_up_and_survives_extremes() {
        assert_eq!(rate_of(199, 9_500), 189);
        assert_eq!(rate_of(190, 9_500), 181);
        assert_eq!(rate_of(-190, 9_500), -181);
        assert_eq!(rate_of(i64::MAX, 20_000), i64::MAX);
    }

    #[test]
    fn a_rate_reads_as_a_percentage() {
        assert_eq!([500, 1_250, 1_205, 5].map(percent), ["5%", "12.5%", "12.05%", "0.05%"]);
    }

    #[test]
    fn prices_compare_by_the_unit() {
        assert!(Price { amount: 500, per: 3 }.is_below(Price { amount: 167, per: 1 }));
        assert!(!Price { amount: 501, per: 3 }.is_below(Price { amount: 167, per: 1 }));
    }

    #[test]
    fn a_price_keeps_its_units() {
        assert_eq!(Price { amount: 500, per: 3 }.less(1_000), Price { amount: 450, per: 3 });
    }
}
