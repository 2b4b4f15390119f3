//! What an extension may use: what its manifest asks for, held under the host's ceilings.
//! Enforcement is elsewhere; this is the arithmetic.

use std::time::Duration;

use crate::manifest::Asks;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The most that any extension gets, and what one gets that does not ask.
#[derive(Clone, Copy, Debug)]
pub struct Ceilings {
    /// The most fuel for every call, whatever its size: starting up and reading the config.
    pub fuel_per_call: u64,
    /// The most fuel for each line of the question.
    pub fuel_per_line: u64,
    /// The most linear memory of an instance, in bytes.
    pub memory_bytes: usize,
    /// The most elements of a table.
    pub table_elements: usize,
    /// The most bytes that an answer takes in the host.
    pub output_bytes: usize,
    /// The most bytes of a call's log that are kept.
    pub log_bytes: usize,
    /// The longest that a call may run. Fuel ends a loop long before; this bounds what fuel does not measure.
    pub deadline: Duration,
    /// The most calls at a time; others wait for one to end.
    pub concurrent_calls: u32,
    /// The largest component file, in bytes.
    pub component_bytes: usize,
}

/// What a manifest gets that does not ask. A compiled language starts with less; an interpreter asks for more.
const USUAL_FUEL_PER_CALL: u64 = 1_000_000;
const USUAL_FUEL_PER_LINE: u64 = 50_000;
const USUAL_MEMORY_BYTES: usize = 16 * MIB;

impl Default for Ceilings {
    fn default() -> Self {
        Ceilings {
            fuel_per_call: 50_000_000,
            fuel_per_line: 500_000,
            memory_bytes: 64 * MIB,
            table_elements: 20_000,
            output_bytes: MIB,
            log_bytes: 4 * KIB,
            deadline: Duration::from_millis(250),
            concurrent_calls: 64,
            component_bytes: 32 * MIB,
        }
    }
}

/// What one extension gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Fuel for every call.
    pub fuel_per_call: u64,
    /// Fuel for each line of the question.
    pub fuel_per_line: u64,
    /// Linear memory, in bytes.
    pub memory_bytes: usize,
    /// Elements of a table.
    pub table_elements: usize,
    /// Bytes of an answer.
    pub output_bytes: usize,
    /// Bytes of a call's log.
    pub log_bytes: usize,
}

impl Granted {
    /// What is asked for, as far as the ceilings allow.
    #[must_use]
    pub fn new(asks: Asks, ceilings: &Ceilings) -> Self {
        Granted {
            fuel_per_call: asks.fuel_per_call.unwrap_or(USUAL_FUEL_PER_CALL).min(ceilings.fuel_per_call),
            fuel_per_line: asks.fuel_per_line.unwrap_or(USUAL_FUEL_PER_LINE).min(ceilings.fuel_per_line),
            memory_bytes: asks.memory_bytes.unwrap_or(USUAL_MEMORY_BYTES).min(ceilings.memory_bytes),
            table_elements: ceilings.table_elements,
            output_bytes: ceilings.output_bytes,
            log_bytes: ceilings.log_bytes,
        }
    }

    /// The fuel of a call with so many lines.
    #[must_use]
    pub fn fuel(&self, lines: usize) -> u64 {
        let lines = u64::try_from(lines).unwrap_or(u64::MAX);
        self.fuel_per_call.saturating_add(self.fuel_per_line.saturating_mul(lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceilings_stay_above_what_is_asked() {
        let ceilings = Ceilings::default();
        let asks = |fuel_per_call, fuel_per_line, memory_bytes| {
            Granted::new(Asks { fuel_per_call, fuel_per_line, memory_bytes }, &ceilings)
        };
        let modest = asks(Some(1_000), Some(10), Some(MIB));
        assert_eq!((modest.fuel_per_line, modest.memory_bytes), (10, MIB));
        assert_eq!(modest.fuel(3), 1_030);
        let greedy = asks(Some(u64::MAX), Some(u64::MAX), Some(usize::MAX));
        assert_eq!((greedy.fuel_per_line, greedy.memory_bytes), (500_000, 64 * MIB));
        assert_eq!(greedy.fuel_per_call, 50_000_000);
        let silent = Granted::new(Asks::default(), &ceilings);
        assert_eq!((silent.fuel_per_line, silent.memory_bytes), (50_000, 16 * MIB));
        assert_eq!(silent.fuel_per_call, 1_000_000);
    }
}
