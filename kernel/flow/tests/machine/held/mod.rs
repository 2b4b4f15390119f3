//! Random flows that acquire and settle: most of them settle what they acquire where its block ends, some forget to, some do
//! it twice, some undo it wrongly. How they are written down is in `writer`.

mod writer;

use proptest::prelude::*;

pub(crate) use writer::write;

/// A step of a random flow; which handle it settles is found when it is written down.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Reserve { undo: Undo, handler: Handler },
    Split,
    Take,
    Captured { on_timeout: Vec<Step> },
    Settle { which: usize, how: usize, again: bool },
    Mail { undo: bool, handler: Handler },
    Packed { on_timeout: Vec<Step> },
    Sleep,
    When { condition: usize, step: Box<Step> },
    Switch { condition: usize, yes: Vec<Step>, no: Option<Vec<Step>> },
    Each { list: usize, at_once: bool, until: bool, steps: Vec<Step> },
    Repeat { until: bool, steps: Vec<Step> },
    Attempt { steps: Vec<Step>, handler: Vec<Step>, any: bool, cancellable: bool },
    Parallel { one: Vec<Step>, other: Vec<Step> },
    Race { captured: Vec<Step>, late: Vec<Step> },
    Tcc { handler: Handler, promise: bool, undo: bool },
    Fail,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undo {
    OfContract,
    Own,
    Wrong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handler {
    None,
    GoesOn,
    Ends,
    Fails,
}

#[derive(Debug, Clone)]
pub(crate) struct Flow {
    before: Vec<Step>,
    pivot: bool,
    after: Vec<Step>,
    cancellable: bool,
    /// Of how many blocks that acquire one forgets to settle.
    forgets: u32,
}

fn handler() -> impl Strategy<Value = Handler> {
    prop_oneof![
        4 => Just(Handler::None),
        2 => Just(Handler::GoesOn),
        1 => Just(Handler::Ends),
        1 => Just(Handler::Fails),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let undo = prop_oneof![6 => Just(Undo::OfContract), 2 => Just(Undo::Own), 1 => Just(Undo::Wrong)];
    let leaf = prop_oneof![
        4 => (undo, handler()).prop_map(|(undo, handler)| Step::Reserve { undo, handler }),
        1 => Just(Step::Split),
        1 => Just(Step::Take),
        1 => Just(Step::Captured { on_timeout: vec![] }),
        4 => (0_usize..4, 0_usize..3, prop::bool::weighted(0.15))
            .prop_map(|(which, how, again)| Step::Settle { which, how, again }),
        3 => (prop::bool::weighted(0.15), handler()).prop_map(|(undo, handler)| Step::Mail { undo, handler }),
        1 => Just(Step::Sleep),
        1 => (handler(), any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(handler, promise, undo)| Step::Tcc { handler, promise, undo }),
        1 => Just(Step::Fail),
        1 => Just(Step::End),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let block = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            1 => block.clone().prop_map(|on_timeout| Step::Captured { on_timeout }),
            1 => block.clone().prop_map(|on_timeout| Step::Packed { on_timeout }),
            2 => (0_usize..3, inner).prop_map(|(condition, step)| Step::When { condition, step: step.into() }),
            2 => (0_usize..3, block.clone(), prop::option::of(block.clone()))
                .prop_map(|(condition, yes, no)| Step::Switch { condition, yes, no }),
            1 => (any::<bool>(), block.clone()).prop_map(|(until, steps)| Step::Repeat { until, steps }),
            3 => (block.clone(), block.clone(), any::<bool>(), any::<bool>()).prop_map(
                |(steps, handler, any, cancellable)| Step::Attempt { steps, handler, any, cancellable }
            ),
            2 => (block.clone(), block.clone()).prop_map(|(one, other)| Step::Parallel { one, other }),
            1 => (block.clone(), block.clone()).prop_map(|(captured, late)| Step::Race { captured, late }),
            2 => (0_usize..3, any::<bool>(), any::<bool>(), block).prop_map(|(list, at_once, until, steps)| {
                Step::Each { list, at_once, until, steps }
            }),
        ]
    })
}

pub(crate) fn flow() -> impl Strategy<Value = Flow> {
    let block = |most| prop::collection::vec(step(), 0..most);
    (block(5), any::<bool>(), block(3), any::<bool>(), 1_u32..5).prop_map(
        |(before, pivot, after, cancellable, forgets)| Flow { before, pivot, after, cancellable, forgets },
    )
}
