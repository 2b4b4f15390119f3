//! The one table of the platform's fault codes. Each has a page `docs/faults/<code>.md`, held by a test; a released code
//! keeps its name and meaning.

use crate::{Class, FaultCode};

/// Declares each code once, as a constant and as a row of [`ALL`].
macro_rules! table {
    ($($(#[$doc:meta])* $name:ident: $code:literal, $class:ident, $status:literal, $title:literal;)*) => {
        $(
            $(#[$doc])*
            pub static $name: FaultCode = FaultCode {
                code: $code,
                class: Class::$class,
                http_status: $status,
                title: $title,
                page_text: include_str!(concat!("../../../docs/faults/", $code, ".md")),
            };
        )*

        /// Every code.
        pub static ALL: &[&FaultCode] = &[$(&$name),*];
    };
}

table! {
    /// A flow ended with `fail`, or went backward on a rejection. Carries the reason.
    TRADE_FAILED: "trade-failed", Rejected, 422, "The trade could not be completed";

    /// A read answered with one of its contract's codes. Carries the reason.
    REJECTED: "rejected", Rejected, 422, "The answer is no";

    /// The body is not JSON at all.
    MALFORMED_BODY: "malformed-body", Invalid, 400, "The body could not be read";
    /// The body is JSON, but not what is asked for here. Carries a pointer.
    INVALID_INPUT: "invalid-input", Invalid, 422, "The request does not have the form that is asked for";
    /// An amount is not in the currency of the trade.
    CURRENCY_MISMATCH: "currency-mismatch", Invalid, 422, "An amount is in another currency than the trade";
    /// No published flow has this name for this business line.
    UNKNOWN_FLOW: "unknown-flow", Invalid, 404, "There is no such trade here";
    /// No capability has an operation of this name.
    UNKNOWN_OPERATION: "unknown-operation", Invalid, 404, "There is no such operation";
    /// No contract declares an event of this name.
    UNKNOWN_EVENT: "unknown-event", Invalid, 404, "There is no such event";
    /// Nothing is there, or the caller may not know that it is.
    NOT_FOUND: "not-found", Invalid, 404, "There is nothing here";
    /// The path exists, for other methods.
    METHOD_NOT_ALLOWED: "method-not-allowed", Invalid, 405, "This cannot be done here with this method";
    /// The body did not arrive in time.
    REQUEST_TIMEOUT: "request-timeout", Invalid, 408, "The request did not arrive in time";
    /// The body is larger than the limit.
    PAYLOAD_TOO_LARGE: "payload-too-large", Invalid, 413, "The request is too large";
    /// The body is of another media type.
    UNSUPPORTED_MEDIA_TYPE: "unsupported-media-type", Invalid, 415, "The body is of a kind that is not read here";

    /// Nobody is signed in, or the proof of it is not valid.
    UNAUTHENTICATED: "unauthenticated", Invalid, 401, "Sign in first";
    /// Who is signed in may not do this.
    FORBIDDEN: "forbidden", Invalid, 403, "This is not permitted";
    /// A webhook's signature does not match its body, or is too old.
    WEBHOOK_SIGNATURE: "webhook-signature", Invalid, 401, "The signature of the message is not valid";

    /// A POST came without `Idempotency-Key`.
    IDEMPOTENCY_KEY_MISSING: "idempotency-key-missing", Invalid, 400, "The request needs an Idempotency-Key";
    /// The key is empty, too long, or not printable ASCII.
    IDEMPOTENCY_KEY_INVALID: "idempotency-key-invalid", Invalid, 400, "The Idempotency-Key is not valid";
    /// The first request with this key has not been answered yet.
    IDEMPOTENCY_IN_PROGRESS: "idempotency-in-progress", Unavailable, 409, "The first request with this key is still running";
    /// The key was used with another body.
    IDEMPOTENCY_MISMATCH: "idempotency-mismatch", Invalid, 422, "The Idempotency-Key was used for another request";
    /// A trade with this key (such as the order id) exists and was started with other input.
    KEY_CONFLICT: "key-conflict", Invalid, 409, "A trade of this name exists, with other content";
    /// An operation names what is not there, or is not in a state that it begins from.
    STATE_CONFLICT: "state-conflict", Invalid, 409, "What is there does not allow it";

    /// The caller sends more than its limit.
    TOO_MANY_REQUESTS: "too-many-requests", Unavailable, 429, "Too many requests";
    /// The server has more work queued than it can do in time.
    OVERLOADED: "overloaded", Unavailable, 503, "The shop is busy";
    /// The server finishes what it has and takes nothing new.
    DRAINING: "draining", Unavailable, 503, "This server is about to stop";
    /// The work did not finish in time; it may still be going on.
    TIMEOUT: "timeout", Unavailable, 504, "The answer did not come in time";
    /// The database does not answer.
    STORE_UNAVAILABLE: "store-unavailable", Unavailable, 503, "The data cannot be reached";
    /// Another process has the data directory open.
    DATA_DIRECTORY_LOCKED: "data-directory-locked", Unavailable, 503, "The data directory is in use";

    /// The checker refuses a flow definition.
    DEFINITION_REFUSED: "definition-refused", Invalid, 422, "The flow was refused";
    /// An operation's contract is not the one that a running trade was checked against.
    CONTRACT_CHANGED: "contract-changed", Broken, 500, "A contract has changed under running trades";
    /// An extension cannot be taken in: not a component, wrong world, asks too much, ambiguous rank.
    EXTENSION_REFUSED: "extension-refused", Invalid, 422, "The extension was refused";
    /// A bound extension failed, and its binding says that the request is refused then.
    EXTENSION_FAILED: "extension-failed", Broken, 500, "A rule of this shop could not be worked out";

    /// The data directory was written by a newer version.
    STORE_TOO_NEW: "store-too-new", Broken, 500, "The data was written by a newer version";
    /// What the database holds contradicts itself.
    STORE_CORRUPT: "store-corrupt", Broken, 500, "The data is damaged";
    /// A defect: none of the others.
    INTERNAL: "internal", Broken, 500, "Something went wrong on our side";
}

/// The code of this name, if there is one.
#[must_use]
pub fn find(code: &str) -> Option<&'static FaultCode> {
    ALL.iter().copied().find(|known| known.code == code)
}
