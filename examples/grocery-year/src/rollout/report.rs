//! What a rollout came to, phase by phase, and whether it held. Adds up and prints; compares no two proofs.

use std::collections::BTreeMap;
use std::io::Write;

use crate::platform::Verified;
use crate::report::money;
use crate::rollout::Phase;
use crate::rollout::proof::Compared;
use crate::rollout::trial::{CANARY, Trial};

/// The extension that has a part in every order that it counts for.
const IN_EVERY_ORDER: &str = "regional-delivery-fee";
/// Problems that are printed.
const SHOWN: usize = 5;

/// One phase.
#[derive(Debug)]
pub(crate) struct PhaseReport {
    pub(crate) phase: Phase,
    pub(crate) weeks: Vec<u8>,
    /// Baskets that were sold on both lines.
    baskets: usize,
    /// Payable, in cents: at the tills, without extensions, with.
    till: i64,
    plain: i64,
    tried: i64,
    extensions: BTreeMap<String, Change>,
    /// What other rules changed because of them, in cents.
    others: i64,
    /// Orders of a household: all, and those for which extensions counted.
    households: BTreeMap<u32, (usize, usize)>,
    /// What the platform has seen of the trials, at the phase's end.
    pub(crate) trials: Vec<Trial>,
    pub(crate) wrong: Vec<String>,
}

/// What an extension changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Change {
    orders: usize,
    amount: i64,
}

impl PhaseReport {
    pub(crate) fn new(phase: Phase) -> Self {
        Self {
            phase,
            weeks: Vec::new(),
            baskets: 0,
            till: 0,
            plain: 0,
            tried: 0,
            extensions: BTreeMap::new(),
            others: 0,
            households: BTreeMap::new(),
            trials: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// Adds a basket that was sold on both lines.
    pub(crate) fn add(&mut self, household: u32, compared: &Compared) {
        self.baskets += 1;
        self.till += compared.till;
        self.plain += compared.plain;
        self.tried += compared.tried;
        self.others += compared.others;
        let counted = compared.extensions.keys().any(|source| source.starts_with(IN_EVERY_ORDER));
        let (all, some) = self.households.entry(household).or_default();
        *all += 1;
        *some += usize::from(counted);
        for (source, amount) in &compared.extensions {
            let change = self.extensions.entry(source.clone()).or_default();
            change.orders += 1;
            change.amount += amount;
        }
        self.wrong.extend(compared.problem().map(|problem| format!("household {household}: {problem}")));
    }

    /// What does not hold of the phase as a whole.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut hold = |holds: bool, problem: &str| {
            if !holds {
                problems.push(problem.to_owned());
            }
        };
        let counted = self.households.values().filter(|(_, some)| *some > 0).count();
        hold(self.baskets > 0, "nothing was sold");
        hold(
            self.households.values().all(|(all, some)| *some == 0 || some == all),
            "a household had the extensions in some of its orders only",
        );
        match self.phase {
            Phase::Shadow => {
                hold(self.tried == self.plain && self.extensions.is_empty(), "a shadow changed an order");
                hold(self.trials.len() == 3, "not every shadow was seen");
                hold(
                    self.trials.iter().all(|trial| usize::try_from(trial.orders) == Ok(self.baskets)),
                    "a shadow was not asked for every order",
                );
            }
            Phase::Canary => hold(
                counted > 0 && counted < self.households.len(),
                "a canary counted for everybody or for nobody",
            ),
            Phase::Live => {
                hold(counted == self.households.len(), "what is live did not count for everybody");
            }
        }
        hold(self.trials.iter().all(|trial| trial.failures == 0), "an extension failed");
        problems
    }

    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let weeks = self.weeks.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        writeln!(out, "\n{}: weeks {weeks}, {} baskets on each line", self.phase.name(), self.baskets)?;
        writeln!(out, "  {:<44}{:>14}", "at the tills", money(self.till))?;
        writeln!(out, "  {:<44}{:>14}", "the line without extensions", money(self.plain))?;
        writeln!(out, "  {:<44}{:>14}", "the line that tries them", money(self.tried))?;
        writeln!(out, "  {:<44}{:>14}", "difference", money(self.tried - self.plain))?;
        for (source, Change { orders, amount }) in &self.extensions {
            let name = format!("    {source}, {orders} orders");
            writeln!(out, "  {name:<44}{:>14}", money(*amount))?;
        }
        if self.others != 0 {
            writeln!(out, "  {:<44}{:>14}", "    specials, capped at lower prices", money(self.others))?;
        }
        if self.phase == Phase::Canary {
            let counted = self.households.values().filter(|(_, some)| *some > 0).count();
            let all = self.households.len();
            writeln!(
                out,
                "  counted for {counted} of {all} households ({CANARY}% were asked for), in all of their orders"
            )?;
        }
        for Trial { extension, point, orders, failures, difference } in &self.trials {
            let difference = money(*difference);
            writeln!(
                out,
                "  seen of {extension} at {point}: {orders} orders, {failures} failures, {difference} apart from live"
            )?;
        }
        let problems = self.problems();
        for problem in problems.iter().chain(self.wrong.iter().take(SHOWN)) {
            writeln!(out, "  WRONG: {problem}")?;
        }
        if self.wrong.len() > SHOWN {
            writeln!(out, "  WRONG: {} more", self.wrong.len() - SHOWN)?;
        }
        Ok(())
    }
}

/// The whole rollout.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) phases: Vec<PhaseReport>,
    pub(crate) verified: Verified,
}

impl Report {
    /// Whether all held, to the cent.
    pub(crate) fn holds(&self) -> bool {
        let phase_holds = |phase: &PhaseReport| phase.wrong.is_empty() && phase.problems().is_empty();
        self.phases.len() == 3 && self.phases.iter().all(phase_holds) && self.verified == Verified::Clean
    }

    /// Prints it.
    pub(crate) fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(out, "Three extensions on one business line, none on the other; the same baskets, in USD")?;
        for phase in &self.phases {
            phase.write(out)?;
        }
        let verified = match self.verified {
            Verified::Clean => "nothing is off",
            Verified::Broken => "NOT CLEAN, see above",
        };
        writeln!(out, "\n`mortise verify` behind the kill: {verified}")?;
        let verdict = match self.holds() {
            true => "Every difference is what the price proofs say, to the cent.",
            false => "It did not hold.",
        };
        writeln!(out, "{verdict}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(tried: i64, extensions: &[(&str, i64)]) -> Compared {
        let extensions = extensions.iter().map(|(source, amount)| ((*source).to_owned(), *amount)).collect();
        Compared { till: 30, plain: 30, tried, extensions, others: 0, is_same_list: true, is_leaked: false }
    }

    #[test]
    fn a_canary_that_wavers_between_orders_of_a_household_is_told() {
        let mut phase = PhaseReport::new(Phase::Canary);
        phase.add(1, &compared(32, &[(IN_EVERY_ORDER, 2)]));
        phase.add(2, &compared(30, &[]));
        assert_eq!(phase.problems(), [""; 0]);
        phase.add(1, &compared(30, &[]));
        assert!(phase.problems()[0].contains("some of its orders only"));
    }

    #[test]
    fn a_shadow_that_counts_is_told() {
        let mut phase = PhaseReport::new(Phase::Shadow);
        phase.add(1, &compared(32, &[(IN_EVERY_ORDER, 2)]));
        assert!(phase.problems().iter().any(|problem| problem.contains("a shadow changed an order")));
        assert!(phase.wrong.is_empty(), "the proof itself is true: {:?}", phase.wrong);
    }

    #[test]
    fn a_difference_that_no_proof_explains_is_told() {
        let mut phase = PhaseReport::new(Phase::Live);
        phase.add(1, &compared(31, &[(IN_EVERY_ORDER, 2)]));
        assert_eq!(phase.wrong, ["household 1: 1 apart, of which the proofs say 2"]);
    }
}
