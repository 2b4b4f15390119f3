//! The grammar of CEL, by recursive descent: what the language leaves out (bytes, unsigned numbers, messages, optional
//! syntax, records outside of `map()`) is refused here with what to write instead.

use std::ops::Range;

use mortise_contract::Value;

use super::lexer::{Token, tokens};
use super::{ExpressionError, HEIGHT};
use crate::ast::{BinaryOperator, MacroKind, Node, NodeKind, Place, UnaryOperator};

/// A node with its bytes and the height of its tree.
struct Built {
    node: Node,
    range: Range<usize>,
    height: usize,
}

type Parsed = Result<Built, ExpressionError>;

/// Whether a record may stand here: only as the body of a `map()`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Records {
    Allowed,
    Refused,
}

struct Grammar<'s> {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
    records: Records,
    place: &'s dyn Fn(Range<usize>) -> Place,
}

const LEVELS: [&[(&str, BinaryOperator)]; 5] = [
    &[("||", BinaryOperator::Or)],
    &[("&&", BinaryOperator::And)],
    &[
        ("==", BinaryOperator::Equal),
        ("!=", BinaryOperator::NotEqual),
        ("<=", BinaryOperator::LessOrEqual),
        (">=", BinaryOperator::GreaterOrEqual),
        ("<", BinaryOperator::Less),
        (">", BinaryOperator::Greater),
        ("in", BinaryOperator::In),
    ],
    &[("+", BinaryOperator::Add), ("-", BinaryOperator::Subtract)],
    &[("*", BinaryOperator::Multiply), ("/", BinaryOperator::Divide), ("%", BinaryOperator::Remainder)],
];

pub(super) fn expression(
    source: &str,
    place: &dyn Fn(Range<usize>) -> Place,
) -> Result<Node, ExpressionError> {
    let tokens = tokens(source)?;
    let mut grammar = Grammar { tokens, at: 0, depth: 0, records: Records::Refused, place };
    if grammar.peek() == &Token::End {
        return Err(error(
            0..source.len(),
            "an empty expression",
            "write what is meant between `${` and `}`",
        ));
    }
    let built = grammar.conditional()?;
    match grammar.peek() {
        Token::End => Ok(built.node),
        other => {
            let message = format!("{} where the expression should end", other.shown());
            Err(error(grammar.range(), message, "put an operator between the two parts"))
        }
    }
}

fn error(range: Range<usize>, message: impl Into<String>, help: &str) -> ExpressionError {
    ExpressionError { range, message: message.into(), help: help.to_owned() }
}

impl Grammar<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn range(&self) -> Range<usize> {
        self.tokens[self.at].1.clone()
    }

    fn next(&mut self) -> (Token, Range<usize>) {
        let token = self.tokens[self.at].clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(s) if *s == sign);
        if found {
            self.next();
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Result<Range<usize>, ExpressionError> {
        let range = self.range();
        if self.sign(sign) {
            return Ok(range);
        }
        Err(error(
            range,
            format!("{} where `{sign}` is expected", self.peek().shown()),
            "look for a bracket or a comma that is missing",
        ))
    }

    fn build(&self, kind: NodeKind, range: Range<usize>, height: usize) -> Parsed {
        if height > HEIGHT {
            return Err(error(
                range,
                format!("an expression nested deeper than {HEIGHT} levels"),
                "name parts of it by `let`",
            ));
        }
        Ok(Built { node: Node { place: (self.place)(range.clone()), kind }, range, height })
    }

    /// Every recursion passes here, so that depth is counted before the stack is used.
    fn conditional(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > HEIGHT {
            return Err(error(
                self.range(),
                format!("an expression nested deeper than {HEIGHT} levels"),
                "name parts of it by `let`",
            ));
        }
        let condition = self.binary(0)?;
        let built = if self.sign("?") {
            // CEL's grammar: a condition within the first branch stands in brackets.
            let yes = self.binary(0)?;
            self.expect(":")?;
            let no = self.conditional()?;
            let range = condition.range.start..no.range.end;
            let height = 1 + condition.height.max(yes.height).max(no.height);
            let kind = NodeKind::Conditional {
                condition: Box::new(condition.node),
                yes: Box::new(yes.node),
                no: Box::new(no.node),
            };
            self.build(kind, range, height)?
        } else {
            condition
        };
        self.depth -= 1;
        Ok(built)
    }

    fn operator(&self, level: usize) -> Option<BinaryOperator> {
        let sign = match self.peek() {
            Token::Sign(sign) => *sign,
            Token::In => "in",
            _ => return None,
        };
        LEVELS[level].iter().find(|(known, _)| *known == sign).map(|(_, operator)| *operator)
    }

    fn binary(&mut self, level: usize) -> Parsed {
        if level == LEVELS.len() {
            return self.unary();
        }
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(level) {
            self.next();
            let right = self.binary(level + 1)?;
            let range = left.range.start..right.range.end;
            let height = 1 + left.height.max(right.height);
            let kind = NodeKind::Binary { operator, left: Box::new(left.node), right: Box::new(right.node) };
            left = self.build(kind, range, height)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let start = self.range().start;
        let operator = match self.peek() {
            Token::Sign("-") => UnaryOperator::Negate,
            Token::Sign("!") => UnaryOperator::Not,
            _ => return self.member(),
        };
        self.next();
        if operator == UnaryOperator::Negate {
            let literal = match self.peek() {
                Token::Int(int) => Some(Value::Int(-int)),
                Token::LeastInt => Some(Value::Int(i64::MIN)),
                Token::Float(float) => Some(Value::Float(-float)),
                _ => None,
            };
            if let Some(literal) = literal {
                let range = start..self.next().1.end;
                let built = self.build(NodeKind::Literal(literal), range, 1)?;
                return self.selectors(built);
            }
        }
        self.depth += 1;
        if self.depth > HEIGHT {
            return Err(error(
                self.range(),
                format!("more than {HEIGHT} operators in a row"),
                "take some away",
            ));
        }
        let of = self.unary()?;
        self.depth -= 1;
        let (range, height) = (start..of.range.end, of.height + 1);
        self.build(NodeKind::Unary { operator, of: Box::new(of.node) }, range, height)
    }

    fn member(&mut self) -> Parsed {
        let primary = self.primary()?;
        self.selectors(primary)
    }

    /// `.field`, `.function(...)` and `[index]` behind a value.
    fn selectors(&mut self, mut of: Built) -> Parsed {
        loop {
            if self.sign(".") {
                let (token, range) = self.next();
                let Token::Name(name) = token else {
                    if token == Token::Sign("?") {
                        return Err(error(
                            range,
                            "optional syntax (`.?`) has no place in a flow",
                            "test with `has()`",
                        ));
                    }
                    return Err(error(
                        range,
                        format!("{} where the name of a field is expected", token.shown()),
                        "write `record.field`",
                    ));
                };
                let span = of.range.start..range.end;
                of = if self.sign("(") {
                    self.method(of, name, range)?
                } else {
                    let height = of.height + 1;
                    self.build(NodeKind::Select { of: Box::new(of.node), field: name }, span, height)?
                };
            } else if self.sign("[") {
                if matches!(self.peek(), Token::Sign("?")) {
                    return Err(error(
                        self.range(),
                        "optional syntax (`[?`) has no place in a flow",
                        "test with `in`",
                    ));
                }
                let at = self.nested()?;
                let end = self.expect("]")?.end;
                let (range, height) = (of.range.start..end, 1 + of.height.max(at.height));
                of = self.build(
                    NodeKind::Index { of: Box::new(of.node), at: Box::new(at.node) },
                    range,
                    height,
                )?;
            } else {
                return Ok(of);
            }
        }
    }

    /// An expression in brackets: a record has no place in it.
    fn nested(&mut self) -> Parsed {
        let records = std::mem::replace(&mut self.records, Records::Refused);
        let built = self.conditional();
        self.records = records;
        built
    }

    fn arguments(&mut self, end: &str) -> Result<(Vec<Built>, Range<usize>), ExpressionError> {
        let mut arguments = Vec::new();
        loop {
            if matches!(self.peek(), Token::Sign(s) if *s == end) {
                return Ok((arguments, self.next().1));
            }
            arguments.push(self.nested()?);
            if !self.sign(",") {
                return Ok((arguments, self.expect(end)?));
            }
        }
    }

    fn method(&mut self, target: Built, name: String, name_range: Range<usize>) -> Parsed {
        let kind = match name.as_str() {
            "all" => MacroKind::All,
            "exists" => MacroKind::Exists,
            "exists_one" => MacroKind::ExistsOne,
            "map" => MacroKind::Map,
            "filter" => MacroKind::Filter,
            _ => {
                let (arguments, end) = self.arguments(")")?;
                return self.function(name, Some(target), arguments, end.end);
            }
        };
        let (token, range) = self.next();
        let Token::Name(variable) = token else {
            let message = format!("`{name}` needs a name for the element, not {}", token.shown());
            return Err(error(range, message, "write `list.map(element, element.field)`"));
        };
        self.expect(",")?;
        let mut filter = None;
        let mut body = self.body(kind)?;
        if kind == MacroKind::Map && self.sign(",") {
            filter = Some(body);
            body = self.body(kind)?;
        }
        let end = match self.expect(")") {
            Ok(range) => range.end,
            Err(other) => {
                let message = format!("`{name}` has the wrong number of arguments");
                let help = "write `list.map(element, value)`, with a condition between them if need be";
                return Err(if self.peek() == &Token::Sign(",") {
                    error(name_range, message, help)
                } else {
                    other
                });
            }
        };
        let height = 1 + target.height.max(body.height).max(filter.as_ref().map_or(0, |f| f.height));
        let range = target.range.start..end;
        let kind = NodeKind::Macro {
            kind,
            over: Box::new(target.node),
            name: variable,
            filter: filter.map(|filter| Box::new(filter.node)),
            body: Box::new(body.node),
        };
        self.build(kind, range, height)
    }

    fn body(&mut self, kind: MacroKind) -> Parsed {
        let allowed = if kind == MacroKind::Map { Records::Allowed } else { Records::Refused };
        let records = std::mem::replace(&mut self.records, allowed);
        let built = self.conditional();
        self.records = records;
        built
    }

    fn function(&mut self, name: String, target: Option<Built>, arguments: Vec<Built>, end: usize) -> Parsed {
        let start = target.as_ref().map_or(0, |target| target.range.start);
        let heights = arguments.iter().chain(&target).map(|built| built.height);
        let height = 1 + heights.max().unwrap_or(0);
        let kind = NodeKind::Function {
            name,
            target: target.map(|target| Box::new(target.node)),
            arguments: arguments.into_iter().map(|built| built.node).collect(),
        };
        self.build(kind, start..end, height)
    }

    fn primary(&mut self) -> Parsed {
        let (token, range) = self.next();
        let literal = match token {
            Token::Int(int) => Value::Int(int),
            Token::Float(float) => Value::Float(float),
            Token::Text(text) => Value::text(text),
            Token::True => Value::Bool(true),
            Token::False => Value::Bool(false),
            Token::Null => Value::Null,
            Token::Name(name) => return self.name(name, range),
            Token::Sign("(") => {
                let mut built = self.nested()?;
                let end = self.expect(")")?.end;
                built.range = range.start..end;
                return Ok(built);
            }
            Token::Sign("[") => {
                let (items, end) = self.arguments("]")?;
                let height = 1 + items.iter().map(|built| built.height).max().unwrap_or(0);
                let nodes = items.into_iter().map(|built| built.node).collect();
                return self.build(NodeKind::List(nodes), range.start..end.end, height);
            }
            Token::Sign("{") => return self.record(range),
            Token::Sign(".") => {
                return Err(error(range, "a dot in front of a name", "write the name without it"));
            }
            Token::LeastInt => {
                return Err(error(
                    range,
                    "9223372036854775808 is no whole number of 64 bits",
                    "use a smaller one",
                ));
            }
            other => {
                let message = format!("{} where a value is expected", other.shown());
                return Err(error(range, message, "something is missing in front of it"));
            }
        };
        self.build(NodeKind::Literal(literal), range, 1)
    }

    fn name(&mut self, name: String, range: Range<usize>) -> Parsed {
        if matches!(self.peek(), Token::Sign("{")) {
            return Err(error(
                range,
                format!("a message `{name}{{...}}` has no place in a flow"),
                "records are written as YAML",
            ));
        }
        if !self.sign("(") {
            return self.build(NodeKind::Name(name), range, 1);
        }
        let (mut arguments, end) = self.arguments(")")?;
        let span = range.start..end.end;
        if name == "has" {
            let help = "write `has(record.field)`";
            return match (arguments.pop(), arguments.is_empty()) {
                (
                    Some(Built { node: Node { kind: NodeKind::Select { of, field }, .. }, height, .. }),
                    true,
                ) => self.build(NodeKind::Has { of, field }, span, height),
                _ => Err(error(span, "`has` asks for a field of a record", help)),
            };
        }
        let mut built = self.function(name, None, arguments, end.end)?;
        built.range = span.clone();
        built.node.place = (self.place)(span);
        Ok(built)
    }

    fn record(&mut self, range: Range<usize>) -> Parsed {
        if self.records == Records::Refused {
            let help = "records are written as YAML (`with: { name: \"${ ... }\" }`); in an expression only as the body of `map()`";
            return Err(error(range, "a record stands inside of an expression", help));
        }
        let mut fields: Vec<(String, Node)> = Vec::new();
        let mut height = 0;
        loop {
            if self.sign("}") {
                break;
            }
            let (token, key_range) = self.next();
            let Token::Text(key) = token else {
                let message = format!("{} where the name of a field is expected", token.shown());
                return Err(error(
                    key_range,
                    message,
                    "the names of a record's fields stand in quotes: {'name': value}",
                ));
            };
            if fields.iter().any(|(known, _)| *known == key) {
                return Err(error(key_range, format!("the field `{key}` stands twice"), "keep one of them"));
            }
            self.expect(":")?;
            let value = self.conditional()?;
            height = height.max(value.height);
            fields.push((key, value.node));
            if !self.sign(",") {
                self.expect("}")?;
                break;
            }
        }
        let end = self.tokens[self.at - 1].1.end;
        self.build(NodeKind::Record(fields), range.start..end, height + 1)
    }
}
