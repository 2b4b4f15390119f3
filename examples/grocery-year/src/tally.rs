//! Adds up what the platform answered, order by order, against the till.
//! Prints nothing; report.rs does.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::measure::Latencies;
use crate::order::Order;
use crate::send::Answered;

/// What one business line sold.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Orders that were sent.
    pub(crate) orders: usize,
    /// Orders whose payable amount is the one that is due.
    pub(crate) exact: usize,
    /// Orders whose payable amount is what the till charged for these lines.
    pub(crate) at_till: usize,
    /// Orders of whole baskets, and those of them that came out at the till's total.
    pub(crate) whole: Share,
    /// Payable amounts of exact orders, in cents.
    pub(crate) sold: i64,
    /// What the till charged for the same orders, in cents.
    pub(crate) till: i64,
    /// By department, the lines of exact orders.
    pub(crate) departments: Vec<Department>,
    /// Exact orders by week.
    pub(crate) weeks: BTreeMap<u8, WeekSold>,
    /// Orders with another payable amount than due.
    pub(crate) wrong: Vec<Wrong>,
    /// Orders that were not taken, by code.
    pub(crate) refused: BTreeMap<String, Refused>,
    pub(crate) latencies: Latencies,
    /// Time during which orders were sent.
    pub(crate) elapsed: Duration,
}

/// Some of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) of: usize,
    pub(crate) some: usize,
}

impl Share {
    fn add(&mut self, counts: impl Into<usize>) {
        self.of += 1;
        self.some += counts.into();
    }
}

/// Exact orders of a week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WeekSold {
    pub(crate) orders: usize,
    /// Payable amounts by department, in cents.
    pub(crate) departments: Vec<i64>,
}

/// A department's lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Department {
    /// Payable amounts in cents.
    pub(crate) sold: i64,
    /// Lines, and those of them that came out at the till's amount.
    pub(crate) lines: Share,
}

/// An order that came out wrong.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) order: String,
    pub(crate) due: i64,
    pub(crate) payable: i64,
}

/// Orders that were not taken for one reason.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) orders: usize,
    /// The first of them, and what was said.
    pub(crate) example: String,
}

impl Tally {
    /// Nothing sold yet.
    pub(crate) fn new(departments: usize) -> Self {
        Self {
            orders: 0,
            exact: 0,
            at_till: 0,
            whole: Share::default(),
            sold: 0,
            till: 0,
            departments: vec![Department::default(); departments],
            weeks: BTreeMap::new(),
            wrong: Vec::new(),
            refused: BTreeMap::new(),
            latencies: Latencies::default(),
            elapsed: Duration::ZERO,
        }
    }

    /// Whether every order came out as due.
    pub(crate) fn holds(&self) -> bool {
        self.exact == self.orders
    }

    /// Adds an answered order.
    pub(crate) fn add(&mut self, answered: Answered) {
        let Answered { order, payable, latency } = answered;
        self.orders += 1;
        self.latencies.push(latency);
        match payable {
            Ok(payable) if payable == order.due() => self.add_exact(&order),
            Ok(payable) => self.wrong.push(Wrong { order: order.id(), due: order.due(), payable }),
            Err(refusal) => {
                let first = || Refused { orders: 0, example: format!("{}: {}", order.id(), refusal.detail) };
                self.refused.entry(refusal.code.clone()).or_insert_with(first).orders += 1;
            }
        }
    }

    fn add_exact(&mut self, order: &Order) {
        let (due, till) = (order.due(), order.till());
        self.exact += 1;
        self.sold += due;
        self.till += till;
        self.at_till += usize::from(due == till);
        if order.lines().count() == order.basket.lines.len() {
            self.whole.add(due == till);
        }
        let nothing = || WeekSold { orders: 0, departments: vec![0; self.departments.len()] };
        let week = self.weeks.entry(order.week.number()).or_insert_with(nothing);
        week.orders += 1;
        for line in order.lines() {
            let (department, amount) = (usize::from(line.department), order.amount_of(line));
            week.departments[department] += amount;
            self.departments[department].sold += amount;
            self.departments[department].lines.add(amount == line.till);
        }
    }

    /// Lines of exact orders, and those of them that came out at the till's amount.
    pub(crate) fn lines(&self) -> Share {
        let add = |sum: Share, department: &Department| Share {
            of: sum.of + department.lines.of,
            some: sum.some + department.lines.some,
        };
        self.departments.iter().fold(Share::default(), add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Refusal;
    use crate::order::BusinessLine;
    use crate::order::tests::order;

    fn answered(payable: Result<i64, &str>) -> Answered {
        let basket = r#"{"basket":"33","store":"2","household":"9","verdict":"exact","because":[],
            "till":30,"lines":[["7",3,10,0,11],["8",1,20,1,20]]}"#;
        let refusal = |code: &str| Refusal { code: code.to_owned(), detail: "no".to_owned() };
        Answered {
            order: order(BusinessLine::Learned, basket),
            payable: payable.map_err(refusal),
            latency: Duration::from_millis(1),
        }
    }

    #[test]
    fn orders_are_exact_wrong_or_refused() {
        let mut tally = Tally::new(2);
        for payable in [Ok(31), Ok(30), Err("busy"), Err("busy")] {
            tally.add(answered(payable));
        }
        assert_eq!(
            (tally.orders, tally.exact, tally.wrong.len(), tally.refused["busy"].orders),
            (4, 1, 1, 2)
        );
        assert_eq!((tally.wrong[0].due, tally.wrong[0].payable), (31, 30));
        assert!(!tally.holds());
    }

    #[test]
    fn sums_go_to_departments_and_weeks_and_compare_with_the_till() {
        let mut tally = Tally::new(2);
        tally.add(answered(Ok(31)));
        assert!(tally.holds());
        assert_eq!((tally.sold, tally.till, tally.at_till), (31, 30, 0));
        assert_eq!(tally.whole, Share { of: 1, some: 0 });
        assert_eq!(tally.lines(), Share { of: 2, some: 1 });
        assert_eq!(tally.weeks[&2], WeekSold { orders: 1, departments: vec![11, 20] });
        assert_eq!(tally.departments[0], Department { sold: 11, lines: Share { of: 1, some: 0 } });
    }
}
