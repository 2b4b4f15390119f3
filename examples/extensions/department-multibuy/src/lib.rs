//! Three for the price of two on everything of one department, whichever items make the three: the cheapest units are
//! free. Which department, how many make a set and how many of it are free is what the binding sets.

use mortise_extension::discount::{Candidate, Line, Order};
use mortise_extension::{Answer, Discount, export};

#[derive(serde::Deserialize)]
struct Config {
    department: String,
    /// Units of a set.
    #[serde(default = "three")]
    take: i64,
    /// Of these, free.
    #[serde(default = "one")]
    free: i64,
}

fn three() -> i64 {
    3
}

fn one() -> i64 {
    1
}

struct DepartmentMultibuy;

impl Discount for DepartmentMultibuy {
    type Config = Config;

    fn propose(config: &Config, order: &Order) -> Answer<Vec<Candidate>> {
        let Config { department, take, free } = config;
        if free >= take {
            return Err(format!("of {take} units {free} cannot be free"));
        }
        let of_department = |line: &&Line| line.attribute("department") == Some(department);
        let mut lines: Vec<&Line> = order.lines.iter().filter(of_department).collect();
        let units: i64 = lines.iter().map(|line| line.quantity).sum();
        let free_units = units / take * free;
        if free_units == 0 {
            return Ok(vec![]);
        }
        lines.sort_by_key(|line| line.line_amount / line.quantity);
        let amount_off = cheapest(&lines, free_units);
        if amount_off == 0 {
            return Ok(vec![]);
        }
        Ok(vec![Candidate {
            lane: "items".to_owned(),
            stacking_group: Some("multibuy".to_owned()),
            lines: lines.iter().map(|line| line.line_id.clone()).collect(),
            amount_off,
            reason: format!("{take} for the price of {} in {department}", take - free),
        }])
    }
}

/// What the first units cost, of lines from the cheapest on. A share of a line is rounded down.
fn cheapest(lines: &[&Line], mut units: i64) -> i64 {
    let mut amount = 0;
    for line in lines {
        let taken = units.min(line.quantity);
        amount += (i128::from(line.line_amount) * i128::from(taken) / i128::from(line.quantity)) as i64;
        units -= taken;
    }
    amount
}

export!(DepartmentMultibuy: Discount);
