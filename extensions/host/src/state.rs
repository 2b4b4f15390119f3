//! What the host keeps for one call: its limits, its frozen time, its seed, its log. Made anew for every call, and gone
//! with it.

use mortise_points::CallIdentity;
use mortise_types::Timestamp;
use wasmtime::ResourceLimiter;

use crate::limits::Granted;

/// The state of one call.
#[derive(Debug)]
pub(crate) struct CallState {
    granted: Granted,
    trade_time: Timestamp,
    seed: [u8; 32],
    drawn_bytes: u64,
    log: Vec<u8>,
    unlogged_bytes: usize,
    refused_bytes: Option<usize>,
    overdrawn: bool,
}

impl CallState {
    pub(crate) fn new(granted: Granted, trade_time: Timestamp, call: CallIdentity<'_>) -> Self {
        let CallIdentity { instance, step, attempt, customer: _ } = call;
        let mut seed = blake3::Hasher::new();
        for part in [instance, step] {
            seed.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        let seed = *seed.update(&attempt.to_le_bytes()).finalize().as_bytes();
        CallState {
            granted,
            trade_time,
            seed,
            drawn_bytes: 0,
            log: Vec::new(),
            unlogged_bytes: 0,
            refused_bytes: None,
            overdrawn: false,
        }
    }

    pub(crate) fn granted(&self) -> Granted {
        self.granted
    }

    pub(crate) fn trade_time(&self) -> Timestamp {
        self.trade_time
    }

    /// The next bytes of the call's own sequence.
    pub(crate) fn draw(&mut self, into: &mut [u8]) {
        let mut sequence = blake3::Hasher::new_keyed(&self.seed).finalize_xof();
        sequence.set_position(self.drawn_bytes);
        sequence.fill(into);
        self.drawn_bytes += into.len() as u64;
    }

    /// Keeps what the cap allows, counts the rest.
    pub(crate) fn write_log(&mut self, bytes: &[u8]) {
        let room = self.granted.log_bytes.saturating_sub(self.log.len());
        let kept = bytes.len().min(room);
        self.log.extend_from_slice(&bytes[..kept]);
        self.unlogged_bytes = self.unlogged_bytes.saturating_add(bytes.len() - kept);
    }

    /// What it wrote, as text; `None` if nothing.
    pub(crate) fn log(&self) -> Option<String> {
        if self.log.is_empty() {
            return None;
        }
        let mut text = String::from_utf8_lossy(&self.log).trim_end().to_owned();
        if self.unlogged_bytes > 0 {
            text.push_str(&format!(" [and {} bytes more]", self.unlogged_bytes));
        }
        Some(text)
    }

    /// The memory that it wanted and did not get, in bytes.
    pub(crate) fn refused_bytes(&self) -> Option<usize> {
        self.refused_bytes
    }

    /// Whether it wanted a larger table than it may have.
    pub(crate) fn overdrawn(&self) -> bool {
        self.overdrawn
    }
}

/// Growth beyond the grant is refused, not trapped: a language's runtime may collect its garbage and go on.
impl ResourceLimiter for CallState {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let most = maximum.unwrap_or(usize::MAX).min(self.granted.memory_bytes);
        if desired > most {
            self.refused_bytes = Some(desired);
        }
        Ok(desired <= most)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let most = maximum.unwrap_or(usize::MAX).min(self.granted.table_elements);
        self.overdrawn |= desired > most;
        Ok(desired <= most)
    }
}
