//! A fault that happened: its code and the particulars of this case. What is public and what is for the log only are
//! two fields, so that inner errors cannot leave by accident.

use std::error::Error;
use std::fmt;

use mortise_types::Span;

use crate::{FaultCode, codes};

/// An inner error, for the log only.
pub type Source = Box<dyn Error + Send + Sync + 'static>;

/// A fault that happened. `Display` is public text; the source is not part of it and is reached through
/// [`std::error::Error::source`] by the log.
#[derive(Debug)]
pub struct Fault {
    code: &'static FaultCode,
    detail: String,
    pointer: Option<String>,
    reason: Option<String>,
    retry_after: Option<Span>,
    source: Option<Source>,
}

impl Fault {
    /// A fault with a public sentence on this case: what is wrong and, where it can be said, what to do.
    #[must_use]
    pub fn new(code: &'static FaultCode, detail: impl Into<String>) -> Fault {
        Fault { code, detail: detail.into(), pointer: None, reason: None, retry_after: None, source: None }
    }

    /// The input is not what is asked for, at a place given as a JSON Pointer (RFC 6901; empty for the whole).
    #[must_use]
    pub fn invalid_input(pointer: impl Into<String>, detail: impl Into<String>) -> Fault {
        Fault::new(&codes::INVALID_INPUT, detail).at(pointer)
    }

    /// A flow failed with this business code, such as `out_of_stock`.
    #[must_use]
    pub fn trade_failed(reason: impl Into<String>, detail: impl Into<String>) -> Fault {
        Fault { reason: Some(reason.into()), ..Fault::new(&codes::TRADE_FAILED, detail) }
    }

    /// Names the business code that is behind it.
    #[must_use]
    pub fn for_reason(mut self, reason: impl Into<String>) -> Fault {
        self.reason = Some(reason.into());
        self
    }

    /// Nothing is there; `what` names it: "the order o-1".
    #[must_use]
    pub fn not_found(what: impl fmt::Display) -> Fault {
        Fault::new(&codes::NOT_FOUND, format!("{what} does not exist, or is not yours to see."))
    }

    /// A defect. The public text is always the same; the error goes to the log.
    #[must_use]
    pub fn internal(source: impl Into<Source>) -> Fault {
        Fault::new(
            &codes::INTERNAL,
            "The request was not carried out to its end. Ask again with the same idempotency key.",
        )
        .because(source)
    }

    /// Names the place in the request that is at fault, as a JSON Pointer.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Fault {
        self.pointer = Some(pointer.into());
        self
    }

    /// Keeps an inner error for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Source>) -> Fault {
        self.source = Some(source.into());
        self
    }

    /// Says how long to wait before asking again.
    #[must_use]
    pub fn retry_after(mut self, span: Span) -> Fault {
        self.retry_after = Some(span);
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &'static FaultCode {
        self.code
    }

    /// The public sentence on this case.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The place in the request, as a JSON Pointer.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }

    /// The business code with which a trade failed.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// How long to wait before asking again, in whole seconds, rounded up, as the header `Retry-After` takes it.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(|span| span.as_millis().unsigned_abs().div_ceil(1_000))
    }

    /// The fault and its sources, for the log: never to be sent to a caller.
    #[must_use]
    pub fn log_line(&self) -> String {
        let mut line = self.to_string();
        let mut next = self.source();
        while let Some(error) = next {
            line.push_str(": ");
            line.push_str(&error.to_string());
            next = error.source();
        }
        line
    }
}

/// `invalid-input at /lines/0/quantity: must be at least 1`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.code)?;
        if let Some(reason) = &self.reason {
            write!(f, " ({reason})")?;
        }
        if let Some(pointer) = &self.pointer {
            write!(f, " at {}", if pointer.is_empty() { "the root" } else { pointer })?;
        }
        write!(f, ": {}", self.detail)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_errors_stay_in_the_log() {
        let fault = Fault::internal(std::io::Error::other("password of db1 refused"));
        assert!(!fault.to_string().contains("password"), "{fault}");
        assert!(fault.log_line().ends_with(": password of db1 refused"), "{}", fault.log_line());
    }

    #[test]
    fn a_fault_reads_as_a_sentence() {
        let fault = Fault::invalid_input("/lines/0/quantity", "Must be at least 1.");
        assert_eq!(fault.to_string(), "invalid-input at /lines/0/quantity: Must be at least 1.");
        assert_eq!(
            Fault::invalid_input("", "Must be an object.").to_string(),
            "invalid-input at the root: Must be an object."
        );
        let failed = Fault::trade_failed("out_of_stock", "Two of the items are gone.");
        assert_eq!(failed.to_string(), "trade-failed (out_of_stock): Two of the items are gone.");
        assert_eq!((failed.reason(), failed.code().http_status), (Some("out_of_stock"), 422));
    }

    #[test]
    fn retry_after_is_never_early() {
        let fault = Fault::new(&codes::OVERLOADED, "Ask again.").retry_after(Span::from_millis(1_001));
        assert_eq!(fault.retry_after_seconds(), Some(2));
        assert_eq!(Fault::new(&codes::OVERLOADED, "Ask again.").retry_after_seconds(), None);
    }
}
