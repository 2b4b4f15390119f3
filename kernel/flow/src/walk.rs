//! Ways over the tree that several parts need: the lists of steps within a step, the children of a node, the expressions
//! of a template.

use crate::ast::{At, Expr, Node, NodeKind, Step, StepKind, Template, TemplateKind, TextPart};

/// The lists of steps directly within a step, in the order of the text.
pub(crate) fn inner(step: &Step) -> Vec<&[Step]> {
    match &step.kind {
        StepKind::Call(call) => call.on.iter().map(|handler| &*handler.steps).collect(),
        StepKind::Tcc(tcc) => tcc.on.iter().map(|handler| &*handler.steps).collect(),
        StepKind::Start(start) => start.on.iter().map(|handler| &*handler.steps).collect(),
        StepKind::Wait(wait) => vec![&*wait.on_timeout],
        StepKind::Switch(switch) => {
            let cases = switch.cases.iter().map(|case| &*case.steps);
            cases.chain(switch.otherwise.iter().map(|steps| &*steps.value)).collect()
        }
        StepKind::Parallel(branches) => branches.iter().map(|branch| &*branch.steps).collect(),
        StepKind::Race(racers) => racers.iter().map(|racer| &*racer.steps).collect(),
        StepKind::Foreach(foreach) => vec![&*foreach.steps],
        StepKind::Repeat(repeat) => vec![&*repeat.steps],
        StepKind::Attempt(attempt) => {
            let handlers = attempt.otherwise.iter().map(|handler| &*handler.steps);
            std::iter::once(&*attempt.steps).chain(handlers).collect()
        }
        StepKind::Sleep(_)
        | StepKind::Emit { .. }
        | StepKind::Answer(_)
        | StepKind::Let(_)
        | StepKind::Pivot(_)
        | StepKind::Fail(_)
        | StepKind::End(_)
        | StepKind::Attention(_) => Vec::new(),
    }
}

/// The names that a step binds for those behind it.
pub(crate) fn names(step: &Step) -> impl Iterator<Item = &At<String>> {
    let lets = match &step.kind {
        StepKind::Let(names) => &**names,
        _ => &[],
    };
    let tries = match &step.kind {
        StepKind::Tcc(tcc) => &*tcc.calls,
        _ => &[],
    };
    let lets = lets.iter().map(|(name, _)| name);
    step.id.iter().chain(lets).chain(tries.iter().filter_map(|tried| tried.id.as_ref()))
}

/// The flows that these steps start, with those of the steps within.
pub(crate) fn started<'s>(steps: &'s [Step], into: &mut std::collections::BTreeSet<&'s str>) {
    for step in steps {
        if let StepKind::Start(start) = &step.kind {
            into.insert(&start.flow.value);
        }
        inner(step).into_iter().for_each(|steps| started(steps, into));
    }
}

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
