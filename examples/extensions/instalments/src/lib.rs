//! A total, and a fee for paying later, in equal monthly instalments that add up; cents that do not divide go to the
//! first ones. It knows no customer and grants no credit.

use mortise_extension::{Operation, Refusal, export, rate_of};

#[derive(serde::Deserialize)]
struct Config {
    /// Minor units that an instalment has at least.
    least: i64,
    /// Of the total, in basis points a month.
    fee_bp_per_month: i64,
}

#[derive(serde::Deserialize)]
struct Wish {
    total: i64,
    months: i64,
}

#[derive(serde::Serialize)]
struct Plan {
    fee: i64,
    total: i64,
    instalments: Vec<i64>,
}

#[derive(serde::Serialize)]
struct TooSmall {
    least: i64,
    most_months: i64,
}

struct Instalments;

impl Operation for Instalments {
    type Config = Config;
    type Input = Wish;
    type Output = Plan;

    fn run(config: &Config, Wish { total, months }: Wish, _: i64) -> Result<Plan, Refusal> {
        let fee = rate_of(total, config.fee_bp_per_month * months);
        let whole = total + fee;
        if whole / months < config.least {
            let detail = TooSmall { least: config.least, most_months: total / config.least };
            return Err(Refusal::no("instalments_too_small", &detail));
        }
        let larger = whole % months;
        let instalments = (0..months).map(|month| whole / months + i64::from(month < larger)).collect();
        Ok(Plan { fee, total: whole, instalments })
    }
}

export!(Instalments: Operation);
