//! What a driver does because it is not the only one on its database: a lease that ended, trades that another process drives,
//! commits whose end was not heard.

use super::*;

/// Between two looks for answers of trades that another process drives.
const LOOK_ELSEWHERE: Duration = Duration::from_millis(50);

impl Driver {
    /// Goes on under a new lease as if it had just started: what it drove is another's, what it was asked to begin and has
    /// not begun is begun now, and who waits for an answer of the others' trades finds it in the database.
    pub(super) async fn renewed(&mut self, epoch: i64) {
        self.lost_lease = true;
        // What is under way was committed under the lease, or is not committed any more.
        while let Some(done) = self.running.next().await {
            self.done(done);
        }
        self.lost_lease = false;
        self.pen.epoch = epoch;
        self.scheduler = Scheduler::new(|| Work::Due);
        self.remotes = Remotes::default();
        self.wake_at = None;
        self.peers.clear();
        self.trades = Cache::default();
        self.stale.clear();
        self.unheard.clear();
        self.behind.clear();
        self.elsewhere.clear();
        self.prepared.clear();
        self.under_way.clear();
        self.problems.clear();
        let anothers = self.waiters.keys().filter(|trade| !self.beginnings.contains_key(*trade));
        for trade in anothers.cloned().collect::<Vec<_>>() {
            self.elsewhere(trade);
        }
        let begin = |(id, beginning): (&TradeId, &Beginning)| (id.clone(), Arc::clone(&beginning.fresh));
        let again: Vec<(TradeId, Arc<Fresh>)> = self.beginnings.iter().map(begin).collect();
        for (trade, fresh) in again {
            self.notice(Notice::Work { trade, work: Work::Begin(fresh) });
        }
    }

    /// What a person has decided about a trade is for its driver.
    pub(super) fn decided(&mut self, trade: TradeId, verdict: Verdict) {
        let work = Work::Decided(verdict);
        if self.kept.is_none() || self.scheduler.knows(&trade) {
            return self.notice(Notice::Work { trade, work });
        }
        let store = Arc::clone(&self.store);
        tokio::spawn(async move {
            let posted = store.write(async move |tx| post::write(tx, vec![(trade, EVERYONE, work)]).await);
            if let Err(error) = posted.await {
                tracing::error!(%error, "what a person decided could not be passed on");
            }
        });
    }

    /// The answer of a trade that another process drives is looked for as long as somebody waits for it here.
    pub(super) fn elsewhere(&mut self, trade: TradeId) {
        let waiting = self.waiters.get_mut(&trade).is_some_and(|waiting| {
            waiting.retain(|(waiter, _)| !waiter.is_closed());
            !waiting.is_empty()
        });
        if !waiting {
            self.waiters.remove(&trade);
            return;
        }
        if self.elsewhere.is_empty() {
            let to_self = self.to_self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(LOOK_ELSEWHERE).await;
                // A driver that is gone looks for nothing.
                let _ = to_self.send(Message::LookElsewhere);
            });
        }
        self.elsewhere.insert(trade);
    }

    /// The works of a trade that is read from its journal. A commit of which nothing was heard may stand there already: what it
    /// left to do is done first.
    pub(super) fn resumed(&self, id: &TradeId, works: Vec<Work>) -> Vec<Work> {
        let left = self.unheard.contains(id).then_some(Work::Resume);
        left.into_iter().chain(works).collect()
    }

    /// A commit of which nothing was heard has moved the trade on: it is read anew and told once more. One that stands
    /// elsewhere again is not what its journal says.
    pub(super) fn read_anew(&mut self, id: &TradeId, works: Vec<Work>) -> Vec<(TradeId, Work)> {
        self.trades.remove(id);
        if !self.behind.insert(id.clone()) {
            tracing::error!(trade = %id, "a trade's row and its journal do not agree; it stands still");
            return Vec::new();
        }
        tracing::warn!(trade = %id, "a trade's last commit was not heard of; it is read anew");
        std::iter::once(Work::Resume).chain(works).map(|work| (id.clone(), work)).collect()
    }
}
