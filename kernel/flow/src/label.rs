//! What a step is called in paths, the same in every version of a flow that has the step: its id, or what it does. Paths are
//! part of a call's identity, so two steps without an id that do the same get numbers.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ast::{At, Step, StepKind};

/// Gives labels, step by step, in the order of the text.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    /// How often a word was given to a step without an id.
    unnamed: HashMap<String, u32>,
}

impl Labels {
    /// The step's id, or what it does.
    pub(crate) fn of_step(&mut self, step: &Step) -> Arc<str> {
        let word = match &step.kind {
            StepKind::Call(call) => &call.operation.value,
            StepKind::Tcc(_) => "tcc",
            StepKind::Wait(wait) if step.id.is_none() => return wait.event.value.as_str().into(),
            StepKind::Wait(_) => "wait",
            StepKind::Sleep(_) => "sleep",
            StepKind::Switch(_) => "switch",
            StepKind::Parallel(_) => "parallel",
            StepKind::Race(_) => "race",
            StepKind::Foreach(_) => "foreach",
            StepKind::Repeat(repeat) => &repeat.name.value,
            StepKind::Attempt(_) => "attempt",
            StepKind::Start(start) => &start.flow.value,
            StepKind::Emit { event, .. } => return event.value.as_str().into(),
            StepKind::Answer(_) => "answer",
            StepKind::Let(_) => "let",
            StepKind::Pivot(_) => "pivot",
            StepKind::Fail(_) => "fail",
            StepKind::End(_) => "end",
            StepKind::Attention(_) => "attention",
        };
        self.of(step.id.as_ref(), word)
    }

    /// The id, or the word with a number where one is not enough.
    pub(crate) fn of(&mut self, id: Option<&At<String>>, word: &str) -> Arc<str> {
        if let Some(id) = id {
            return id.value.as_str().into();
        }
        let times = self.unnamed.entry(word.to_owned()).or_default();
        *times += 1;
        if *times == 1 { word.into() } else { format!("{word}#{times}").into() }
    }
}
