//! How often requests are put off, and when the log hears of it: a server that refuses thousands a second because it has too much
//! to do would have more to do by a line for each. Which requests are put off is not decided here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Between two lines about the same code.
const PAUSE: Duration = Duration::from_secs(1);

/// What the log has heard, by the fault's code.
#[derive(Debug, Default)]
pub(crate) struct PutOff(Mutex<HashMap<&'static str, Told>>);

#[derive(Debug)]
struct Told {
    at: Instant,
    unsaid: u64,
}

impl PutOff {
    /// Counts one. If the log is to hear of it: how many it has not heard of since the last that it has.
    pub(crate) fn count(&self, code: &'static str, now: Instant) -> Option<u64> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match codes.get_mut(code) {
            Some(told) if now.duration_since(told.at) < PAUSE => {
                told.unsaid += 1;
                None
            }
            told => {
                let unsaid = told.map_or(0, |told| told.unsaid);
                codes.insert(code, Told { at: now, unsaid: 0 });
                Some(unsaid)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_second_is_told_and_the_others_are_counted() {
        let (put_off, begin) = (PutOff::default(), Instant::now());
        assert_eq!(put_off.count("overloaded", begin), Some(0));
        assert_eq!(put_off.count("overloaded", begin), None);
        assert_eq!(put_off.count("overloaded", begin + PAUSE / 2), None);
        assert_eq!(put_off.count("store-unavailable", begin), Some(0), "another code has a line of its own");
        assert_eq!(put_off.count("overloaded", begin + PAUSE), Some(2));
        assert_eq!(put_off.count("overloaded", begin + 2 * PAUSE), Some(0));
    }
}
