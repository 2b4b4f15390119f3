//! What is asked of the desk and answered, as documents. A request is one line of JSON; behind it stand the bytes of a
//! component, where one is handed over.

use mortise_bindings::Rollout;
use mortise_points::OnFailure;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::failure::{Exit, Failure};

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Request {
    Deploy(Box<Deploy>),
    Rollback(Rollback),
    List(List),
    Explain(Explain),
    Matrix(Matrix),
    Replay(Box<Replay>),
}

impl Request {
    /// Whether it changes nothing.
    pub(super) const fn only_reads(&self) -> bool {
        !matches!(self, Request::Deploy(_) | Request::Rollback(_))
    }
}

/// For which tenant, line and channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) tenant: String,
    pub(crate) line: Option<String>,
    pub(crate) channel: Option<String>,
}

/// What a shadow must have shown.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Bounds {
    pub(crate) orders_min: i64,
    pub(crate) total_max_minor: i64,
    pub(crate) order_max_minor: Option<i64>,
}

/// An extension is to answer somewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Deploy {
    pub(crate) manifest: String,
    pub(crate) config_schema: Option<String>,
    pub(crate) target: Target,
    /// Those of its points that are bound; all where empty.
    pub(crate) points: Vec<String>,
    /// What is left out is as it was in the version whose place it takes.
    pub(crate) priority: Option<i32>,
    pub(crate) on_failure: Option<OnFailure>,
    pub(crate) config: Option<serde_json::Value>,
    pub(crate) rollout: Rollout,
    pub(crate) after_shadow: Option<Bounds>,
    pub(crate) reason: String,
}

/// Something is to be taken back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rollback {
    pub(crate) extension: Option<String>,
    pub(crate) to: Option<i64>,
    pub(crate) hard: bool,
    pub(crate) reason: String,
}

/// What is deployed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct List {
    /// Revisions of the history that are shown.
    pub(crate) revisions: i64,
}

/// Who is asked in a scope, or was in a trade.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Explain {
    pub(crate) target: Target,
    /// By its id or its flow's key.
    pub(crate) trade: Option<String>,
    /// One point; all where left out.
    pub(crate) point: Option<String>,
}

/// Who wins where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Matrix {
    pub(crate) tenant: String,
}

/// A version is to be tried on stored orders.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Replay {
    pub(crate) deploy: Deploy,
    /// The newest so many orders.
    pub(crate) orders: usize,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// For people.
    pub(crate) text: String,
    /// For programs.
    pub(crate) document: serde_json::Value,
}

/// A request as it is sent.
pub(super) fn packed(request: &Request, component: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut bytes = serde_json::to_vec(request).map_err(|error| Failure::unusable(error.to_string()))?;
    bytes.push(b'\n');
    bytes.extend_from_slice(component);
    Ok(bytes)
}

/// A request as it came.
pub(super) fn parted(mut bytes: Vec<u8>) -> Result<(Request, Vec<u8>), Failure> {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let component = bytes.split_off(bytes.len().min(end + 1));
    let request = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::unusable(format!("the request cannot be read: {error}"))
            .mend("use the `mortise` of the same version as the server's")
    })?;
    Ok((request, component))
}

/// What is written back.
pub(super) fn written(answered: Result<Answer, Failure>) -> String {
    match answered {
        Ok(answer) => json!({ "answer": answer }).to_string(),
        Err(Failure { exit, sentence, mend, .. }) => {
            json!({ "failure": { "refused": exit == Exit::Refused, "sentence": sentence, "mend": mend } })
                .to_string()
        }
    }
}

/// What was written back, read.
pub(super) fn read(text: &str) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Written {
        Answer(Answer),
        Failure { refused: bool, sentence: String, mend: Option<String> },
    }
    match serde_json::from_str(text) {
        Ok(Written::Answer(answer)) => Ok(answer),
        Ok(Written::Failure { refused, sentence, mend }) => {
            let exit = if refused { Exit::Refused } else { Exit::Unusable };
            Err(Failure { exit, sentence, mend, is_locked: false })
        }
        Err(error) => Err(Failure::unusable(format!("the server's answer cannot be read: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_goes_behind_its_request_whatever_bytes_it_has() {
        let request = Request::List(List { revisions: 3 });
        let component = b"\0asm\n\n{".to_vec();
        let (read, behind) = parted(packed(&request, &component).unwrap()).unwrap();
        assert!(matches!(read, Request::List(List { revisions: 3 })), "{read:?}");
        assert_eq!(behind, component);
        assert_eq!(parted(packed(&request, b"").unwrap()).unwrap().1, b"");
        assert!(parted(b"nonsense".to_vec()).is_err());
    }

    #[test]
    fn a_refusal_arrives_as_it_was_said() {
        let said = written(Err(Failure::refused("no").mend("ask again")));
        let failure = read(&said).unwrap_err();
        assert_eq!(
            (failure.exit, failure.sentence.as_str(), failure.mend.as_deref()),
            (Exit::Refused, "no", Some("ask again"))
        );
    }
}
