//! What comes back late is worth a share of what was paid: from which day, and which share, is what the binding sets.
//! It refuses nothing.

use mortise_extension::refund_check::{Asked, Ruling};
use mortise_extension::{Answer, RefundCheck, export, percent, rate_of};

#[derive(serde::Deserialize)]
struct Config {
    days: i64,
    /// Of what was paid, in basis points: 5000 is half.
    share_bp: i64,
}

struct Extension;

impl RefundCheck for Extension {
    type Config = Config;

    fn rule(config: &Config, asked: &Asked) -> Answer<Ruling> {
        let days = asked.days();
        let reason = format!("back after {days} days, {} of the price", percent(config.share_bp));
        let late = asked.lines.iter().filter(|_| days > config.days);
        let caps = late.map(|line| line.at_most(rate_of(line.paid, config.share_bp), reason.clone()));
        Ok(Ruling { refusals: vec![], caps: caps.collect() })
    }
}

export!(Extension: RefundCheck);
