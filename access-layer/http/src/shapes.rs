//! Where amounts of money stand in a schema, worked out once for each schema, so that values without any cost nothing.
//! What is done to an amount on its way in or out is `money`'s.

use std::collections::HashMap;

use mortise_contract::{Additional, Contracts, Schema, Unit};

/// The contracts' name of the type that says a currency.
const CURRENCY_TYPE: &str = "pricing/Currency";

/// A node's number.
pub(crate) type NodeNo = usize;

/// What a part of a value holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// No money, at any depth.
    Plain,
    /// An amount.
    Money,
    /// A record: the fields that hold money somewhere, what the others hold (of a map), and the field that says the
    /// currency of everything in the record.
    Record { fields: Vec<(Box<str>, NodeNo)>, rest: Option<NodeNo>, currency: Option<Box<str>> },
    /// A list of such things.
    List(NodeNo),
}

/// The money in one schema. Types that hold themselves are nodes that point back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shapes {
    nodes: Vec<Node>,
    root: NodeNo,
}

impl Shapes {
    /// The shapes of a schema.
    pub(crate) fn of(contracts: &Contracts, schema: &Schema) -> Self {
        let mut builder = Builder { contracts, nodes: Vec::new(), named: HashMap::new() };
        let root = builder.node(schema);
        let mut nodes = builder.nodes;
        let holds = holds_money(&nodes);
        for (index, node) in nodes.iter_mut().enumerate() {
            if !holds[index] {
                *node = Node::Plain;
            } else if let Node::Record { fields, rest, .. } = node {
                fields.retain(|(_, field)| holds[*field]);
                *rest = rest.filter(|rest| holds[*rest]);
            }
        }
        if holds.get(root).copied().unwrap_or(false) { Self { nodes, root } } else { Self::default() }
    }

    /// Whether there is any money.
    pub(crate) fn hold_money(&self) -> bool {
        !self.nodes.is_empty()
    }

    /// Where a value begins; none if it holds no money.
    pub(crate) fn root(&self) -> Option<NodeNo> {
        self.hold_money().then_some(self.root)
    }

    /// What a node holds.
    pub(crate) fn node(&self, node: NodeNo) -> &Node {
        self.nodes.get(node).unwrap_or(&Node::Plain)
    }

    /// What a field of a record holds, if it holds money.
    pub(crate) fn field(&self, node: NodeNo, name: &str) -> Option<NodeNo> {
        match self.node(node) {
            Node::Record { fields, rest, .. } => {
                fields.iter().find(|(field, _)| &**field == name).map(|(_, node)| *node).or(*rest)
            }
            _ => None,
        }
    }

    /// What a list's elements hold, if they hold money.
    pub(crate) fn item(&self, node: NodeNo) -> Option<NodeNo> {
        match self.node(node) {
            Node::List(item) => Some(*item),
            _ => None,
        }
    }
}

struct Builder<'a> {
    contracts: &'a Contracts,
    nodes: Vec<Node>,
    named: HashMap<&'a str, NodeNo>,
}

impl<'a> Builder<'a> {
    fn push(&mut self, node: Node) -> NodeNo {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn node(&mut self, schema: &'a Schema) -> NodeNo {
        let Some(name) = &schema.reference else {
            let node = self.describe(schema);
            return self.push(node);
        };
        if let Some(known) = self.named.get(name.as_str()) {
            return *known;
        }
        let number = self.push(Node::Plain);
        self.named.insert(name, number);
        if let Some(target) = self.contracts.resolve(schema) {
            self.nodes[number] = self.describe(target);
        }
        number
    }

    fn describe(&mut self, schema: &'a Schema) -> Node {
        if schema.unit == Some(Unit::Money) {
            return Node::Money;
        }
        if let Some(items) = &schema.items {
            return Node::List(self.node(items));
        }
        let rest = match &schema.additional_properties {
            Some(Additional::Of(inner)) => Some(self.node(inner)),
            _ => None,
        };
        let says = |field: &Schema| field.reference.as_deref() == Some(CURRENCY_TYPE);
        let mut says_currency =
            schema.properties.iter().filter(|(_, field)| says(field)).map(|(name, _)| name);
        let currency = match (says_currency.next(), says_currency.next()) {
            (Some(name), None) => Some(name.as_str().into()),
            _ => None,
        };
        let fields =
            schema.properties.iter().map(|(name, field)| (name.as_str().into(), self.node(field))).collect();
        Node::Record { fields, rest, currency }
    }
}

/// Which nodes lead to an amount.
fn holds_money(nodes: &[Node]) -> Vec<bool> {
    let mut holds: Vec<bool> = nodes.iter().map(|node| *node == Node::Money).collect();
    loop {
        let before = holds.iter().filter(|held| **held).count();
        for (index, node) in nodes.iter().enumerate() {
            holds[index] = holds[index]
                || match node {
                    Node::Plain | Node::Money => false,
                    Node::List(item) => holds[*item],
                    Node::Record { fields, rest, .. } => {
                        fields.iter().map(|(_, field)| *field).chain(*rest).any(|inner| holds[inner])
                    }
                };
        }
        if holds.iter().filter(|held| **held).count() == before {
            return holds;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(schema: &str) -> Shapes {
        let contracts: Contracts = serde_json::from_str(
            r#"{"types": {
                "pricing/Amount": {"type": "integer", "x-unit": "money"},
                "pricing/Currency": {"type": "string"},
                "shop/Bundle": {"type": "object", "properties": {
                    "price": {"$ref": "pricing/Amount"}, "parts": {"type": "array", "items": {"$ref": "shop/Bundle"}}}},
                "shop/Tree": {"type": "object", "properties": {"child": {"$ref": "shop/Tree"}, "name": {"type": "string"}}}
            }}"#,
        )
        .unwrap();
        Shapes::of(&contracts, &serde_json::from_str(schema).unwrap())
    }

    #[test]
    fn a_schema_without_money_has_no_nodes() {
        assert!(
            !shapes(r#"{"type":"object","properties":{"n":{"type":"integer"},"t":{"$ref":"shop/Tree"}}}"#)
                .hold_money()
        );
        assert!(!shapes(r#"{"$ref":"shop/Nothing"}"#).hold_money());
    }

    #[test]
    fn types_that_hold_themselves_are_walked_to_any_depth() {
        let shapes = shapes(r#"{"$ref":"shop/Bundle"}"#);
        let mut node = shapes.root().unwrap();
        for _ in 0..3 {
            assert_eq!(shapes.node(shapes.field(node, "price").unwrap()), &Node::Money);
            node = shapes.item(shapes.field(node, "parts").unwrap()).unwrap();
        }
    }

    #[test]
    fn only_what_holds_money_is_kept() {
        let shapes = shapes(
            r#"{"type":"object","properties":{"sku":{"type":"string"},"currency":{"$ref":"pricing/Currency"},
                "price":{"$ref":"pricing/Amount"}}}"#,
        );
        let Node::Record { fields, currency, .. } = shapes.node(shapes.root().unwrap()) else { panic!() };
        assert_eq!((fields.len(), currency.as_deref()), (1, Some("currency")));
    }
}
