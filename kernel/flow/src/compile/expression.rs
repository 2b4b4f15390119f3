//! Expressions and templates over resolved names. Where a schema says that a text is a moment and an operator or a function
//! is about to use it, it becomes one; where it is only passed on, it stays the text that it is.

use mortise_contract::value::Text;
use mortise_contract::{Contracts, Value};

use super::CompileError;
use super::names::{Bound, Names, Shape};
use crate::ast::{self, BinaryOperator, MacroKind, NodeKind, TemplateKind, TextPart, UnaryOperator};
use crate::eval::{Binary, Function, Macro, Mapping, Node, Part, Path};

/// Nesting that no person writes, and no stack holds without end.
const DEPTH: usize = 200;

/// Compiles the expressions of one place.
pub(super) struct Expressions<'n, 'a> {
    pub(super) contracts: &'a Contracts,
    pub(super) names: &'n mut Names<'a>,
    /// The level of the body that the place stands in.
    pub(super) level: usize,
    depth: usize,
    locals: usize,
}

type Compiled<'a> = Result<(Node, Shape<'a>), CompileError>;

impl<'n, 'a> Expressions<'n, 'a> {
    pub(super) fn new(contracts: &'a Contracts, names: &'n mut Names<'a>, level: usize) -> Self {
        Self { contracts, names, level, depth: 0, locals: 0 }
    }

    pub(super) fn template(
        &mut self,
        template: &ast::Template,
    ) -> Result<(Mapping, Shape<'a>), CompileError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(CompileError::TooLarge("values are nested too deep"));
        }
        let compiled = self.template_inside(template)?;
        self.depth -= 1;
        Ok(compiled)
    }

    fn template_inside(&mut self, template: &ast::Template) -> Result<(Mapping, Shape<'a>), CompileError> {
        match &template.kind {
            TemplateKind::Literal(value) => Ok((Mapping::Literal(value.clone()), Shape::Unknown)),
            TemplateKind::Expr(expr) => {
                let (node, shape) = self.expr(expr)?;
                match node {
                    Node::Literal(value) => Ok((Mapping::Literal(value), shape)),
                    node => Ok((Mapping::Expr(node), shape)),
                }
            }
            TemplateKind::Text(parts) => {
                let parts: Result<Vec<Part>, CompileError> = parts
                    .iter()
                    .map(|part| match part {
                        TextPart::Plain(text) => Ok(Part::Plain(text.as_str().into())),
                        TextPart::Expr(expr) => Ok(Part::Expr(self.expr(expr)?.0)),
                    })
                    .collect();
                Ok((Mapping::Text(parts?.into()), Shape::Unknown))
            }
            TemplateKind::List(items) => {
                let mut mappings = Vec::with_capacity(items.len());
                let mut of = Shape::Unknown;
                for item in items {
                    let (mapping, shape) = self.template(item)?;
                    mappings.push(mapping);
                    of = shape;
                }
                Ok((all_literal_list(mappings), Shape::list(of)))
            }
            TemplateKind::Record(fields) => {
                let mut mappings: Vec<(Text, Mapping)> = Vec::with_capacity(fields.len());
                let mut shapes = Vec::with_capacity(fields.len());
                for (name, field) in fields {
                    let (mapping, shape) = self.template(field)?;
                    mappings.push((name.value.as_str().into(), mapping));
                    shapes.push((name.value.clone(), shape));
                }
                Ok((all_literal_record(mappings), Shape::record(shapes)))
            }
        }
    }

    pub(super) fn expr(&mut self, expr: &ast::Expr) -> Compiled<'a> {
        self.node(&expr.node)
    }

    /// An expression that gives a moment or a length of time.
    pub(super) fn clock(&mut self, expr: &ast::Expr) -> Result<Node, CompileError> {
        self.operand(&expr.node).map(|(node, _)| node)
    }

    fn node(&mut self, node: &ast::Node) -> Compiled<'a> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(CompileError::TooLarge("an expression is nested too deep"));
        }
        let compiled = self.kind(node)?;
        self.depth -= 1;
        Ok(compiled)
    }

    /// The node as an operand: a text that is a moment by its schema, or was a length of time, becomes one.
    fn operand(&mut self, node: &ast::Node) -> Compiled<'a> {
        let (node, shape) = self.node(node)?;
        let node = match node {
            Node::Now | Node::StartedAt | Node::Moment(_) => node,
            node if shape.is_moment(self.contracts) => Node::Moment(Box::new(node)),
            node if shape.is_span() => Node::Span(Box::new(node)),
            node => node,
        };
        Ok((node, shape))
    }

    fn boxed(&mut self, node: &ast::Node) -> Result<Box<Node>, CompileError> {
        self.node(node).map(|(node, _)| Box::new(node))
    }

    fn kind(&mut self, node: &ast::Node) -> Compiled<'a> {
        let plain = |node: Node| Ok((node, Shape::Unknown));
        match &node.kind {
            NodeKind::Literal(value) => plain(Node::Literal(value.clone())),
            NodeKind::Name(name) => self.name(name, node.place.line),
            NodeKind::Select { of, field } => self.select(of, field),
            NodeKind::Has { of, field } => plain(Node::Has(self.boxed(of)?, field.as_str().into())),
            NodeKind::Index { of, at } => {
                let (of, shape) = self.node(of)?;
                let inside = match &at.kind {
                    NodeKind::Literal(Value::Text(name)) => shape.field(name, self.contracts),
                    _ => shape.element(self.contracts),
                };
                Ok((Node::Index(Box::new(of), self.boxed(at)?), inside))
            }
            NodeKind::Unary { operator: UnaryOperator::Negate, of } => {
                let (of, shape) = self.operand(of)?;
                Ok((Node::Negate(Box::new(of)), shape))
            }
            NodeKind::Unary { operator: UnaryOperator::Not, of } => plain(Node::Not(self.boxed(of)?)),
            NodeKind::Binary { operator, left, right } => self.binary(*operator, left, right),
            NodeKind::Conditional { condition, yes, no } => self.conditional(condition, yes, no),
            NodeKind::Function { name, target, arguments } => {
                self.function(name, target.as_deref(), arguments, node.place.line)
            }
            NodeKind::List(items) => {
                let mut nodes = Vec::with_capacity(items.len());
                let mut of = Shape::Unknown;
                for item in items {
                    let (node, shape) = self.operand(item)?;
                    nodes.push(node);
                    of = shape;
                }
                Ok((Node::List(nodes.into()), Shape::list(of)))
            }
            NodeKind::Record(fields) => {
                let mut nodes: Vec<(Text, Node)> = Vec::with_capacity(fields.len());
                let mut shapes = Vec::with_capacity(fields.len());
                for (name, field) in fields {
                    let (node, shape) = self.node(field)?;
                    nodes.push((name.as_str().into(), node));
                    shapes.push((name.clone(), shape));
                }
                Ok((Node::Record(nodes.into()), Shape::record(shapes)))
            }
            NodeKind::Macro { kind, over, name, filter, body } => {
                self.list_macro(*kind, over, name, filter.as_deref(), body)
            }
        }
    }

    fn name(&self, name: &str, line: u32) -> Compiled<'a> {
        let Some((bound, shape)) = self.names.find(name) else {
            return Err(CompileError::UnknownName { name: name.to_owned(), line });
        };
        let node = match *bound {
            Bound::Slot { level, slot } => {
                let up = u8::try_from(self.level.saturating_sub(level))
                    .map_err(|_| CompileError::TooLarge("loops are nested too deep"))?;
                Node::Path(Path { up, slot, fields: Box::default() })
            }
            Bound::Now => Node::Now,
            Bound::StartedAt => Node::StartedAt,
            Bound::Local(index) => Node::Local(index),
        };
        Ok((node, shape.clone()))
    }

    fn select(&mut self, of: &ast::Node, field: &str) -> Compiled<'a> {
        let (of, shape) = self.node(of)?;
        let shape = shape.field(field, self.contracts);
        let node = match of {
            Node::Path(mut path) => {
                let mut fields = std::mem::take(&mut path.fields).into_vec();
                fields.push(field.into());
                path.fields = fields.into();
                Node::Path(path)
            }
            of => Node::Select(Box::new(of), field.into()),
        };
        Ok((node, shape))
    }

    fn binary(&mut self, operator: BinaryOperator, left: &ast::Node, right: &ast::Node) -> Compiled<'a> {
        let operator = match operator {
            BinaryOperator::And => {
                return Ok((Node::And(self.boxed(left)?, self.boxed(right)?), Shape::Unknown));
            }
            BinaryOperator::Or => {
                return Ok((Node::Or(self.boxed(left)?, self.boxed(right)?), Shape::Unknown));
            }
            BinaryOperator::Add => Binary::Add,
            BinaryOperator::Subtract => Binary::Subtract,
            BinaryOperator::Multiply => Binary::Multiply,
            BinaryOperator::Divide => Binary::Divide,
            BinaryOperator::Remainder => Binary::Remainder,
            BinaryOperator::Equal => Binary::Equal,
            BinaryOperator::NotEqual => Binary::NotEqual,
            BinaryOperator::Less => Binary::Less,
            BinaryOperator::LessOrEqual => Binary::LessOrEqual,
            BinaryOperator::Greater => Binary::Greater,
            BinaryOperator::GreaterOrEqual => Binary::GreaterOrEqual,
            BinaryOperator::In => Binary::In,
        };
        let ((left, left_shape), (right, right_shape)) = (self.operand(left)?, self.operand(right)?);
        let moments =
            [&left_shape, &right_shape].iter().filter(|shape| shape.is_moment(self.contracts)).count();
        let shape = match (operator, moments) {
            (Binary::Add, 1..) | (Binary::Subtract, 1) => Shape::Moment,
            (Binary::Subtract, 2) => Shape::Span,
            (Binary::Add | Binary::Subtract, 0) if left_shape.is_span() => Shape::Span,
            _ => Shape::Unknown,
        };
        Ok((Node::Binary(operator, Box::new(left), Box::new(right)), shape))
    }

    fn conditional(&mut self, condition: &ast::Node, yes: &ast::Node, no: &ast::Node) -> Compiled<'a> {
        let condition = self.node(condition)?.0;
        let ((yes, yes_shape), (no, no_shape)) = (self.node(yes)?, self.node(no)?);
        let shape = match (yes_shape, no_shape) {
            (Shape::Unknown, shape) | (shape, _) => shape,
        };
        Ok((Node::Conditional(Box::new([condition, yes, no])), shape))
    }

    fn function(
        &mut self,
        name: &str,
        target: Option<&ast::Node>,
        arguments: &[ast::Node],
        line: u32,
    ) -> Compiled<'a> {
        let unknown = || CompileError::UnknownFunction { name: name.to_owned(), line };
        let function =
            Function::named(name, arguments.len() + usize::from(target.is_some())).ok_or_else(unknown)?;
        let mut nodes = Vec::with_capacity(arguments.len() + 1);
        let mut of = Shape::Unknown;
        for argument in target.into_iter().chain(arguments) {
            let (node, shape) = match function {
                Function::Timestamp | Function::Duration | Function::Min | Function::Max => {
                    self.operand(argument)?
                }
                _ => self.node(argument)?,
            };
            let element = shape.element(self.contracts);
            let folds = matches!(function, Function::Min | Function::Max | Function::Sum);
            let (node, shape) = if folds && element.is_moment(self.contracts) {
                (Node::Moments(Box::new(node)), Shape::Moment)
            } else if folds && element.is_span() {
                (Node::Spans(Box::new(node)), Shape::Span)
            } else {
                (node, shape)
            };
            nodes.push(node);
            of = shape;
        }
        let shape = match function {
            Function::Timestamp => Shape::Moment,
            Function::Duration => Shape::Span,
            Function::Min | Function::Max | Function::Sum => of,
            _ => Shape::Unknown,
        };
        Ok((Node::Function(function, nodes.into()), shape))
    }

    fn list_macro(
        &mut self,
        kind: MacroKind,
        over: &ast::Node,
        name: &str,
        filter: Option<&ast::Node>,
        body: &ast::Node,
    ) -> Compiled<'a> {
        let (over, over_shape) = self.node(over)?;
        let mark = self.names.mark();
        self.names.bind(name, Bound::Local(self.locals), over_shape.element(self.contracts));
        self.locals += 1;
        let filter = filter.map(|filter| self.node(filter)).transpose()?.map(|(node, _)| node);
        let (body, body_shape) = self.node(body)?;
        self.locals -= 1;
        let _ = self.names.close(mark);
        let shape = match kind {
            MacroKind::Map => Shape::list(body_shape),
            MacroKind::Filter => over_shape,
            MacroKind::All | MacroKind::Exists | MacroKind::ExistsOne => Shape::Unknown,
        };
        Ok((Node::Macro(Box::new(Macro { kind, over, filter, body })), shape))
    }
}

fn all_literal_list(items: Vec<Mapping>) -> Mapping {
    let literals: Option<Vec<Value>> = items.iter().map(literal).collect();
    literals.map_or_else(|| Mapping::List(items.into()), |values| Mapping::Literal(Value::list(values)))
}

fn all_literal_record(fields: Vec<(Text, Mapping)>) -> Mapping {
    let literals: Option<Vec<(Text, Value)>> =
        fields.iter().map(|(name, field)| literal(field).map(|value| (name.clone(), value))).collect();
    literals.map_or_else(|| Mapping::Record(fields.into()), |values| Mapping::Literal(Value::record(values)))
}

fn literal(mapping: &Mapping) -> Option<Value> {
    match mapping {
        Mapping::Literal(value) => Some(value.clone()),
        _ => None,
    }
}
