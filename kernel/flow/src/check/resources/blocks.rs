//! Branches and loops: cases, parallel branches, racers, and rounds. A loop over handles has a round for each of them; one
//! over anything else has none, one or two.

use super::ends::Ending;
use super::value::Value;
use super::walk::Walk;
use crate::ast::{Branch, Contest, Foreach, Node, Racer, Repeat, Rounds, Step, Switch};
use crate::check::scope::Binding;
use crate::check::steps::title;
use crate::check::ways::{Rest, Way, Ways};
use crate::typing::Kind;
use crate::walk;

impl<'c> Walk<'_, 'c> {
    /// A block's `result`, which sees the names directly inside of it.
    pub(super) fn result(&mut self, step: &'c Step, inside: Vec<Binding<'c>>, ways: Ways) -> Ways {
        let mark = self.checker.scope.mark();
        inside.into_iter().for_each(|binding| self.checker.scope.bind(binding));
        let ways = match (&step.result, &step.id) {
            (Some(result), Some(id)) => {
                self.worked_out(step, result, &ways);
                let groups = self.values(result, ways);
                self.named(id.place.offset, groups)
            }
            _ => ways,
        };
        self.close(mark, ways).0
    }

    /// Steps whose names are kept for the block's result.
    fn inside(&mut self, steps: &'c [Step], ways: Ways, inside: &mut Vec<Binding<'c>>) -> Ways {
        let mark = self.checker.scope.mark();
        let ways = self.list(steps, ways);
        for binding in self.checker.scope.close(mark) {
            if !inside.iter().any(|known| known.key == binding.key) {
                inside.push(binding);
            }
        }
        ways
    }

    pub(super) fn switch(&mut self, step: &'c Step, switch: &'c Switch, mut ways: Ways) -> Ways {
        self.none_ran(&walk::inner(step), &mut ways);
        let mut done = Ways::default();
        let mut inside = Vec::new();
        let mut rest = ways;
        for (number, case) in switch.cases.iter().enumerate() {
            let mut hold = self.checker.assume(&case.condition.node, true, rest.clone());
            rest = self.checker.assume(&case.condition.node, false, rest);
            self.mark(&mut hold, case.condition.place, step, || {
                format!("case {} of the switch holds", number + 1)
            });
            let out = self.inside(&case.steps, hold, &mut inside);
            done = self.both(done, out);
        }
        let place = switch.otherwise.as_ref().map_or(step.place, |otherwise| otherwise.place);
        self.mark(&mut rest, place, step, || "no case of the switch holds".to_owned());
        if let Some(otherwise) = &switch.otherwise {
            rest = self.inside(&otherwise.value, rest, &mut inside);
        }
        done = self.both(done, rest);
        self.result(step, inside, done)
    }

    pub(super) fn race(&mut self, step: &'c Step, racers: &'c [Racer], mut ways: Ways) -> Ways {
        self.none_ran(&walk::inner(step), &mut ways);
        for racer in racers {
            if let Some(ran) =
                self.checker.scope.known(racer.name.place.offset).and_then(|binding| binding.ran)
            {
                ways.set(ran, false);
            }
        }
        self.cancelled(&ways, step.place);
        let mut done = Ways::default();
        let mut inside = Vec::new();
        for racer in racers {
            let (place, name) = (racer.name.place, &racer.name.value);
            let mut won = ways.clone();
            let mark = self.checker.scope.mark();
            match &racer.until {
                Contest::Event { event, .. } => {
                    if !self.acquires(event) {
                        self.mark(&mut won, place, step, || format!("`{}` comes (`{name}`)", event.value));
                    }
                    won = self.comes(event, Some(&racer.name), place, won);
                }
                Contest::Clock(_) => {
                    self.mark(&mut won, place, step, || format!("the time is over (`{name}`)"));
                }
            }
            if let Some(ran) = self.checker.scope.known(place.offset).and_then(|binding| binding.ran) {
                won.set(ran, true);
            }
            self.bind(&racer.name);
            let out = self.list(&racer.steps, won);
            inside.extend(self.checker.scope.close(mark));
            done = self.both(done, out);
        }
        self.result(step, inside, done)
    }

    pub(super) fn parallel(&mut self, step: &'c Step, branches: &'c [Branch], mut ways: Ways) -> Ways {
        self.none_ran(&walk::inner(step), &mut ways);
        let mut inside = Vec::new();
        let kept = self.keep(step);
        let done = self.together(None, branches.len(), ways, |walk, at, ways| {
            walk.inside(&branches[at].steps, ways, &mut inside)
        });
        self.keep_from = kept;
        self.result(step, inside, done)
    }

    /// From here on nothing is forgotten that is read from here on; gives back what was kept before.
    fn keep(&mut self, step: &Step) -> Option<usize> {
        let before = self.keep_from;
        self.keep_from = before.or(Some(step.place.offset));
        before
    }

    /// Parts that run beside each other: where one ends the trade, the others may be anywhere. What is bound from `own` on is
    /// each part's own.
    fn together(
        &mut self,
        own: Option<usize>,
        count: usize,
        ways: Ways,
        mut part: impl FnMut(&mut Self, usize, Ways) -> Ways,
    ) -> Ways {
        let mut complete = ways;
        complete.parts_begin();
        let mut partly = Ways::default();
        let mut ended: Vec<Ending> = Vec::new();
        let mut meanwhile: Vec<Ending> = Vec::new();
        for at in 0..count {
            let mut found = Ways::default();
            let mut endings = Vec::new();
            if !partly.is_empty() {
                let (out, between, ends) = self.part(partly.clone(), |walk, ways| part(walk, at, ways));
                found = self.both(out, between);
                endings.extend(ends);
            }
            let (out, between, ends) = self.part(complete, |walk, ways| part(walk, at, ways));
            complete = out;
            found = self.both(found, between);
            endings.extend(ends);
            for Ending { ways, how } in meanwhile.iter_mut().filter(|ending| !ending.ways.is_empty()) {
                let (out, mut between, _) =
                    self.part(std::mem::take(ways), |walk, ways| part(walk, at, ways));
                between.all.retain(|way| how.is_heard_amid() || way.rest() == Rest::Between);
                *ways = self.of_all(own, self.both(out, between));
            }
            for mut ending in endings {
                in_time(&mut ending.ways);
                let at_once = self.goes_on_meanwhile(own, ending, &mut meanwhile);
                ended.push(at_once);
            }
            let found = self.of_all(own, found);
            partly = self.both(partly, found);
        }
        for mut ending in ended {
            ending.ways.parts_end(|pace| pace.own);
            self.raise(ending);
        }
        for mut ending in meanwhile {
            ending.ways.parts_end(|pace| pace.own.max(pace.others));
            ending.ways.tell_held_back();
            self.raise(ending);
        }
        complete.parts_end(|pace| pace.own.max(pace.others));
        for rest in [Rest::Between, Rest::Amid] {
            let here = partly.all.iter().filter(|way| way.rest() == rest).cloned().collect();
            let mut here = Ways { all: here };
            here.parts_end(|pace| pace.own.max(pace.others));
            self.collect(&here, rest);
        }
        complete
    }

    /// Where a part ends the trade or fails, the parts behind it have begun by then and are anywhere, unless it does so at
    /// once: those ways are given back.
    fn goes_on_meanwhile(
        &self,
        own: Option<usize>,
        mut ending: Ending,
        meanwhile: &mut Vec<Ending>,
    ) -> Ending {
        let (at_once, waited): (Vec<Way>, Vec<Way>) =
            ending.ways.all.into_iter().partition(|way| way.pace().own == 0);
        let mut waited = self.of_all(own, Ways { all: waited });
        waited.hold_back();
        match meanwhile.iter_mut().find(|known| known.how == ending.how) {
            Some(known) => known.ways = self.both(std::mem::take(&mut known.ways), waited),
            None => meanwhile.push(Ending { how: ending.how.clone(), ways: waited }),
        }
        ending.ways = Ways { all: at_once };
        ending
    }

    /// A part: the ways behind it, those between its steps, and those that end in it.
    fn part(
        &mut self,
        mut ways: Ways,
        part: impl FnOnce(&mut Self, Ways) -> Ways,
    ) -> (Ways, Ways, Vec<Ending>) {
        ways.part_begins();
        self.endings.push(Vec::new());
        self.between.push(Ways::default());
        let out = part(self, ways);
        let between = self.between.pop().unwrap_or_default();
        (out, between, self.endings.pop().unwrap_or_default())
    }

    /// What is known of all parts, without what is each part's own.
    fn of_all(&self, own: Option<usize>, ways: Ways) -> Ways {
        let Some(own) = own else { return ways };
        let mut ways = ways.forget_from(&self.checker.facts, own, self.checker.limit);
        ways.all.iter_mut().for_each(|way| way.track_mut().forget_names(own));
        ways
    }

    pub(super) fn foreach(&mut self, step: &'c Step, foreach: &'c Foreach, ways: Ways) -> Ways {
        let key = step.id.as_ref().map(|id| id.place.offset);
        let kept = self.keep(step);
        self.loops += 1;
        let (least, most) = self.bounds(&foreach.list.node, foreach);
        let mut done = Ways::default();
        for (list, mut ways) in self.value(&foreach.list.node, ways) {
            for way in &mut ways.all {
                if key.is_some_and(|key| way.track().is_named(key)) {
                    way.track_mut().name(key.unwrap_or_default(), Value::Nothing);
                }
            }
            let out = match (list, &foreach.mode) {
                (Value::List(items), Rounds::InOrder { until }) => {
                    let until = until.as_ref().map(|until| &until.node);
                    self.in_order(step, foreach, until, &items, items.len(), ways)
                }
                (Value::List(items), Rounds::AtOnce(_)) => self.at_once(step, foreach, &items, ways),
                (_, Rounds::InOrder { until }) => {
                    let none = if least == 0 { self.no_round(step, &ways) } else { Ways::default() };
                    let items = vec![Value::Nothing; self.rounds(step, most, &ways)];
                    let until = until.as_ref().map(|until| &until.node);
                    let least = usize::try_from(least).unwrap_or(2).clamp(1, items.len());
                    let some = self.in_order(step, foreach, until, &items, least, ways);
                    self.both(none, some)
                }
                (_, Rounds::AtOnce(_)) => {
                    let mut out = if least == 0 { self.no_round(step, &ways) } else { Ways::default() };
                    for count in 1..=self.rounds(step, most, &ways) {
                        let items = vec![Value::Nothing; count];
                        let some = self.at_once(step, foreach, &items, ways.clone());
                        out = self.both(out, some);
                    }
                    out
                }
            };
            done = self.both(done, out);
        }
        self.keep_from = kept;
        self.loops -= 1;
        done
    }

    /// The least number of elements, and the most rounds.
    fn bounds(&mut self, list: &Node, foreach: &Foreach) -> (u64, u64) {
        let least = match &self.checker.quiet(list).non_null().kind {
            Kind::List(list) => list.min,
            _ => 0,
        };
        (least, foreach.max.as_ref().map_or(2, |max| u64::from(max.value)))
    }

    /// How many rounds are looked at: one where nothing that is followed is concerned.
    fn rounds(&self, step: &Step, most: u64, ways: &Ways) -> usize {
        let concerned = ways.all.iter().any(Way::follows) || self.site.behind.contains(&step.place.offset);
        if most >= 2 && concerned { 2 } else { 1 }
    }

    fn no_round(&mut self, step: &'c Step, ways: &Ways) -> Ways {
        let mut none = ways.clone();
        self.mark(&mut none, step.place, step, || format!("{} has no round", title(step)));
        none
    }

    /// Rounds one after another; at least so many of them, if nothing stops them.
    fn in_order(
        &mut self,
        step: &'c Step,
        foreach: &'c Foreach,
        until: Option<&'c Node>,
        items: &[Value],
        least: usize,
        mut ways: Ways,
    ) -> Ways {
        let mut done = Ways::default();
        for (number, item) in items.iter().enumerate() {
            self.mark(&mut ways, step.place, step, || format!("{} has a round", title(step)));
            let (stop, go) = self.round(step, foreach, until, (number, item), ways);
            done = self.both(done, stop);
            if number + 1 >= least && number + 1 < items.len() {
                done = self.both(done, go.clone());
            }
            ways = go;
        }
        self.both(done, ways)
    }

    fn at_once(&mut self, step: &'c Step, foreach: &'c Foreach, items: &[Value], mut ways: Ways) -> Ways {
        let said = if items.len() > 1 { "rounds at once" } else { "a round" };
        self.mark(&mut ways, step.place, step, || format!("{} has {said}", title(step)));
        let own = foreach.steps.first().map(|first| first.place.offset);
        self.together(own.or(Some(usize::MAX / 2)), items.len(), ways, |walk, at, ways| {
            let (stop, go) = walk.round(step, foreach, None, (at, &items[at]), ways);
            walk.both(stop, go)
        })
    }

    /// One round: the ways on which `until` holds behind it, and those on which it does not.
    fn round(
        &mut self,
        step: &'c Step,
        foreach: &'c Foreach,
        until: Option<&'c Node>,
        (number, item): (usize, &Value),
        ways: Ways,
    ) -> (Ways, Ways) {
        let mark = self.checker.scope.mark();
        self.bind(&foreach.name);
        let ways = self.named(foreach.name.place.offset, vec![(item.clone(), ways)]);
        let mut ways = self.list(&foreach.steps, ways);
        if let (Some(result), Some(id)) = (&step.result, &step.id) {
            self.worked_out(step, result, &ways);
            let key = id.place.offset;
            let mut all = Ways::default();
            for (value, mut ways) in self.values(result, ways) {
                for way in &mut ways.all {
                    let mut items = match way.track().named(key) {
                        Value::List(items) => items,
                        _ if number > 0 => vec![Value::Nothing],
                        _ => Vec::new(),
                    };
                    items.push(value.clone());
                    let list = Value::list(items);
                    if list != Value::Nothing {
                        way.track_mut().name(key, list);
                    }
                }
                all.all.extend(ways.all);
            }
            ways = all;
        }
        let (stop, go) = self.decided(until, ways);
        self.closed(mark, stop, go)
    }

    fn decided(&mut self, until: Option<&Node>, ways: Ways) -> (Ways, Ways) {
        match until {
            None => (Ways::default(), ways),
            Some(until) => {
                let stop = self.checker.assume(until, true, ways.clone());
                (stop, self.checker.assume(until, false, ways))
            }
        }
    }

    /// Ends a round on both.
    fn closed(&mut self, mark: usize, stop: Ways, go: Ways) -> (Ways, Ways) {
        let bound = self.checker.scope.close(mark);
        let inner = self.checker.scope.mark();
        bound.iter().cloned().for_each(|binding| self.checker.scope.bind(binding));
        let (stop, _) = self.close(inner, stop);
        bound.into_iter().for_each(|binding| self.checker.scope.bind(binding));
        (stop, self.close(mark, go).0)
    }

    pub(super) fn repeat(&mut self, step: &'c Step, repeat: &'c Repeat, mut ways: Ways) -> Ways {
        let kept = self.keep(step);
        self.loops += 1;
        let most = repeat.max.as_ref().map_or(2, |max| u64::from(max.value));
        let until = repeat.until.as_ref().map(|until| &until.node);
        let mut done = Ways::default();
        for _ in 0..self.rounds(step, most, &ways) {
            self.mark(&mut ways, step.place, step, || format!("{} has a round", title(step)));
            let mark = self.checker.scope.mark();
            self.bind(&repeat.name);
            let mut after = self.list(&repeat.steps, ways);
            if let Some(id) = &step.id {
                let groups = match &step.result {
                    Some(result) => {
                        self.worked_out(step, result, &after);
                        self.values(result, after)
                    }
                    None => vec![(Value::Nothing, after)],
                };
                after = self.named(id.place.offset, groups);
            }
            let (stop, go) = self.decided(until, after);
            let (stop, go) = self.closed(mark, stop, go);
            done = self.both(done, stop);
            ways = go;
        }
        self.keep_from = kept;
        self.loops -= 1;
        self.both(done, ways)
    }
}

/// A part that ends all at once meets those before it in their first step, which they end.
fn in_time(ways: &mut Ways) {
    ways.all.retain(|way| way.pace().own > 0 || way.pace().others <= 1);
}
