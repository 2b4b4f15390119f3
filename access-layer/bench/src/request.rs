//! Requests as bytes: what staff and customers send beside the orders of `order`. Nothing is decided by what is answered.

use std::fmt::Write as _;

use serde_json::Value;

use crate::client::Connection;
use crate::failure::Failure;
use crate::order::mixed;

/// A request as the shop's staff (no customer), or as a customer. What has a body has an idempotency key too, made of `key`.
pub(crate) fn request(line: &str, customer: Option<&str>, key: u64, body: &str, out: &mut Vec<u8>) {
    let mut text = format!("{line} HTTP/1.1\r\nhost: 127.0.0.1\r\n");
    let _ = match customer {
        Some(customer) => write!(text, "mortise-customer: {customer}\r\n"),
        None => write!(text, "mortise-staff: bench\r\n"),
    };
    if !body.is_empty() {
        let (high, low) = (mixed(key ^ (1 << 61)), mixed(key ^ (1 << 60)));
        let _ = write!(
            text,
            "content-type: application/json\r\nidempotency-key: {high:016x}{low:016x}\r\ncontent-length: {}\r\n",
            body.len()
        );
    }
    text.push_str("\r\n");
    text.push_str(body);
    out.clear();
    out.extend_from_slice(text.as_bytes());
}

/// What is answered with 200, as JSON.
///
/// # Errors
/// A connection that breaks, another status.
pub(crate) async fn ask(
    connection: &mut Connection,
    line: &str,
    who: Option<&str>,
    body: &str,
) -> Result<Value, Failure> {
    let mut sent = Vec::new();
    request(line, who, u64::from_le_bytes(*b"set up  ").wrapping_add(body.len() as u64), body, &mut sent);
    let answer = connection.exchange(&sent).await?;
    match answer.status {
        200 => Ok(serde_json::from_slice(answer.body)?),
        status => {
            let said = String::from_utf8_lossy(answer.body);
            Err(Failure::words(format!("{line} was answered with {status}: {said}")))
        }
    }
}
