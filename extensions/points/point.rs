//! What an extension point is, and the names and failures of those who answer it. Nothing here runs an extension.

use std::fmt;
use std::sync::Arc;

use mortise_types::{Currency, Sku, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Invalid;

/// An extension point: a question that a capability puts, and that extensions answer.
///
/// An answer comes from somebody else's code. [`Point::revalidate`] is the only way from [`Point::Answer`] to
/// [`Point::Valid`], and only valid answers are reduced.
pub trait Point: Sized + 'static {
    /// Its name: the folder, the WIT package, the word in manifests and bindings.
    const NAME: &'static str;
    /// The newest version of its world, as manifests write it.
    const VERSION: &'static str;
    /// One trade's question: all lines of an order.
    type Question: fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What an extension says, unchecked.
    type Answer: fmt::Debug + Serialize + DeserializeOwned + Send + 'static;
    /// A checked answer.
    type Valid: fmt::Debug + Serialize + Send + 'static;
    /// What the checked answers of all extensions come to.
    type Reduced: fmt::Debug + Serialize + Send + 'static;

    /// How large the question is, in lines: what an extension may compute grows with it.
    fn lines(question: &Self::Question) -> usize;

    /// The time of the trade, the only time that an extension sees.
    fn trade_time(question: &Self::Question) -> Timestamp;

    /// Checks an answer against its question.
    ///
    /// # Errors
    /// The first place of the answer that cannot be true, and why.
    fn revalidate(question: &Self::Question, answer: Self::Answer) -> Result<Self::Valid, Invalid>;

    /// What the answers come to; they are in the order of their rank, the first counts most. With no answers it costs
    /// nothing.
    fn reduce(question: &Self::Question, answers: Vec<(ExtensionId, Self::Valid)>) -> Self::Reduced;

    /// What an outcome comes to in money, so that two outcomes of one question can be held against each other: what the
    /// customer pays by it, or what is taken off as a negative amount. None where the point is not about money.
    #[must_use]
    fn money(_question: &Self::Question, _reduced: &Self::Reduced) -> Option<PointMoney> {
        None
    }

    /// The customer for whom it is asked, where the question says.
    #[must_use]
    fn customer(_question: &Self::Question) -> Option<&str> {
        None
    }
}

/// What an outcome comes to in money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointMoney {
    /// Of all amounts.
    pub currency: Currency,
    /// In parts, so far as it falls to lines; what belongs to no line is a part without a SKU.
    pub parts: Vec<MoneyPart>,
}

/// A part of what an outcome comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyPart {
    /// The item of the line that it falls to.
    pub sku: Option<Sku>,
    /// That item's department, where the question has it.
    pub department: Option<Arc<str>>,
    /// Minor units.
    pub minor: i64,
}

impl PointMoney {
    /// All parts together, in minor units.
    #[must_use]
    pub fn total_minor(&self) -> i64 {
        self.parts.iter().fold(0, |sum: i64, part| sum.saturating_add(part.minor))
    }
}

impl MoneyPart {
    /// What falls to a line of this item with these attributes.
    #[must_use]
    pub fn of_line(sku: &Sku, attributes: &[Attribute], minor: i64) -> Self {
        let department = attributes.iter().find(|attribute| &*attribute.name == DEPARTMENT);
        let department = department.map(|attribute| Arc::clone(&attribute.value));
        MoneyPart { sku: Some(sku.clone()), department, minor }
    }
}

/// The SKU attribute by which sums are told apart.
pub const DEPARTMENT: &str = "department";

/// A further attribute of a SKU. An extension sees those that its manifest asks for by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Such as `department`.
    pub name: Arc<str>,
    /// Such as `DAIRY`.
    pub value: Arc<str>,
}

/// Which call of which trade asks. Two asks with one identity and one question get one answer: what an extension
/// takes for randomness is worked out from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallIdentity<'a> {
    /// The trade.
    pub instance: &'a str,
    /// The step's path in its flow, with the rounds of its loops.
    pub step: &'a str,
    /// Which attempt of the step, from 1.
    pub attempt: u32,
    /// For whom, where the caller is known: the same at every point of a trade, so that what is tried for some customers
    /// is tried for all that they do. Nothing is drawn from it.
    pub customer: Option<&'a str>,
}

/// `name@version` of an extension; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExtensionId(Arc<str>);

impl ExtensionId {
    /// The id of this version of this extension.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        ExtensionId(format!("{name}@{version}").into())
    }

    /// `name@version`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExtensionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an extension that was asked gave no usable answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct Failure {
    /// What sort of failure.
    pub kind: FailureKind,
    /// What happened, for the author of the extension.
    pub detail: String,
}

impl Failure {
    /// A failure with its detail.
    #[must_use]
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Failure { kind, detail: detail.into() }
    }
}

/// What sort of failure of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The binding names an extension that cannot be called here.
    Missing,
    /// It answered with an error of its own.
    Declined,
    /// It ran into a trap: a panic, a bad pointer, a division by zero.
    Trapped,
    /// It used up the fuel that the question's size allows.
    OutOfFuel,
    /// It ran longer than the deadline.
    Overran,
    /// It wanted more memory than it may have.
    OutOfMemory,
    /// Its answer was larger than an answer may be.
    OutputTooLarge,
    /// Its answer was not true to the question.
    Invalid,
}

impl FailureKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [FailureKind; 8] = [
        FailureKind::Missing,
        FailureKind::Declined,
        FailureKind::Trapped,
        FailureKind::OutOfFuel,
        FailureKind::Overran,
        FailureKind::OutOfMemory,
        FailureKind::OutputTooLarge,
        FailureKind::Invalid,
    ];

    /// The code of this kind, as in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            FailureKind::Missing => "missing",
            FailureKind::Declined => "declined",
            FailureKind::Trapped => "trapped",
            FailureKind::OutOfFuel => "out_of_fuel",
            FailureKind::Overran => "overran",
            FailureKind::OutOfMemory => "out_of_memory",
            FailureKind::OutputTooLarge => "output_too_large",
            FailureKind::Invalid => "invalid",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
