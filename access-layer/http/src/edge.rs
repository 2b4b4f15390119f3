//! What the server keeps for each published flow and each operation: where money stands in what goes in and comes out,
//! and whether the caller's own name belongs into the input.

use std::collections::HashMap;
use std::sync::Arc;

use dashmap::DashMap;
use mortise_contract::{Contracts, Effect, Schema};
use mortise_engine::Published;

use crate::shapes::Shapes;

/// The input's field that is the caller.
pub(crate) const CUSTOMER_FIELD: &str = "customer_id";

/// Whether an input says whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CustomerField {
    /// It has no such field.
    None,
    /// It may.
    Optional,
    /// It must.
    Required,
}

impl CustomerField {
    fn of(schema: &Schema) -> Self {
        match (schema.properties.contains_key(CUSTOMER_FIELD), schema.required.contains(CUSTOMER_FIELD)) {
            (false, _) => Self::None,
            (true, false) => Self::Optional,
            (true, true) => Self::Required,
        }
    }
}

/// Input and output of a flow or an operation, as the edge needs them.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) input: Shapes,
    pub(crate) output: Shapes,
    pub(crate) customer: CustomerField,
}

impl Edge {
    fn of(contracts: &Contracts, input: &Schema, output: &Schema) -> Self {
        Self {
            input: Shapes::of(contracts, input),
            output: Shapes::of(contracts, output),
            customer: contracts.resolve(input).map_or(CustomerField::None, CustomerField::of),
        }
    }
}

/// All edges: those of operations are known from the start, those of flows come with the flows.
#[derive(Debug)]
pub(crate) struct Edges {
    flows: DashMap<Arc<str>, Arc<Edge>>,
    operations: HashMap<String, Arc<Edge>>,
    rejections: HashMap<String, Shapes>,
}

impl Edges {
    pub(crate) fn new(contracts: &Contracts) -> Self {
        let mut rejections = HashMap::new();
        for (code, detail) in contracts.operations.values().flat_map(|operation| &operation.rejections) {
            rejections.entry(code.clone()).or_insert_with(|| Shapes::of(contracts, detail));
        }
        let used = |effect: Effect| effect != Effect::Pure;
        let operations = contracts.operations.iter().filter(|(_, operation)| used(operation.effect));
        let operations = operations.map(|(name, operation)| {
            (name.clone(), Edge::of(contracts, &operation.input, &operation.output).into())
        });
        Self { flows: DashMap::new(), operations: operations.collect(), rejections }
    }

    /// The edge of a definition.
    pub(crate) fn flow(&self, contracts: &Contracts, published: &Published) -> Arc<Edge> {
        let hash = published.program.hash();
        if let Some(known) = self.flows.get(hash) {
            return Arc::clone(&known);
        }
        let edge = Arc::new(Edge::of(contracts, published.program.input_schema(), &published.answer));
        self.flows.insert(Arc::clone(hash), Arc::clone(&edge));
        edge
    }

    /// The edge of an operation that reads, writes or leaves the database.
    pub(crate) fn operation(&self, name: &str) -> Option<&Arc<Edge>> {
        self.operations.get(name)
    }

    /// Where money stands in the detail of a rejection.
    pub(crate) fn rejection(&self, code: &str) -> Option<&Shapes> {
        self.rejections.get(code)
    }
}
