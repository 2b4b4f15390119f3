//! From a definition to a picture: one walk over the steps, from above to below. What each step leaves open is joined to
//! the next one.

use mortise_contract::{Contracts, Effect, Undo};
use mortise_flow::ast::{
    Attempt, Branch, Call, Clock, Contest, Flow, Foreach, Handler, Racer, Repeat, Rounds, Start, Step,
    StepKind, Switch, Tcc, Wait,
};

use crate::model::{Edge, EdgeKind, Graph, Node, NodeId, Shape};
use crate::words;

/// The lane of what belongs to no capability.
const TRADE: &str = "the trade";

/// The picture of a flow. `contracts` say what a call is and what takes it back; what they do not know is drawn as written.
#[must_use]
pub fn graph(flow: &Flow, contracts: &Contracts) -> Graph {
    let title = format!("{} (version {})", flow.name.value, flow.version);
    let graph = Graph {
        title,
        summary: flow.summary.clone(),
        lanes: vec![TRADE.to_owned()],
        nodes: Vec::new(),
        edges: Vec::new(),
    };
    let mut walk = Walk { graph, contracts, reach: Reach::Before };
    let mut open = Vec::new();
    walk.node(&mut open, walk.own(Shape::Terminal, "the trade begins", 0));
    if let Some(cancel) = &flow.cancel_on {
        let text = format!("until the pivot, {} cancels it: {}", cancel.event.value, cancel.code.value);
        walk.node(&mut open, walk.own(Shape::Note, &text, cancel.event.place.line));
    }
    let mut open = walk.steps(&flow.steps, open);
    if !open.is_empty() {
        walk.node(&mut open, walk.own(Shape::Terminal, "completed", 0));
    }
    walk.graph
}

/// A node that something has still to be joined to.
#[derive(Debug, Clone)]
struct Open {
    from: NodeId,
    label: Option<String>,
    kind: EdgeKind,
}

impl Open {
    fn on(from: NodeId) -> Self {
        Self { from, label: None, kind: EdgeKind::On }
    }

    fn labelled(from: NodeId, label: impl Into<String>) -> Self {
        Self { from, label: Some(label.into()), kind: EdgeKind::On }
    }

    fn aside(from: NodeId, label: impl Into<String>) -> Self {
        Self { from, label: Some(label.into()), kind: EdgeKind::Aside }
    }
}

/// Behind the pivot nothing is taken back, but within an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Before,
    Behind,
}

struct Walk<'c> {
    graph: Graph,
    contracts: &'c Contracts,
    reach: Reach,
}

impl Walk<'_> {
    fn lane(&mut self, dotted: &str) -> usize {
        let name = dotted.split(['.', '/']).next().unwrap_or(dotted).replace('_', "-");
        match self.graph.lanes.iter().position(|lane| *lane == name) {
            Some(lane) => lane,
            None => {
                self.graph.lanes.push(name);
                self.graph.lanes.len() - 1
            }
        }
    }

    /// A node in the trade's own lane.
    fn own(&self, shape: Shape, text: &str, line: u32) -> Node {
        Node { lane: 0, shape, lines: vec![text.to_owned()], condition: None, line, undo: None }
    }

    /// Adds a node behind what is open, which is then this node alone.
    fn node(&mut self, open: &mut Vec<Open>, node: Node) -> NodeId {
        let id = NodeId(self.graph.nodes.len());
        self.graph.nodes.push(node);
        for Open { from, label, kind } in open.drain(..) {
            self.graph.edges.push(Edge { from, to: id, label, kind });
        }
        open.push(Open::on(id));
        id
    }

    fn steps(&mut self, steps: &[Step], mut open: Vec<Open>) -> Vec<Open> {
        for step in steps {
            if open.is_empty() {
                break;
            }
            open = self.step(step, open);
        }
        open
    }

    fn step(&mut self, step: &Step, mut open: Vec<Open>) -> Vec<Open> {
        let line = step.place.line;
        let before = self.graph.nodes.len();
        let skipped = step.when.as_ref().map(|_| open.clone());
        let behind = match &step.kind {
            StepKind::Call(call) => self.call(step, call, open),
            StepKind::Wait(wait) => self.wait(step, wait, open),
            StepKind::Switch(switch) => self.switch(line, switch, open),
            StepKind::Foreach(foreach) => self.foreach(line, foreach, open),
            StepKind::Repeat(repeat) => self.repeat(line, repeat, open),
            StepKind::Parallel(branches) => self.parallel(line, branches, open),
            StepKind::Race(racers) => self.race(line, racers, open),
            StepKind::Attempt(attempt) => self.attempt(line, attempt, open),
            StepKind::Tcc(tcc) => self.tcc(line, tcc, open),
            StepKind::Start(start) => self.start(step, start, open),
            StepKind::Fail(code) => {
                self.node(&mut open, self.own(Shape::Fail, &format!("fails: {}", code.value), line));
                Vec::new()
            }
            StepKind::End(outcome) => {
                self.node(&mut open, self.own(Shape::Terminal, &format!("ends: {}", outcome.value), line));
                Vec::new()
            }
            StepKind::Pivot(reason) => {
                self.reach = Reach::Behind;
                self.node(
                    &mut open,
                    self.own(Shape::Pivot, &format!("pivot: {}", words::shortened(reason)), line),
                );
                open
            }
            _ => {
                let node = self.plain(step);
                self.node(&mut open, node);
                open
            }
        };
        self.under_condition(step, before, skipped, behind)
    }

    /// Says in the step's box under which condition it runs; a step that leaves the way otherwise is passed by.
    fn under_condition(
        &mut self,
        step: &Step,
        before: usize,
        skipped: Option<Vec<Open>>,
        mut behind: Vec<Open>,
    ) -> Vec<Open> {
        if let (Some(when), Some(node)) = (&step.when, self.graph.nodes.get_mut(before)) {
            node.condition = Some(words::expr(when));
        }
        if let (true, Some(skipped)) = (behind.is_empty(), skipped) {
            behind.extend(skipped.into_iter().map(|open| Open { label: Some("else".to_owned()), ..open }));
        }
        behind
    }

    /// Steps that call nothing and branch nowhere.
    fn plain(&mut self, step: &Step) -> Node {
        let line = step.place.line;
        match &step.kind {
            StepKind::Sleep(clock) => self.own(Shape::Clock, &sleeps(clock), line),
            StepKind::Emit { event, .. } => {
                let lane = self.lane(&event.value);
                let mut node = self.own(Shape::Note, &format!("tells {}", event.value), line);
                node.lane = lane;
                node
            }
            StepKind::Answer(template) => {
                self.own(Shape::Answer, &format!("answers: {}", words::template(template)), line)
            }
            StepKind::Let(names) => {
                let names: Vec<&str> = names.iter().map(|(name, _)| name.value.as_str()).collect();
                self.own(Shape::Note, &format!("let {}", names.join(", ")), line)
            }
            StepKind::Attention(text) => {
                self.own(Shape::Note, &format!("before a person: {}", words::template(text)), line)
            }
            _ => self.own(Shape::Note, "", line),
        }
    }

    fn called(&mut self, id: Option<&str>, call: &Call, line: u32) -> Node {
        let operation = &call.operation.value;
        let contract = self.contracts.operations.get(operation);
        let shape = match contract.map(|contract| contract.effect) {
            Some(Effect::Pure | Effect::Read) => Shape::Look,
            Some(Effect::Remote) => Shape::Remote,
            Some(Effect::Write) | None => Shape::Write,
        };
        let own = call.undo.as_ref().map(|undo| undo.operation.value.clone());
        let undo = own.or_else(|| match contract.and_then(|contract| contract.undo.as_ref()) {
            Some(Undo::Call(undo)) if self.reach == Reach::Before => Some(undo.call.clone()),
            _ => None,
        });
        let mut lines = vec![operation.clone()];
        lines.extend(id.map(|id| format!("as {id}")));
        Node { lane: self.lane(operation), shape, lines, condition: None, line, undo }
    }

    fn call(&mut self, step: &Step, call: &Call, mut open: Vec<Open>) -> Vec<Open> {
        let id = step.id.as_ref().map(|id| id.value.as_str());
        let node = self.called(id, call, step.place.line);
        let at = self.node(&mut open, node);
        self.handlers(at, &call.on, &mut open);
        open
    }

    /// The ways behind a rejection of `at`; what goes on from them goes on behind the step.
    fn handlers(&mut self, at: NodeId, handlers: &[Handler], open: &mut Vec<Open>) {
        for handler in handlers {
            let label = match handler.code.value.as_str() {
                "any" => "any refusal",
                code => code,
            };
            open.extend(self.steps(&handler.steps, vec![Open::aside(at, label)]));
        }
    }

    fn event(&mut self, event: &str, key: &mortise_flow::ast::Template, line: u32) -> Node {
        let lane = self.lane(event);
        let lines = vec![format!("waits for {event}"), format!("of {}", words::template(key))];
        Node { lane, shape: Shape::Event, lines, condition: None, line, undo: None }
    }

    fn wait(&mut self, step: &Step, wait: &Wait, mut open: Vec<Open>) -> Vec<Open> {
        let node = self.event(&wait.event.value, &wait.key, step.place.line);
        let at = self.node(&mut open, node);
        open.extend(self.steps(&wait.on_timeout, vec![Open::aside(at, words::clock(&wait.clock))]));
        open
    }

    fn switch(&mut self, line: u32, switch: &Switch, mut open: Vec<Open>) -> Vec<Open> {
        let at = self.node(&mut open, self.own(Shape::Choice, "which case?", line));
        let mut behind = Vec::new();
        for case in &switch.cases {
            let way = vec![Open::labelled(at, words::expr(&case.condition))];
            behind.extend(self.steps(&case.steps, way));
        }
        let otherwise = vec![Open::labelled(at, "else")];
        match &switch.otherwise {
            Some(steps) => behind.extend(self.steps(&steps.value, otherwise)),
            None => behind.extend(otherwise),
        }
        behind
    }

    /// A block's head, its steps, and the way back to the head.
    fn rounds(&mut self, head: String, line: u32, steps: &[Step], mut open: Vec<Open>) -> Vec<Open> {
        let at = self.node(&mut open, self.own(Shape::Block, &head, line));
        for Open { from, label, .. } in self.steps(steps, vec![Open::labelled(at, "each round")]) {
            if from != at {
                self.graph.edges.push(Edge { from, to: at, label, kind: EdgeKind::Again });
            }
        }
        vec![Open::labelled(at, "then")]
    }

    fn foreach(&mut self, line: u32, foreach: &Foreach, open: Vec<Open>) -> Vec<Open> {
        let how = match &foreach.mode {
            Rounds::AtOnce(most) => format!(", {} at once", most.value),
            Rounds::InOrder { until: Some(until) } => format!(", until {}", words::expr(until)),
            Rounds::InOrder { until: None } => String::new(),
        };
        let head = format!("for each {} of {}{how}", foreach.name.value, words::expr(&foreach.list));
        self.rounds(head, line, &foreach.steps, open)
    }

    fn repeat(&mut self, line: u32, repeat: &Repeat, open: Vec<Open>) -> Vec<Open> {
        let most =
            repeat.max.as_ref().map(|max| format!(", at most {} times", max.value)).unwrap_or_default();
        let until =
            repeat.until.as_ref().map(|until| format!(" until {}", words::expr(until))).unwrap_or_default();
        self.rounds(format!("repeat {}{until}{most}", repeat.name.value), line, &repeat.steps, open)
    }

    fn parallel(&mut self, line: u32, branches: &[Branch], mut open: Vec<Open>) -> Vec<Open> {
        let at = self.node(&mut open, self.own(Shape::Block, "all of these, side by side", line));
        let mut ends = Vec::new();
        for branch in branches {
            ends.extend(self.steps(&branch.steps, vec![Open::labelled(at, &branch.name.value)]));
        }
        if !ends.is_empty() {
            self.node(&mut ends, self.own(Shape::Block, "all are done", line));
        }
        ends
    }

    fn race(&mut self, line: u32, racers: &[Racer], mut open: Vec<Open>) -> Vec<Open> {
        let at = self.node(&mut open, self.own(Shape::Choice, "whichever comes first", line));
        let mut behind = Vec::new();
        for racer in racers {
            let mut way = vec![Open::labelled(at, &racer.name.value)];
            let node = match &racer.until {
                Contest::Event { event, key } => self.event(&event.value, key, event.place.line),
                Contest::Clock(clock) => self.own(Shape::Clock, &words::clock(clock), racer.name.place.line),
            };
            self.node(&mut way, node);
            behind.extend(self.steps(&racer.steps, way));
        }
        behind
    }

    fn attempt(&mut self, line: u32, attempt: &Attempt, mut open: Vec<Open>) -> Vec<Open> {
        let head = match &attempt.cancel_on {
            Some(cancel) => format!("attempt, unless {} comes", cancel.event.value),
            None => "attempt".to_owned(),
        };
        let at = self.node(&mut open, self.own(Shape::Block, &head, line));
        let outside = std::mem::replace(&mut self.reach, Reach::Before);
        let mut behind = self.steps(&attempt.steps, open);
        self.reach = outside;
        let undone = |code: &str| match code {
            "any" => "any other failure: undone, then".to_owned(),
            code => format!("{code}: undone, then"),
        };
        for handler in &attempt.otherwise {
            let way = vec![Open::aside(at, undone(&handler.code.value))];
            behind.extend(self.steps(&handler.steps, way));
        }
        behind
    }

    fn tcc(&mut self, line: u32, tcc: &Tcc, mut open: Vec<Open>) -> Vec<Open> {
        let at = self.node(&mut open, self.own(Shape::Block, "try all of these", line));
        for attempt in &tcc.calls {
            let id = attempt.id.as_ref().map(|id| id.value.as_str());
            let mut node = self.called(id, &attempt.call, attempt.call.operation.place.line);
            let triple =
                self.contracts.operations.get(&attempt.call.operation.value).and_then(|c| c.tcc.as_ref());
            if let Some(triple) = triple {
                node.lines.push(format!("then {}", triple.confirm.call));
                node.undo = Some(triple.cancel.call.clone());
            }
            self.node(&mut open, node);
        }
        self.node(&mut open, self.own(Shape::Block, "confirm all of them", line));
        self.handlers(at, &tcc.on, &mut open);
        open
    }

    fn start(&mut self, step: &Step, start: &Start, mut open: Vec<Open>) -> Vec<Open> {
        let text = format!("the trade {}", start.flow.value);
        let mut node = self.own(Shape::Start, &text, step.place.line);
        if self.reach == Reach::Before {
            node.undo = Some(format!("{} is taken back", start.flow.value));
        }
        let at = self.node(&mut open, node);
        self.handlers(at, &start.on, &mut open);
        open
    }
}

fn sleeps(clock: &Clock) -> String {
    match clock {
        Clock::After(span) => format!("sleeps {}", span.value),
        Clock::Expr(moment) => format!("sleeps until {}", words::expr(moment)),
    }
}
