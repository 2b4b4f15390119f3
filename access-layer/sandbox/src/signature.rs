//! The signature of a webhook: `Sandbox-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256 over "t.body">`.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use mortise_types::Timestamp;
use sha2::{Digest, Sha256};

/// The value of the header `Sandbox-Signature` for `body` sent at `at`.
#[must_use]
pub fn sign(secret: &str, at: Timestamp, body: &[u8]) -> String {
    let seconds = at.as_millis().div_euclid(1_000);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("t={seconds},v1={}", hex(&mac.finalize().into_bytes()))
}

/// The fingerprint by which two requests with one idempotency key are compared.
pub(crate) fn fingerprint(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_an_independent_hmac() {
        // printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec
        let signed = sign("whsec", Timestamp::from_millis(1_700_000_000_999), br#"{"id":"evt_1"}"#);
        assert_eq!(
            signed,
            "t=1700000000,v1=e7e846cdb96220c3674ade89e534304fc91f6f15064facee1e7a7096f5f57f62"
        );
    }
}
