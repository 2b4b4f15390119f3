//! A caller who does not give up, as a front end should be: where the server is gone or says "later", the same request is sent
//! again until it is decided. What is decided is not judged here.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::client::Connection;
use crate::failure::Failure;
use crate::request::request;
use crate::stopwatch::Stopwatch;

/// For so long a request may be undecided before something is stuck.
const PATIENCE: Duration = Duration::from_secs(180);
/// For so long a single attempt may take.
const ATTEMPT: Duration = Duration::from_secs(30);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(10);

/// One caller with one connection, which is made anew when it breaks.
#[derive(Debug)]
pub(crate) struct Patient {
    address: SocketAddr,
    connection: Option<Connection>,
    /// Requests that were sent again.
    pub(crate) repeats: u64,
}

impl Patient {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, connection: None, repeats: 0 }
    }

    /// Sends a request until it is decided: status and body.
    ///
    /// # Errors
    /// One that is undecided for three minutes.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<(u16, Vec<u8>), Failure> {
        let began = Stopwatch::start();
        loop {
            let last = match tokio::time::timeout(ATTEMPT, self.once(request)).await {
                Ok(Ok((status, body))) if !is_later(status, &body) => return Ok((status, body)),
                Ok(Ok((status, body))) => format!("{status}: {}", String::from_utf8_lossy(&body)),
                Ok(Err(failure)) => {
                    self.connection = None;
                    failure.to_string()
                }
                Err(_) => {
                    self.connection = None;
                    "no answer".to_owned()
                }
            };
            if began.passed() >= PATIENCE {
                let line = String::from_utf8_lossy(request).lines().next().unwrap_or_default().to_owned();
                let told =
                    format!("{line} is undecided after {} s; the last answer: {last}", PATIENCE.as_secs());
                return Err(Failure::words(told));
            }
            self.repeats += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The same for a request of staff (no customer) or a customer whose answer is JSON.
    pub(crate) async fn ask_json(
        &mut self,
        line: &str,
        who: Option<&str>,
        key: u64,
        body: &str,
    ) -> Result<(u16, Value), Failure> {
        let mut sent = Vec::new();
        request(line, who, key, body, &mut sent);
        let (status, body) = self.ask(&sent).await?;
        Ok((status, serde_json::from_slice(&body)?))
    }

    async fn once(&mut self, request: &[u8]) -> Result<(u16, Vec<u8>), Failure> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(Connection::open(self.address).await?),
        };
        let answer = connection.exchange(request).await?;
        Ok((answer.status, answer.body.to_vec()))
    }
}

/// Answers that say: the very same again, a moment later.
pub(crate) fn is_later(status: u16, body: &[u8]) -> bool {
    const IN_PROGRESS: &[u8] = b"\"idempotency-in-progress\"";
    match status {
        202 | 503 => true,
        409 => body.windows(IN_PROGRESS.len()).any(|window| window == IN_PROGRESS),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_later_is_asked_again() {
        assert!(is_later(503, b"{}") && is_later(202, b""));
        assert!(is_later(409, br#"{"code":"idempotency-in-progress"}"#));
        assert!(!is_later(409, br#"{"code":"key-conflict"}"#));
        assert!(!is_later(500, b"{}") && !is_later(200, b"{}") && !is_later(422, b"{}"));
    }
}
