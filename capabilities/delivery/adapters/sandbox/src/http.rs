//! One request to the sandbox: an answer with its status, or not known. What a status means is the caller's.

use mortise_delivery::Unanswered;
use reqwest::{Client, Response};
use serde::Deserialize;
use serde_json::Value;

/// The longest answer that is read.
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

/// An answer that the carrier gave: below 500, not a plea to come again.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// What this adapter reads of a problem document.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Problem {
    #[serde(default)]
    pub(crate) code: String,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as what a success holds.
    pub(crate) fn read<T: for<'de> Deserialize<'de>>(&self, what: &str) -> Result<T, Unanswered> {
        T::deserialize(&self.body)
            .map_err(|error| Unanswered::new(format!("{what}: unreadable answer: {error}")))
    }

    /// The body as a refusal.
    pub(crate) fn problem(&self) -> Problem {
        let mut problem = Problem::deserialize(&self.body).unwrap_or_default();
        if problem.code.is_empty() {
            problem.code = format!("http_{}", self.status);
        }
        problem
    }
}

/// Posts `body`. A lost connection, a timeout, a 5xx, and what asks to come again or to sign in are not known answers.
pub(crate) async fn post(
    client: &Client,
    url: &str,
    key: Option<&str>,
    body: &Value,
) -> Result<Answer, Unanswered> {
    let mut request = client.post(url).json(body);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let sent = request.send().await;
    let response = sent.map_err(|error| Unanswered::new(format!("no answer: {}", error.without_url())))?;
    let status = response.status().as_u16();
    if status >= 500 || matches!(status, 401 | 403 | 404 | 408 | 425 | 429) {
        return Err(Unanswered::new(format!("the carrier answered {status}")));
    }
    let bytes = read_bounded(response).await?;
    let body = serde_json::from_slice(&bytes)
        .map_err(|error| Unanswered::new(format!("the carrier answered {status} with no JSON: {error}")))?;
    Ok(Answer { status, body })
}

async fn read_bounded(mut response: Response) -> Result<Vec<u8>, Unanswered> {
    let mut bytes = Vec::new();
    loop {
        let chunk = response.chunk().await;
        match chunk
            .map_err(|error| Unanswered::new(format!("the answer broke off: {}", error.without_url())))?
        {
            None => return Ok(bytes),
            Some(chunk) if bytes.len() + chunk.len() > ANSWER_MAX_BYTES => {
                return Err(Unanswered::new("the carrier's answer is too long"));
            }
            Some(chunk) => bytes.extend_from_slice(&chunk),
        }
    }
}
