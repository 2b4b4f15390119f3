//! What has to hold when a world has come to rest, whichever way it went: every trade is over or before a person, every check
//! of the capabilities is clean, and nothing that somebody held is left without an owner.

use std::collections::{BTreeMap, BTreeSet};

use mortise_capability::{Entry, Stands};

use super::way::Way;
use crate::Failure;
use crate::books::money;
use crate::play::Play;
use crate::script::{Deed, World};

/// An account: tenant, owner, account, currency.
type Account = (String, String, String, Option<String>);

/// What a way has come to.
#[derive(Debug)]
pub(super) struct Came {
    trades: Vec<Trade>,
    answers: BTreeMap<String, String>,
    /// By how much accounts have changed, and how long that may stand.
    moved: BTreeMap<Account, (i64, Stands)>,
    /// What the books and the peers' own say of the same accounts.
    ours: BTreeMap<Account, i64>,
    theirs: BTreeMap<Account, i64>,
    findings: Vec<String>,
}

#[derive(Debug)]
struct Trade {
    name: String,
    key: Option<String>,
    outcome: Option<String>,
    /// Where it stands, if it is open.
    position: String,
    /// A person was told of it.
    noticed: bool,
}

impl Trade {
    fn failed(&self) -> bool {
        self.outcome.as_deref().is_some_and(|outcome| outcome.starts_with("failed:"))
    }

    /// Over, and nobody has to look after it.
    fn is_settled(&self) -> bool {
        self.outcome.is_some() && !self.noticed
    }
}

impl Came {
    pub(super) fn of(play: &Play<'_>) -> Result<Self, Failure> {
        let engine = play.house.engine();
        let after = play.books()?;
        let (findings, noticed) = play
            .house
            .block_on(async { Ok::<_, Failure>((engine.verify().await?, engine.noticed().await?)) })?;
        let noticed: BTreeSet<_> = noticed.into_iter().map(|noticed| noticed.trade).collect();
        let trades = play.watch.trades().map(|(id, followed)| Trade {
            name: followed.name.to_string(),
            key: followed.key.clone(),
            outcome: followed.outcome.clone(),
            position: followed.state.position(),
            noticed: followed.held || noticed.contains(id),
        });
        let mut moved: BTreeMap<Account, (i64, Stands)> = BTreeMap::new();
        for (entries, sign) in [(&play.before, -1), (&after, 1)] {
            for entry in entries {
                moved.entry(account(entry)).or_insert((0, entry.stands)).0 += sign * entry.amount;
            }
        }
        moved.retain(|_, (amount, _)| *amount != 0);
        let findings = findings
            .into_iter()
            .map(|(check, finding)| format!("{check}: {}: {}", finding.subject, finding.problem));
        Ok(Self {
            trades: trades.collect(),
            answers: play.answers.clone(),
            moved,
            ours: sums(&after),
            theirs: sums(&play.house.peers.entries()),
            findings: findings.collect(),
        })
    }
}

fn account(entry: &Entry) -> Account {
    (entry.tenant.clone(), entry.owner.clone(), entry.account.clone(), entry.currency.clone())
}

fn sums(entries: &[Entry]) -> BTreeMap<Account, i64> {
    let mut sums = BTreeMap::new();
    for entry in entries {
        *sums.entry(account(entry)).or_default() += entry.amount;
    }
    sums
}

/// What is off, a sentence each.
pub(super) fn judge(world: &World, ways: &[Way], base: &Came, came: &Came) -> Vec<String> {
    let mut off = came.findings.clone();
    for trade in &came.trades {
        if trade.outcome.is_none() && !trade.noticed {
            off.push(format!("{} is open: {}", trade.name, trade.position));
        }
    }
    off.extend(left_behind(world, came));
    off.extend(disagreeing(came));
    // What is repeated or cut short by a crash must make no difference.
    let same = |way: &Way| matches!(way, Way::Repeat(_) | Way::Twice(..) | Way::Crash(_));
    if !ways.is_empty() && ways.iter().all(same) {
        off.extend(differing(base, came));
    }
    off
}

/// What is on the books of a trade that is over and may not be.
fn left_behind(world: &World, came: &Came) -> Vec<String> {
    let mut off = Vec::new();
    let all_failed = came.trades.iter().all(Trade::failed) && only_trades(world);
    for (account, (amount, stands)) in &came.moved {
        let (_, owner, ..) = account;
        let of: Vec<&Trade> =
            came.trades.iter().filter(|trade| trade.key.as_deref() == Some(owner.as_str())).collect();
        let whose: Vec<&Trade> = if of.is_empty() { came.trades.iter().collect() } else { of };
        let problem = match stands {
            Stands::WhileOpen if whose.iter().all(|trade| trade.is_settled()) => {
                "is left, and every trade is over"
            }
            Stands::ForGood if all_failed => "is left, and every trade has failed",
            Stands::ForGood
                if !whose.is_empty() && !owner.is_empty() && whose.iter().all(|trade| trade.failed()) =>
            {
                "is left of a trade that has failed"
            }
            _ => continue,
        };
        off.push(format!("{} {problem}", words(account, *amount)));
    }
    off
}

/// Whether nothing moves the shop's own books but trades.
fn only_trades(world: &World) -> bool {
    !world.script.iter().any(|entry| matches!(entry.deed, Deed::Operation { .. }))
}

/// Where the peers' books say otherwise than ours.
fn disagreeing(came: &Came) -> Vec<String> {
    if came.trades.iter().any(|trade| !trade.is_settled()) {
        return Vec::new();
    }
    let accounts: BTreeSet<&str> = came.theirs.keys().map(|(_, _, account, _)| account.as_str()).collect();
    let ours = came.ours.keys().filter(|(_, _, account, _)| accounts.contains(account.as_str()));
    let all: BTreeSet<&Account> = came.theirs.keys().chain(ours).collect();
    let sum = |of: &BTreeMap<Account, i64>, account: &Account| of.get(account).copied().unwrap_or(0);
    let differing = all.into_iter().filter_map(|account| {
        let (ours, theirs) = (sum(&came.ours, account), sum(&came.theirs, account));
        (ours != theirs).then(|| format!("{}: the peer has {}", words(account, ours), plain(account, theirs)))
    });
    differing.collect()
}

/// What is otherwise than it was when nothing happened.
fn differing(base: &Came, came: &Came) -> Vec<String> {
    let outcomes = |of: &Came| -> BTreeMap<String, Option<String>> {
        of.trades.iter().map(|trade| (trade.name.clone(), trade.outcome.clone())).collect()
    };
    let (was, is) = (outcomes(base), outcomes(came));
    let mut off = Vec::new();
    if was != is {
        off.push(format!("the trades end otherwise: {is:?} instead of {was:?}"));
    }
    if base.answers != came.answers {
        off.push(format!("the answers are others: {:?} instead of {:?}", came.answers, base.answers));
    }
    let amount = |of: &Came, account: &Account| of.moved.get(account).map_or(0, |(amount, _)| *amount);
    let all: BTreeSet<&Account> = base.moved.keys().chain(came.moved.keys()).collect();
    off.extend(all.into_iter().filter_map(|account| {
        let (was, is) = (amount(base, account), amount(came, account));
        (was != is).then(|| format!("{} instead of {}", words(account, is), plain(account, was)))
    }));
    off
}

fn words(account: &Account, amount: i64) -> String {
    let (_, owner, name, _) = account;
    let whose = if owner.is_empty() { String::new() } else { format!(" of {owner}") };
    format!("{name}{whose}: {}", plain(account, amount))
}

fn plain((.., currency): &Account, amount: i64) -> String {
    match currency {
        Some(currency) => money(amount, currency),
        None => amount.to_string(),
    }
}
