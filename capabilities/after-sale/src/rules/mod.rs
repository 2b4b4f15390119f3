//! What after-sale decides, on plain values: what may come back of a sale, what is owed for it, how far a return is. It
//! reads no table and no clock.

mod account;
mod grant;
mod request;
mod rma;
mod worth;

use mortise_types::{ArithmeticError, LineId, PriceProof, PromotionTerms, ProofError, ProofLine};
use serde::{Deserialize, Serialize};

use crate::policy::AfterSalePolicy;

pub(crate) use account::{Account, Units};
pub(crate) use grant::{Grant, grant};
pub(crate) use request::{Refusal, Request, judge};
pub(crate) use rma::{Rma, RmaDocument, Step, Word, step};
pub(crate) use worth::Worth;

/// What only a mistake in a flow, or in the data, can bring about. It is nobody's business "no".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AfterSaleError {
    #[error("the price proof does not add up: {0}")]
    Proof(#[from] ProofError),
    #[error("the price proof is not the one that earlier returns of this sale were reckoned by")]
    AnotherProof,
    #[error("line {0} is not in the price proof")]
    NoLine(LineId),
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticError),
}

/// What never changes of a sale that something comes back of: the proof of its price, and the choices by which returns of
/// it are reckoned, from the first to the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sale {
    pub(crate) proof: PriceProof,
    pub(crate) terms: Vec<PromotionTerms>,
    pub(crate) policy: AfterSalePolicy,
    pub(crate) policy_version: String,
}

impl Sale {
    /// The proof's line of that id.
    pub(crate) fn line(&self, line_id: &LineId) -> Result<&ProofLine, AfterSaleError> {
        let found = self.proof.lines.iter().find(|line| line.line_id == *line_id);
        found.ok_or_else(|| AfterSaleError::NoLine(line_id.clone()))
    }
}

#[cfg(test)]
mod tests;
