//! An extension's own cases: a question, and the answer that it must give. They run on the real host, as calls do; what
//! a case expects is compared here, what to make of a difference is the caller's business.

use mortise_points::Failure;
use serde::Deserialize;
use serde_json::Value;

use crate::doors::{Door, Tried};
use crate::extension::Extension;
use crate::measure::{Bare, Measured};
use crate::runtime::Runtime;

/// A case, as in `cases/*.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The point that asks.
    pub point: String,
    /// What the binding would set.
    #[serde(default = "no_config")]
    pub config: Value,
    /// The question, in the point's plain form.
    pub question: Value,
    /// The answer, in the point's plain form.
    pub answer: Value,
    /// The most fuel that the call may use.
    pub fuel_at_most: u64,
}

fn no_config() -> Value {
    Value::Object(serde_json::Map::new())
}

/// What running a case gave.
#[derive(Clone, Debug)]
pub struct CaseRun {
    /// The answer, or why there is none.
    pub result: Result<Value, Failure>,
    /// Fuel used.
    pub fuel_used: u64,
    /// How long the call took here, in microseconds.
    pub took_us: u64,
    /// What it printed.
    pub log: Option<String>,
    /// How it differs from what the case expects; nothing if it does not.
    pub differences: Vec<String>,
}

/// A case that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The file is no case.
    #[error("not a case: {0}")]
    Syntax(serde_json::Error),
    /// There is no such point.
    #[error("there is no point {0}")]
    UnknownPoint(String),
    /// The config is not what the schema says.
    #[error("{0}")]
    Config(String),
    /// The question is not the point's.
    #[error("question: {0}")]
    Question(serde_json::Error),
    /// It cannot be measured.
    #[error("not measured: {0}")]
    Measure(String),
}

impl Case {
    /// Reads a case.
    ///
    /// # Errors
    /// The text is no case.
    pub fn from_json(text: &str) -> Result<Case, CaseError> {
        serde_json::from_str(text).map_err(CaseError::Syntax)
    }

    /// Measures its call: a fresh instance each, through the host with all its limits, and of the same component in a bare
    /// engine, in turns. The first tenth of the rounds is not counted.
    ///
    /// # Errors
    /// It cannot be run, or one of the calls fails.
    pub fn measure(
        &self,
        runtime: &Runtime,
        extension: &Extension,
        component: &[u8],
        rounds: usize,
    ) -> Result<Measured, CaseError> {
        let door = Door::named(&self.point).ok_or_else(|| CaseError::UnknownPoint(self.point.clone()))?;
        let bare = Bare::compile(runtime.ceilings(), component).map_err(CaseError::Measure)?;
        (door.measure)(runtime, extension, &bare, self, rounds)
    }

    /// Runs it.
    ///
    /// # Errors
    /// It cannot be run. An extension that fails is a result.
    pub fn run(&self, runtime: &Runtime, extension: &Extension) -> Result<CaseRun, CaseError> {
        let door = Door::named(&self.point).ok_or_else(|| CaseError::UnknownPoint(self.point.clone()))?;
        extension.check_config(&self.config).map_err(CaseError::Config)?;
        let Tried { result, fuel_used, took_us, log } =
            (door.try_case)(runtime, extension, &self.config.to_string(), &self.question)
                .map_err(CaseError::Question)?;
        let mut differences = Vec::new();
        match &result {
            Ok(answer) if *answer == self.answer => {}
            Ok(answer) => differences.push(format!("answered {answer}, expected {}", self.answer)),
            Err(why) => differences.push(format!("failed, {why}; expected {}", self.answer)),
        }
        if fuel_used > self.fuel_at_most {
            differences
                .push(format!("used {fuel_used} units of fuel, at most {} expected", self.fuel_at_most));
        }
        Ok(CaseRun { result, fuel_used, took_us, log, differences })
    }
}
