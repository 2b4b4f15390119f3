//! The books of all capabilities together: how they moved, and whether they balance. What stands in them is the
//! capabilities' own account.

use std::collections::BTreeMap;

use mortise_capability::{Book, Entry, StoreError};
use mortise_store::Reader;
use mortise_types::{Amount, Currency};

/// What is in all books at a moment.
pub(crate) async fn read(books: &[Book], reader: &Reader<'_>) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    for book in books {
        entries.extend((book.run)(reader).await?);
    }
    Ok(entries)
}

type Account = (String, Option<String>);

/// By how much accounts have changed, in the order in which the books name them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Moves(Vec<(Account, i64)>);

impl Moves {
    /// Adds what else happened; what comes to nothing falls away.
    pub(crate) fn add(&mut self, other: &Moves) {
        for (account, amount) in &other.0 {
            match self.0.iter_mut().find(|(known, _)| known == account) {
                Some((_, sum)) => *sum += amount,
                None => self.0.push((account.clone(), *amount)),
            }
        }
        self.0.retain(|(_, amount)| *amount != 0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `tea at berlin, reserved +4`, `order_funds +18.94 EUR`.
    pub(crate) fn words(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|((account, currency), amount)| {
                format!("{account} {}", signed(*amount, currency.as_deref()))
            })
            .collect()
    }
}

/// An amount with its sign, money as its currency is written.
fn signed(amount: i64, currency: Option<&str>) -> String {
    let sign = if amount < 0 { "−" } else { "+" };
    let size = i64::try_from(amount.unsigned_abs()).unwrap_or(i64::MAX);
    match currency {
        None => format!("{sign}{size}"),
        Some(currency) => format!("{sign}{}", money(size, currency)),
    }
}

/// `18.94 EUR`.
pub(crate) fn money(amount: i64, currency: &str) -> String {
    match Currency::new(currency) {
        Ok(known) => format!("{} {known}", known.format_amount(Amount(amount))),
        Err(_) => format!("{amount} {currency}"),
    }
}

/// How the books moved between two moments.
pub(crate) fn moves(before: &[Entry], after: &[Entry]) -> Moves {
    let mut sums: BTreeMap<usize, i64> = BTreeMap::new();
    let mut accounts: Vec<Account> = Vec::new();
    let mut add = |entry: &Entry, sign: i64| {
        let account = (entry.account.clone(), entry.currency.clone());
        let place = accounts.iter().position(|known| *known == account).unwrap_or_else(|| {
            accounts.push(account);
            accounts.len() - 1
        });
        *sums.entry(place).or_default() += sign * entry.amount;
    };
    before.iter().for_each(|entry| add(entry, -1));
    after.iter().for_each(|entry| add(entry, 1));
    let moved = sums.into_iter().filter(|(_, amount)| *amount != 0);
    Moves(moved.map(|(place, amount)| (accounts[place].clone(), amount)).collect())
}
