//! `ext replay`: a version is asked for stored orders' own calls, beside what is live, and nothing is stored or changed. The
//! pure and read operations of each order's trade run again with the input and the moment that its journal has; what they
//! read (price lists, attributes) is what is there now.

use std::sync::{Arc, Mutex, PoisonError};

use mortise_bindings::{Binding, Rollout};
use mortise_capability::{Call, Handler, Registry};
use mortise_deployments::{Compare, Comparison};
use mortise_engine::{PastCall, TradeId};

use super::deploy::Verified;
use super::request::{Answer, Replay};
use super::{Desk, tenant};
use crate::commands::trade;
use crate::compose::{self, Peers};
use crate::desk::tally::{Compared, Tally};
use crate::failure::Failure;

/// Trades that are looked at for each order that is wanted: not every trade is one that asks at these points.
const LOOKED_AT: usize = 20;
/// Trades that are found by one look.
const PAGE: i64 = 200;

impl Desk {
    pub(super) async fn replay(&self, wish: Replay, component: Vec<u8>) -> Result<Answer, Failure> {
        let Replay { deploy, orders } = wish;
        let Verified { extension, bindings: trials, .. } = self.verify(&deploy, component).await?;
        let points: Vec<String> = trials.iter().map(|trial| trial.point.to_string()).collect();
        let bindings = self.beside_live(trials).await?;
        let (seen, compare) = collector();
        let asked = self.live.comparing(&bindings, &[extension], compare).await?;
        let wired = compose::registry(asked, &Peers::unasked())?;
        mortise_engine::load_policies(&self.store, &wired.policies).await?;
        let of = tenant(&deploy.target.tenant)?;
        let (mut tally, mut looked_at, mut before) = (Tally::default(), 0, None);
        while tally.orders() < orders && looked_at < orders.saturating_mul(LOOKED_AT) {
            let page = mortise_engine::newest_trades(&self.store, &of, before.as_ref(), PAGE).await?;
            let Some(last) = page.last().cloned() else { break };
            for id in &page {
                if tally.orders() >= orders {
                    break;
                }
                self.again(&wired.registry, id, &points).await?;
                looked_at += 1;
                let compared = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
                tally.add(&id.id, compared);
            }
            before = Some(last);
        }
        Ok(tally.answer(&extension_name(&bindings), looked_at))
    }

    /// What is live, with these as shadows beside it, each in the place of any trial that is under way.
    async fn beside_live(&self, trials: Vec<Binding>) -> Result<Vec<Binding>, Failure> {
        let newest = self.registry.revisions(1).await?.into_iter().next();
        let live = newest.map(|newest| newest.change.bindings).unwrap_or_default();
        let live = live.into_iter().filter(|binding| binding.rollout.is_live());
        let trials = trials.into_iter().map(|trial| Binding { rollout: Rollout::Shadow, since: 0, ..trial });
        Ok(live.chain(trials).collect())
    }

    /// Runs those calls of a trade again that may ask at one of the points.
    async fn again(&self, registry: &Registry, id: &TradeId, points: &[String]) -> Result<(), Failure> {
        let failed = |error| trade::failure(error, id.tenant.as_str());
        let calls = mortise_engine::past_calls(&self.store, &self.catalogue, id).await.map_err(failed)?;
        for PastCall { operation, context, input, .. } in calls {
            let contract = registry.contracts().operations.get(&operation);
            let asks =
                contract.is_some_and(|contract| contract.points.iter().any(|point| points.contains(point)));
            if !asks {
                continue;
            }
            let calls = vec![Call { context: Arc::new(context), input }];
            // What an operation rejects is no matter here: what was asked on the way has been compared.
            match registry.handler(&operation).cloned() {
                Some(Handler::Pure(run)) => drop(run(&calls)?),
                Some(Handler::Read(run)) => {
                    drop(self.store.read(async move |reader| run(reader, &calls).await).await?);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn extension_name(bindings: &[Binding]) -> String {
    let trial = bindings.iter().find(|binding| !binding.rollout.is_live());
    trial.map_or_else(String::new, |trial| trial.id().to_string())
}

type Collected = Arc<Mutex<Vec<Compared>>>;

/// Keeps what is compared until it is taken.
fn collector() -> (Collected, Compare) {
    let collected: Collected = Arc::default();
    let into = Arc::clone(&collected);
    let compare: Compare = Arc::new(move |comparison: Comparison<'_>| {
        let Comparison { failure, live, tried, .. } = comparison;
        let compared = Compared { failure: failure.map(|why| why.to_string()), live, tried };
        into.lock().unwrap_or_else(PoisonError::into_inner).push(compared);
    });
    (collected, compare)
}
