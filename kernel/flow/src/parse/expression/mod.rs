//! CEL expressions to the language's own tree, every node with its place. Written for the language instead of taken from
//! an interpreter, because those expand macros and lose places. It is total: length, depth and the number of nodes have
//! limits, so that neither this nor any walk over the tree can exhaust a stack.

mod grammar;
mod lexer;

use std::ops::Range;

use crate::ast::{Node, Place};

pub(crate) use lexer::{RESERVED, closing};

/// Bytes that an expression may have.
pub(crate) const LENGTH: usize = 4_096;
/// How high the tree of an expression may be.
pub(crate) const HEIGHT: usize = 60;

/// What the grammar does not have, with its bytes within the expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpressionError {
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: String,
}

/// The tree of an expression; `place` says where a range of its bytes stands in the file.
pub(crate) fn parse(source: &str, place: &dyn Fn(Range<usize>) -> Place) -> Result<Node, ExpressionError> {
    if source.len() > LENGTH {
        return Err(ExpressionError {
            range: 0..source.len(),
            message: format!("an expression of more than {LENGTH} bytes"),
            help: "name parts of it by `let`".to_owned(),
        });
    }
    grammar::expression(source, place)
}

#[cfg(test)]
mod tests;
