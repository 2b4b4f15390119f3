//! Follows every trade by its journal, with the same machine that the engine drives, and says row by row what happened since
//! it last looked. It drives nothing.

mod followed;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mortise_contract::{Contracts, Value};
use mortise_engine::{Catalogue, Delivered, Noticed, TradeId, TradeRow};
use mortise_types::{Scope, Timestamp};

use self::followed::{Followed, Place};
use crate::Failure;
use crate::books::Moves;
use crate::house::House;
use crate::names::Known;
use crate::row::{CallRow, Outcome, Row, What};

/// What has been seen of all trades.
#[derive(Default)]
pub(crate) struct Watch {
    trades: BTreeMap<TradeId, Followed>,
    /// Names that the script gives.
    named: HashMap<TradeId, Arc<str>>,
    /// What was there before the world began.
    old: BTreeSet<TradeId>,
    position: i64,
    noticed: BTreeSet<(TradeId, i64)>,
    counts: HashMap<String, u32>,
}

/// A call that went through or an event that was written: habits answer to it.
#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    pub(crate) on: String,
    pub(crate) at: Timestamp,
    /// `input` and `output`, or `event`.
    pub(crate) local: Vec<(&'static str, Value)>,
    pub(crate) trade: TradeId,
    /// The call that it was.
    pub(crate) call: Option<String>,
}

/// What a look has found.
#[derive(Default)]
pub(crate) struct Look {
    pub(crate) rows: Vec<Row>,
    pub(crate) triggers: Vec<Trigger>,
    /// Events of trades that left no journal.
    pub(crate) loose: Vec<(TradeId, String)>,
    /// How a trade was waiting, each time it began to wait: for the explorer.
    pub(crate) waits: Vec<SeenWait>,
}

/// A wait as it began or ended.
#[derive(Debug, Clone)]
pub(crate) struct SeenWait {
    pub(crate) trade: Arc<str>,
    pub(crate) event: Option<Arc<str>>,
    pub(crate) at: Timestamp,
    /// Of its own clock; the event of a race has none.
    pub(crate) due: Option<Timestamp>,
    /// The events that would cancel the trade while it waits.
    pub(crate) cancel: Vec<Arc<str>>,
}

impl Watch {
    /// Everything that is there now is old.
    pub(crate) fn begin(house: &House) -> Result<Self, Failure> {
        let engine = house.engine();
        let (trades, events) = house
            .block_on(async { Ok::<_, Failure>((engine.trades().await?, engine.events_since(0).await?)) })?;
        Ok(Self {
            old: trades.into_iter().map(|row| row.trade).collect(),
            position: events.last().map_or(0, |event| event.position),
            ..Self::default()
        })
    }

    /// The script's name for a trade.
    pub(crate) fn name(&mut self, trade: &TradeId, name: &str) {
        self.named.insert(trade.clone(), name.into());
    }

    /// The trades of flows, with those that give back late events.
    pub(crate) fn trades(&self) -> impl Iterator<Item = (&TradeId, &Followed)> {
        self.trades.iter()
    }

    /// Whether a trade has left a journal to follow.
    pub(crate) fn follows(&self, trade: &TradeId) -> bool {
        self.trades.contains_key(trade)
    }

    /// Where a trade is.
    pub(crate) fn scope_of(&self, trade: &TradeId) -> Option<Scope> {
        self.trades.get(trade)?.scope.clone()
    }

    /// What has happened since the last look. Outputs and payloads go into `known`.
    pub(crate) fn look(&mut self, house: &House, known: &mut Known) -> Result<Look, Failure> {
        let engine = house.engine();
        let since = self.position;
        let (rows, events, noticed) = house.block_on(async {
            let rows = engine.trades().await?;
            Ok::<_, Failure>((rows, engine.events_since(since).await?, engine.noticed().await?))
        })?;
        let contracts = engine.registry().contracts();
        let mut look = Look::default();
        let mut told = Vec::new();
        for row in rows {
            if self.old.contains(&row.trade) {
                continue;
            }
            let seen = self.trades.get(&row.trade).map_or(0, |followed| followed.seen);
            let records = if row.records > seen && row.records > 0 {
                house.block_on(engine.records(&row.trade, seen))?
            } else {
                Vec::new()
            };
            if records.is_empty() && !self.trades.contains_key(&row.trade) {
                continue;
            }
            self.follow(&row, engine.catalogue())?;
            let order = |call: &str| house.stage.order(call);
            let place = Place { contracts, stage: &house.stage };
            let followed = self.trades.get_mut(&row.trade).expect("it is followed from here on");
            let mut last = 0;
            for record in records {
                let (rows, first) = followed.record(&row.trade, record, &place, known, &mut look);
                last = first.and_then(|call| order(&call)).unwrap_or(last);
                told.push((last, row.trade.clone(), rows));
            }
        }
        told.sort_by_key(|(order, ..)| *order);
        let mut rows: Vec<(TradeId, Row)> = Vec::new();
        for (_, trade, new) in told {
            rows.extend(new.into_iter().map(|row| (trade.clone(), row)));
        }
        self.attach(events, contracts, &mut rows, &mut look);
        self.notice(noticed, &mut rows);
        look.rows = answered_at_once(rows.into_iter().map(|(_, row)| row).collect());
        Ok(look)
    }

    fn follow(&mut self, row: &TradeRow, catalogue: &Catalogue) -> Result<(), Failure> {
        if !self.trades.contains_key(&row.trade) {
            let program = catalogue.by_hash(&row.definition, &row.flow);
            let program = program
                .ok_or_else(|| Failure::Platform(format!("the definition of `{}` is gone", row.flow)))?;
            let name = match self.named.get(&row.trade) {
                Some(name) => Arc::clone(name),
                None => {
                    let count = self.counts.entry(row.flow.clone()).or_default();
                    *count += 1;
                    if *count == 1 {
                        row.flow.as_str().into()
                    } else {
                        format!("{} {count}", row.flow).into()
                    }
                }
            };
            let followed = Followed::new(name, program, row);
            self.trades.insert(row.trade.clone(), followed);
        }
        if let Some(followed) = self.trades.get_mut(&row.trade) {
            followed.outcome.clone_from(&row.outcome);
            followed.held = row.held;
        }
        Ok(())
    }

    /// Puts events beside the calls that wrote them.
    fn attach(
        &mut self,
        events: Vec<Delivered>,
        contracts: &Contracts,
        rows: &mut Vec<(TradeId, Row)>,
        look: &mut Look,
    ) {
        for event in events {
            self.position = event.position;
            let trade = TradeId { tenant: event.tenant.clone(), id: event.trade.as_str().into() };
            look.triggers.push(Trigger {
                on: event.event.clone(),
                at: event.at,
                local: vec![("event", event.payload.clone())],
                trade: trade.clone(),
                call: None,
            });
            let wrote = |row: &Row| match &row.what {
                What::Call(CallRow { operation, outcome: Outcome::Done, .. }) => {
                    contracts.operations.get(&**operation).is_some_and(|c| c.events.contains(&event.event))
                        && !row.tells.contains(&event.event)
                }
                _ => false,
            };
            let beside = rows.iter_mut().find(|(of, row)| *of == trade && wrote(row));
            if let Some((_, row)) = beside {
                row.tells.push(event.event);
                continue;
            }
            let Some(followed) = self.trades.get(&trade) else {
                look.loose.push((trade, event.event));
                continue;
            };
            let row = Row {
                at: event.at,
                trade: Some(Arc::clone(&followed.name)),
                what: What::Told,
                tells: vec![event.event],
                moves: Moves::default(),
            };
            let ended =
                rows.iter().rposition(|(of, row)| *of == trade && matches!(row.what, What::Ended { .. }));
            rows.insert(ended.unwrap_or(rows.len()), (trade, row));
        }
    }

    /// What the engine itself puts before a person; what a flow's step says is known from its journal.
    fn notice(&mut self, noticed: Vec<Noticed>, rows: &mut Vec<(TradeId, Row)>) {
        for Noticed { trade, number, path, text, at } in noticed {
            if self.old.contains(&trade) || !self.noticed.insert((trade.clone(), number)) {
                continue;
            }
            let said = rows.iter().any(|(of, row)| {
                *of == trade && matches!(&row.what, What::Attention { step, text: said } if *step == path && *said == text)
            });
            if !said {
                let name = self.trades.get(&trade).map(|followed| Arc::clone(&followed.name));
                let what = What::Attention { step: path, text };
                rows.push((trade, Row { at, trade: name, what, tells: Vec::new(), moves: Moves::default() }));
            }
        }
    }
}

/// Leaves out that a peer was asked where it has answered by now.
fn answered_at_once(rows: Vec<Row>) -> Vec<Row> {
    let answered = |at: usize| match &rows[at].what {
        What::Asked { step, operation } => rows[at..].iter().any(|row| {
            row.trade == rows[at].trade
                && matches!(&row.what, What::Call(call) if call.step == *step && call.operation == *operation)
        }),
        _ => false,
    };
    let kept: Vec<bool> = (0..rows.len()).map(|at| !answered(at)).collect();
    rows.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(row, _)| row).collect()
}
