//! Flows as parts of other flows: what a flow that starts one has to know of it.

use mortise_contract::{Contracts, FlowContract};

use super::{Checked, check};
use crate::ast::Flow;
use crate::parse;

impl Checked {
    /// The flow as another flow's `start` sees it.
    #[must_use]
    pub fn contract(&self, flow: &Flow) -> FlowContract {
        FlowContract {
            input: flow.input.value.clone(),
            answer: self.answer.clone(),
            fails: self.fails.clone(),
            undoable: self.undoable,
        }
    }
}

/// Contracts that know these flows too, as far as they are accepted, whatever order they come in and whichever starts
/// which. A flow of a name that the contracts have already takes its place.
#[must_use]
pub fn with_flows<'t>(mut contracts: Contracts, texts: impl IntoIterator<Item = &'t str>) -> Contracts {
    let mut open: Vec<Flow> = texts.into_iter().filter_map(|text| parse::parse(text).ok()).collect();
    for flow in &open {
        contracts.flows.remove(&flow.name.value);
    }
    loop {
        let checked: Vec<Checked> = open.iter().map(|flow| check(flow, &contracts)).collect();
        let before = open.len();
        let mut left = Vec::new();
        for (flow, checked) in open.into_iter().zip(checked) {
            if checked.is_accepted() {
                contracts.flows.insert(flow.name.value.clone(), checked.contract(&flow));
            } else {
                left.push(flow);
            }
        }
        if left.is_empty() || left.len() == before {
            return contracts;
        }
        open = left;
    }
}
