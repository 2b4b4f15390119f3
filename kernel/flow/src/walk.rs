//! Ways over the tree that several parts need: the children of a node, the expressions of a template.

use crate::ast::{Expr, Node, NodeKind, Template, TemplateKind, TextPart};

/// Calls `visit` with each node directly beneath `node`, in the order of the text.
pub(crate) fn children<'n>(node: &'n Node, visit: &mut dyn FnMut(&'n Node)) {
    match &node.kind {
        NodeKind::Literal(_) | NodeKind::Name(_) => {}
        NodeKind::Select { of, .. } | NodeKind::Has { of, .. } | NodeKind::Unary { of, .. } => visit(of),
        NodeKind::Index { of, at } => {
            visit(of);
            visit(at);
        }
        NodeKind::Binary { left, right, .. } => {
            visit(left);
            visit(right);
        }
        NodeKind::Conditional { condition, yes, no } => {
            visit(condition);
            visit(yes);
            visit(no);
        }
        NodeKind::Function { target, arguments, .. } => {
            if let Some(target) = target {
                visit(target);
            }
            arguments.iter().for_each(visit);
        }
        NodeKind::List(items) => items.iter().for_each(visit),
        NodeKind::Record(fields) => fields.iter().for_each(|(_, value)| visit(value)),
        NodeKind::Macro { over, filter, body, .. } => {
            visit(over);
            if let Some(filter) = filter {
                visit(filter);
            }
            visit(body);
        }
    }
}

/// Calls `visit` with every expression of a template.
pub(crate) fn expressions<'t>(template: &'t Template, visit: &mut dyn FnMut(&'t Expr)) {
    match &template.kind {
        TemplateKind::Literal(_) => {}
        TemplateKind::Expr(expr) => visit(expr),
        TemplateKind::Text(parts) => {
            for part in parts {
                if let TextPart::Expr(expr) = part {
                    visit(expr);
                }
            }
        }
        TemplateKind::List(items) => items.iter().for_each(|item| expressions(item, visit)),
        TemplateKind::Record(fields) => fields.iter().for_each(|(_, value)| expressions(value, visit)),
    }
}
