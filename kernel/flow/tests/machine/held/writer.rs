//! Random flows written down as JSON, which is YAML: which handle a step settles is found here.

use mortise_contract::{Contracts, Effect};
use serde_json::{Value as Json, json as tree};

use super::{Flow, Handler, Step, Undo};

/// A handle that the place sees.
#[derive(Debug, Clone)]
struct Held {
    /// `stock4.reservation`, or a list of them.
    path: String,
    kind: Kind,
    settled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Stock,
    Shares,
    Money,
}

struct Writer<'c> {
    contracts: &'c Contracts,
    ids: u32,
    held: Vec<Held>,
    behind: bool,
    /// How many attempts are around.
    attempts: u32,
    forgets: u32,
    blocks: u32,
}

/// What a flow is written down as, for these contracts.
pub(crate) fn write(flow: &Flow, contracts: &Contracts) -> String {
    let mut writer = Writer::of(flow.forgets, contracts);
    let mut steps: Vec<Json> = flow.before.iter().flat_map(|step| writer.step(step)).collect();
    if flow.pivot {
        steps.push(tree!({"pivot": "paid"}));
        writer.behind = true;
        steps.extend(flow.after.iter().flat_map(|step| writer.step(step)));
    }
    steps.extend(writer.settle_from(0));
    steps.push(tree!({"attention": "the end"}));
    let mut whole = tree!({"flow": "random", "version": 1, "internal": true, "steps": steps, "input": {
        "type": "object", "required": ["order", "gift", "n", "names"],
        "properties": {
            "order": {"type": "string"}, "gift": {"type": "boolean"}, "n": {"type": "integer"},
            "names": {"type": "array", "minItems": 1, "maxItems": 9, "items": {"type": "string"}},
            "some": {"type": "array", "maxItems": 9, "items": {"type": "string"}, "default": []}}}});
    if flow.cancellable {
        whole["cancel_on"] =
            tree!({"event": "order.cancel_requested", "match": "${ input.order }", "fail": "cancelled"});
    }
    serde_json::to_string_pretty(&whole).unwrap()
}

impl<'c> Writer<'c> {
    fn of(forgets: u32, contracts: &'c Contracts) -> Self {
        Self { contracts, ids: 0, held: Vec::new(), behind: false, attempts: 0, forgets, blocks: 0 }
    }

    fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}{}", self.ids)
    }

    /// A list of its own: what it acquires is not seen behind it.
    fn block(&mut self, steps: &[Step]) -> Vec<Json> {
        let mark = self.held.len();
        let before: Vec<bool> = self.held.iter().map(|held| held.settled).collect();
        let mut written: Vec<Json> = steps.iter().flat_map(|step| self.step(step)).collect();
        written.extend(self.settle_from(mark));
        self.held.truncate(mark);
        // What one branch has settled, another may settle too.
        self.held.iter_mut().zip(before).for_each(|(held, before)| held.settled = before);
        written.push(tree!({"attention": "on"}));
        written
    }

    fn settle_from(&mut self, mark: usize) -> Vec<Json> {
        self.blocks += 1;
        if self.forgets > 1 && self.blocks.is_multiple_of(self.forgets) {
            return Vec::new();
        }
        let open: Vec<usize> = (mark..self.held.len()).filter(|at| !self.held[*at].settled).collect();
        open.into_iter().flat_map(|at| self.settle(at, 0)).collect()
    }

    fn settle(&mut self, at: usize, how: usize) -> Vec<Json> {
        let Held { path, kind, .. } = self.held[at].clone();
        self.held[at].settled = true;
        let (root, _) = path.split_once('.').unwrap_or((&path, ""));
        let given = format!("${{ {path} }}");
        let when =
            if root.starts_with("each") { "${ true }".to_owned() } else { format!("${{ has({path}) }}") };
        match kind {
            Kind::Stock => {
                let call = ["stock.claim", "stock.release", "stock.claim"][how % 3];
                vec![tree!({"when": when, "call": call, "with": {"reservation": given}})]
            }
            Kind::Money => {
                let call = ["pay.book", "pay.give_back", "pay.book"][how % 3];
                vec![self.handled(
                    tree!({"when": when, "call": call, "with": {"payment_id": given}}),
                    Handler::None,
                )]
            }
            Kind::Shares if how == 0 => {
                vec![tree!({"when": when, "call": "stock.release_all", "with": {"shares": given}})]
            }
            Kind::Shares => {
                let name = self.id("each");
                let claim =
                    tree!({"call": "stock.claim", "with": {"reservation": format!("${{ {name}.share }}")}});
                vec![tree!({"when": when, "foreach": given, "as": name, "max": 9, "do": [claim]})]
            }
        }
    }

    /// Whether a step can be rejected where it stands: behind the pivot no peer is given up.
    fn is_rejected(&self, step: &Json) -> bool {
        let one = |call: &Json| {
            let contract = call.as_str().and_then(|name| self.contracts.operations.get(name));
            contract.is_some_and(|contract| {
                !contract.rejections.is_empty() || (contract.effect == Effect::Remote && !self.behind)
            })
        };
        match step["tcc"].as_array() {
            Some(tries) => tries.iter().any(|tried| one(&tried["call"])),
            None => one(&step["call"]),
        }
    }

    /// Behind the pivot every rejection is taken.
    fn handled(&mut self, mut call: Json, handler: Handler) -> Json {
        let rejected = self.is_rejected(&call);
        let handler = if self.behind && handler != Handler::Ends { Handler::GoesOn } else { handler };
        if rejected {
            match handler {
                Handler::None => {}
                Handler::GoesOn => call["on"] = tree!({"any": [{"attention": "rejected"}]}),
                Handler::Ends => call["on"] = tree!({"any": [{"end": "rejected"}]}),
                Handler::Fails => call["on"] = tree!({"any": [{"fail": "rejected"}]}),
            }
        }
        call
    }

    /// A condition, and the step in front of it that it needs.
    fn condition(&mut self, condition: usize) -> (Vec<Json>, String) {
        match condition {
            0 => (Vec::new(), "${ input.gift }".to_owned()),
            1 => (Vec::new(), "${ input.n > 1 }".to_owned()),
            _ => {
                let id = self.id("check");
                let asked = tree!({"id": id, "call": "mail.check", "with": {}});
                (vec![asked], format!("${{ {id}.wanted }}"))
            }
        }
    }

    fn step(&mut self, step: &Step) -> Vec<Json> {
        match step {
            Step::Reserve { undo, handler } => {
                let id = self.id("stock");
                let mut call = tree!({"id": id, "call": "stock.reserve", "with": {"sku": "milk"}});
                let path = format!("{id}.reservation");
                let own =
                    |call: &str| tree!({"call": call, "with": {"reservation": format!("${{ {path} }}")}});
                match undo {
                    Undo::OfContract => {}
                    Undo::Own => call["undo"] = own("stock.release"),
                    Undo::Wrong => call["undo"] = own("stock.unclaim"),
                }
                let call = self.handled(call, *handler);
                self.held.push(Held { path, kind: Kind::Stock, settled: false });
                vec![call]
            }
            Step::Split => {
                let id = self.id("parts");
                self.held.push(Held { path: format!("{id}.shares"), kind: Kind::Shares, settled: false });
                vec![tree!({"id": id, "call": "stock.split", "with": {"sku": "milk"}})]
            }
            Step::Take => {
                let id = self.id("money");
                self.held.push(Held { path: format!("{id}.payment_id"), kind: Kind::Money, settled: false });
                let call = tree!({"id": id, "call": "pay.take", "with": {"order": "${ input.order }"}});
                vec![self.handled(call, Handler::None)]
            }
            Step::Captured { on_timeout } => {
                let id = self.id("captured");
                let late = self.block(on_timeout);
                self.held.push(Held { path: format!("{id}.payment_id"), kind: Kind::Money, settled: false });
                vec![
                    tree!({"id": id, "wait": "pay.captured", "match": id, "timeout": "1h", "on_timeout": late}),
                ]
            }
            Step::Settle { which, how, again } => {
                let open: Vec<usize> =
                    (0..self.held.len()).filter(|at| *again || !self.held[*at].settled).collect();
                match open.get(which % open.len().max(1)) {
                    Some(at) => self.settle(*at, *how),
                    None => Vec::new(),
                }
            }
            Step::Mail { undo, handler } => {
                let mut call = tree!({"call": "mail.send", "with": {}});
                let held =
                    self.held.iter().find(|held| held.kind == Kind::Stock && !held.path.starts_with("each"));
                if let (true, Some(held), false) = (undo, held, self.behind) {
                    let (path, mut when) = (&held.path, String::new());
                    when += &format!("${{ has({path}) }}");
                    call["when"] = tree!(when);
                    call["undo"] =
                        tree!({"call": "stock.release", "with": {"reservation": format!("${{ {path} }}")}});
                }
                vec![self.handled(call, *handler)]
            }
            Step::Packed { on_timeout } => {
                let late = self.block(on_timeout);
                vec![tree!({"wait": "pick.packed", "match": "a", "timeout": "1h", "on_timeout": late})]
            }
            Step::Sleep => vec![tree!({"sleep": "1m"})],
            Step::When { condition, step } => {
                let (mut written, when) = self.condition(*condition);
                let mut inner = self.step(step);
                match inner.as_mut_slice() {
                    [one] if one.get("when").is_none() => {
                        one["when"] = tree!(when);
                        written.extend(inner);
                    }
                    _ => written.extend(inner),
                }
                written
            }
            Step::Switch { condition, yes, no } => {
                let (mut written, condition) = self.condition(*condition);
                let mut cases = vec![tree!({"if": condition, "do": self.block(yes)})];
                if let Some(no) = no {
                    cases.push(tree!({"else": self.block(no)}));
                }
                written.push(tree!({"switch": cases}));
                written
            }
            Step::Each { list, at_once, until, steps } => self.each(*list, *at_once, *until, steps),
            Step::Repeat { until, steps } => {
                let name = self.id("round");
                let body = self.block(steps);
                let mut written = tree!({"repeat": name, "max": 2, "do": body});
                if *until {
                    written["until"] = tree!("${ input.gift }");
                }
                vec![written]
            }
            Step::Attempt { steps, handler, any, cancellable } => {
                self.attempts += 1;
                let inside = self.block(steps);
                self.attempts -= 1;
                let handler = self.block(handler);
                let code = if *any { "any" } else { "no" };
                // So that there is something to take.
                let may_fail = tree!({"call": "mail.send", "with": {}});
                let inside: Vec<Json> = [may_fail].into_iter().chain(inside).collect();
                let inside = match any {
                    true => inside,
                    false => {
                        [tree!({"when": "${ input.gift }", "fail": "no"})].into_iter().chain(inside).collect()
                    }
                };
                let mut written = tree!({"attempt": inside, "else": {code: handler}});
                if self.behind && self.attempts == 0 && !any {
                    written["else"]["any"] = tree!([{"attention": "failed"}]);
                }
                if *cancellable && *any {
                    written["cancel_on"] = tree!({"event": "order.cancel_requested", "match": "${ input.order }", "fail": "stopped"});
                }
                vec![written]
            }
            Step::Parallel { one, other } => {
                let (one, other) = (self.block(one), self.block(other));
                vec![tree!({"parallel": {"one": one, "other": other}})]
            }
            Step::Race { captured, late } => {
                let name = self.id("won");
                let mark = self.held.len();
                self.held.push(Held {
                    path: format!("{name}.payment_id"),
                    kind: Kind::Money,
                    settled: false,
                });
                let mut paid: Vec<Json> = captured.iter().flat_map(|step| self.step(step)).collect();
                paid.extend(self.settle_from(mark));
                self.held.truncate(mark);
                let late = self.block(late);
                let mut race = tree!({"late": {"timeout": "1h", "do": late}});
                race[&name] = tree!({"wait": "pay.captured", "match": name, "do": paid});
                vec![tree!({"race": race})]
            }
            Step::Tcc { handler, promise, undo } => vec![self.tcc(*handler, *promise, *undo)],
            Step::Fail if !self.behind => vec![tree!({"when": "${ input.gift }", "fail": "no"})],
            Step::Fail | Step::End => vec![tree!({"when": "${ input.n > 1 }", "end": "enough"})],
        }
    }

    /// Two credits, or one and a promise of stock that is held.
    fn tcc(&mut self, handler: Handler, promise: bool, undo: bool) -> Json {
        let id = self.id("credit");
        let mut hold = tree!({"id": id, "call": "credit.hold", "with": {"order": id}});
        let stock = |held: &Held| held.kind == Kind::Stock && !held.settled;
        let open = self.held.iter().position(stock);
        if let (true, false, Some(at)) = (undo, self.behind, open) {
            let given = format!("${{ {} }}", self.held[at].path);
            hold["undo"] = tree!({"call": "stock.release", "with": {"reservation": given}});
        }
        let (mut when, other) = match open.filter(|_| promise) {
            None => {
                let id = self.id("credit");
                (None, tree!({"id": id, "call": "credit.hold", "with": {"order": id}}))
            }
            Some(at) => {
                self.held[at].settled = true;
                let path = &self.held[at].path;
                let with = tree!({"reservation": format!("${{ {path} }}")});
                (Some(path.clone()), tree!({"call": "stock.promise", "with": with}))
            }
        };
        if hold.get("undo").is_some() {
            when = when.or(open.map(|at| self.held[at].path.clone()));
        }
        let mut step = tree!({"tcc": [hold, other]});
        if let Some(path) = when.filter(|path| !path.starts_with("each")) {
            step["when"] = tree!(format!("${{ has({path}) }}"));
        }
        self.handled(step, handler)
    }

    fn each(&mut self, list: usize, at_once: bool, until: bool, steps: &[Step]) -> Vec<Json> {
        let name = self.id("each");
        let shares = self.held.iter().position(|held| held.kind == Kind::Shares && !held.settled);
        let (list, shared) = match (list, shares) {
            (0, Some(at)) => {
                self.held[at].settled = true;
                (self.held[at].path.clone(), Some(self.held[at].path.clone()))
            }
            (1, _) => ("input.some".to_owned(), None),
            _ => ("input.names".to_owned(), None),
        };
        let mark = self.held.len();
        if shared.is_some() {
            self.held.push(Held { path: format!("{name}.share"), kind: Kind::Stock, settled: false });
        }
        let mut body: Vec<Json> = steps.iter().flat_map(|step| self.step(step)).collect();
        body.extend(self.settle_from(mark));
        self.held.truncate(mark);
        body.push(tree!({"attention": "round"}));
        let mut written = tree!({"foreach": format!("${{ {list} }}"), "as": name, "max": 9, "do": body});
        if let Some(path) = shared {
            written["when"] = tree!(format!("${{ has({path}) }}"));
        }
        if at_once {
            written["at_once"] = tree!(2);
        } else if until {
            written["until"] = tree!("${ input.gift }");
        }
        vec![written]
    }
}
