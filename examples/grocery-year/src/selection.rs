//! Which weeks and stores of the year are chosen, as written on the command line: `1-4,9` and `367,406` or `all`.
//! Reads no data.

use std::collections::BTreeSet;
use std::str::FromStr;

/// The number of a week in the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Week(u8);

impl Week {
    /// The data begins on a Sunday, alone in week 1, and ends on a Sunday in week 53.
    pub(crate) const LAST: u8 = 53;

    /// A week from 1 to 53.
    pub(crate) fn new(number: u8) -> Option<Self> {
        (1..=Self::LAST).contains(&number).then_some(Self(number))
    }

    /// 1 to 53.
    pub(crate) fn number(self) -> u8 {
        self.0
    }
}

/// Weeks in order, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Weeks {
    first: Week,
    others: BTreeSet<Week>,
}

impl Weeks {
    fn new(mut weeks: BTreeSet<Week>) -> Option<Self> {
        let first = weeks.pop_first()?;
        Some(Self { first, others: weeks })
    }

    /// The earliest.
    pub(crate) fn first(&self) -> Week {
        self.first
    }

    /// The weeks in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Week> + '_ {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }
}

impl FromStr for Weeks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let week = |part: &str| {
            let number = part.trim().parse().ok().and_then(Week::new);
            number.ok_or_else(|| format!("`{part}` is no week: 1 to {}", Week::LAST))
        };
        let mut weeks = BTreeSet::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (week(first)?, week(last)?);
            if first > last {
                return Err(format!("`{part}` runs backwards"));
            }
            weeks.extend((first.0..=last.0).map(Week));
        }
        Self::new(weeks).ok_or_else(|| "no week".to_owned())
    }
}

/// All stores, or some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stores {
    /// Every store of the data.
    All,
    /// These, by their number in the data.
    Some(BTreeSet<u32>),
}

impl Stores {
    /// Whether the store is chosen.
    pub(crate) fn contains(&self, store: u32) -> bool {
        match self {
            Self::All => true,
            Self::Some(stores) => stores.contains(&store),
        }
    }
}

impl FromStr for Stores {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let store =
            |part: &str| part.trim().parse().map_err(|_| format!("`{part}` is no store: a number, or `all`"));
        text.split(',').map(store).collect::<Result<_, _>>().map(Self::Some)
    }
}

/// Two stores over eight weeks, one of which begins summer time: small, and there is every kind of basket in it.
pub(crate) fn slice() -> (Weeks, Stores) {
    let weeks = Weeks { first: Week(8), others: (9..=15).map(Week).collect() };
    (weeks, Stores::Some([367, 406].into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Result<Vec<u8>, String> {
        text.parse::<Weeks>().map(|weeks| weeks.iter().map(Week::number).collect())
    }

    #[test]
    fn weeks_are_numbers_and_ranges() {
        assert_eq!(numbers("1-3,9, 2"), Ok(vec![1, 2, 3, 9]));
        assert_eq!(numbers("53"), Ok(vec![53]));
    }

    #[test]
    fn a_week_that_is_not_in_the_year_is_refused() {
        for wrong in ["0", "54", "", "1-", "5-2", "a", "1-99"] {
            assert!(numbers(wrong).is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn stores_are_all_or_listed() {
        assert_eq!("all".parse(), Ok(Stores::All));
        assert!("367,406".parse::<Stores>().is_ok_and(|stores| stores.contains(406) && !stores.contains(2)));
        assert!("".parse::<Stores>().is_err());
    }
}
