//! Trades in memory, between two of their stretches. State is a fold of the journal: what is not kept here is folded again when
//! something comes, so that a hundred thousand trades that wait for days take little more memory than their names. Which trades
//! something comes to soon is not decided here.

use std::collections::{HashMap, VecDeque};

use crate::record::{Trade, TradeId};

/// Trades that are kept where nothing else keeps them. One is some 25 KB.
const MOST: usize = 2_000;

/// The trades that were moved last, and all that have asked a peer.
#[derive(Default)]
pub(super) struct Cache {
    trades: HashMap<TradeId, (Trade, u64)>,
    /// In the order in which they were kept; an entry whose number is not its trade's any more stands for nothing.
    kept: VecDeque<(TradeId, u64)>,
    number: u64,
}

impl Cache {
    pub(super) fn get(&self, id: &TradeId) -> Option<&Trade> {
        self.trades.get(id).map(|(trade, _)| trade)
    }

    pub(super) fn remove(&mut self, id: &TradeId) {
        self.trades.remove(id);
    }

    /// Keeps a trade. One that has asked a peer stays until it is moved again: the answer is near.
    pub(super) fn keep(&mut self, trade: Trade) {
        let (id, asks) = (trade.id.clone(), !trade.intents.is_empty());
        self.number += 1;
        self.trades.insert(id.clone(), (trade, self.number));
        if asks {
            return;
        }
        self.kept.push_back((id, self.number));
        while self.kept.len() > MOST
            && let Some((id, number)) = self.kept.pop_front()
        {
            if self.trades.get(&id).is_some_and(|(_, now)| *now == number) {
                self.trades.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mortise_types::{Scope, TenantId, Timestamp};

    use super::*;
    use crate::load::unborn;

    #[test]
    fn those_that_were_moved_last_stay() {
        let contracts: mortise_contract::Contracts = serde_json::from_str(
            r#"{"operations": {"a.b": {"effect": "write", "undo": "nothing", "input": {"type": "object"}, "output": {"type": "object"}}}}"#,
        )
        .unwrap();
        let program = Arc::new(mortise_flow::Program::one_call("a.b", &contracts).unwrap());
        let id =
            |number: usize| TradeId { tenant: TenantId::new("t").unwrap(), id: format!("{number}").into() };
        let trade = |number| {
            let scope = Scope::new("t", "l", "web").unwrap();
            unborn(id(number), Arc::clone(&program), scope, None, 1, Timestamp::from_millis(0))
        };
        let mut cache = Cache::default();
        for number in 0..MOST {
            cache.keep(trade(number));
        }
        cache.keep(trade(0));
        for number in MOST..MOST + 10 {
            cache.keep(trade(number));
        }
        assert!(cache.get(&id(0)).is_some(), "it was moved again");
        assert!(cache.get(&id(1)).is_none(), "it was moved first");
        cache.remove(&id(0));
        assert!(cache.get(&id(0)).is_none());
        assert!(cache.trades.len() <= MOST && cache.kept.len() <= MOST);
    }
}
