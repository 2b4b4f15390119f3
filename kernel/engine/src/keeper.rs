//! An engine among others on a database: it shows that the engine lives, takes over from those that are gone, takes up what
//! others have for its trades, and follows what they publish. It wakes at what others tell it, and beneath that by the
//! clock; it runs no trade.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use mortise_capability::Policies;
use mortise_store::{Statement, Store, StoreError};
use tokio::sync::{mpsc, oneshot};

use crate::definitions::Catalogue;
use crate::driver::{Found, Message};
use crate::lease::{self, Asking, EVERYONE, Lease, Seen};
use crate::policies;
use crate::post::{self, Post};

/// Between two looks when nobody tells anything.
const PERIOD: Duration = Duration::from_millis(500);
/// Who could not look himself, as when the database was away, cannot say who is gone: looks until he can.
const GRACE: u32 = 4;

/// What others may have changed: what is published, and the end of the outbox.
const STATE: Statement = Statement::both(
    "engine.state",
    "SELECT (SELECT count FROM engine_count WHERE what = 'published'), (SELECT coalesce(max(position), 0) FROM outbox)",
);

/// What an engine does about trades whose driver is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Drives them.
    Drive,
    /// Leaves them to others.
    Leave,
}

/// How an engine stands among those on its database.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    epoch: AtomicI64,
    eldest: AtomicBool,
}

impl Standing {
    /// Its lease.
    pub(crate) fn epoch(&self) -> i64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Whether it does what one of all engines has to do.
    pub(crate) fn is_eldest(&self) -> bool {
        self.eldest.load(Ordering::SeqCst)
    }
}

/// What its engine wants of a keeper.
#[derive(Debug)]
pub(crate) enum Order {
    /// The lease of this epoch has ended: another one.
    Renew(i64),
    /// The engine stops.
    GiveUp(oneshot::Sender<()>),
}

/// Whether there will be another lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// Soon.
    Comes,
    /// The engine has stopped.
    Never,
}

/// How an engine reaches its keeper.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    pub(crate) standing: Arc<Standing>,
}

impl Kept {
    /// Has another lease registered, where that of `epoch` was the last.
    pub(crate) fn renew(&self, epoch: i64) -> Renewal {
        match self.orders.send(Order::Renew(epoch)) {
            Ok(()) => Renewal::Comes,
            Err(_) => Renewal::Never,
        }
    }

    /// Leaves the engine's trades to others and returns when these can have them.
    pub(crate) async fn give_up(&self) {
        let (done, given) = oneshot::channel();
        if self.orders.send(Order::GiveUp(done)).is_ok() {
            // A keeper that is gone has nothing left.
            let _ = given.await;
        }
    }
}

pub(crate) struct Keeper {
    store: Arc<Store>,
    catalogue: Arc<Catalogue>,
    policies: Arc<Policies>,
    duty: Duty,
    lease: Lease,
    standing: Arc<Standing>,
    /// Up to where what is published is known.
    known: i64,
    /// The end of the outbox at the last look.
    end: i64,
    /// Notes that the driver has and that are not struck off yet.
    taken_up: HashSet<i64>,
    failures: u64,
    /// Looks that others are given to show life again.
    grace: u32,
}

/// What one look found.
struct Look {
    leases: Vec<Seen>,
    published: i64,
    end: i64,
    posts: Vec<Post>,
}

impl Keeper {
    /// Registers a lease, and takes over what its predecessors left: what its driver has to begin with.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn register(
        (store, catalogue): (Arc<Store>, Arc<Catalogue>),
        policies: Arc<Policies>,
        duty: Duty,
    ) -> Result<(Self, Vec<Found>), StoreError> {
        let known = store.read(async |reader| reader.fetch_all::<(i64, i64), _>(&STATE, ()).await).await?;
        let (known, end) = known.first().copied().unwrap_or_default();
        // What is published up to there is known, and may be used under the lease.
        catalogue.load(&store).await?;
        policies::load(&store, &policies).await?;
        let lease = Lease::register(&store, known).await?;
        let epoch = lease.epoch;
        let all = store.write_aside(async |tx| lease::leases(tx, Asking::AtOnce).await).await?;
        let over: Vec<Seen> = all.into_iter().filter(|seen| seen.epoch != epoch && seen.is_over()).collect();
        let mut found = lease::adopt(&store, epoch, over).await?;
        if duty == Duty::Leave {
            // They are ours, so that what is wanted of one can be done, and nothing is done by itself.
            found = found
                .into_iter()
                .map(|Found { id, .. }| Found { id, works: Vec::new(), due: None })
                .collect();
        }
        let standing = Arc::new(Standing::default());
        standing.epoch.store(epoch, Ordering::SeqCst);
        let taken_up = HashSet::new();
        let keeper = Self {
            store,
            catalogue,
            policies,
            duty,
            lease,
            standing,
            known,
            end,
            taken_up,
            failures: 0,
            grace: 0,
        };
        Ok((keeper, found))
    }

    pub(crate) fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing)
    }

    /// Keeps the lease until it is given up or the driver is gone.
    pub(crate) async fn run(
        mut self,
        driver: mpsc::UnboundedSender<Message>,
        mut orders: mpsc::UnboundedReceiver<Order>,
    ) {
        let mut clock = tokio::time::interval(PERIOD);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !driver.is_closed() {
            let order = tokio::select! {
                _ = clock.tick() => None,
                told = self.lease.ear.hear() => match told.parse::<i64>() {
                    Ok(epoch) if epoch != EVERYONE && epoch != self.lease.epoch => continue,
                    _ => None,
                },
                order = orders.recv() => match order {
                    None => return,
                    order => order,
                },
            };
            match order {
                Some(Order::GiveUp(done)) => {
                    self.give_up().await;
                    // Nobody may be waiting for it any more.
                    let _ = done.send(());
                    return;
                }
                Some(Order::Renew(epoch)) if epoch != self.lease.epoch => {}
                Some(Order::Renew(_)) => self.renew(&driver).await,
                None => self.look(&driver).await,
            }
        }
    }

    async fn give_up(&mut self) {
        if let Err(error) = lease::give_up(&self.store, self.lease.epoch).await {
            tracing::warn!(%error, "others take this process's trades over when its lease has run out");
        }
    }

    async fn look(&mut self, driver: &mpsc::UnboundedSender<Message>) {
        match self.turn(driver).await {
            Ok(()) => self.failures = 0,
            Err(StoreError::Fenced) => self.renew(driver).await,
            Err(error) => {
                self.failures += 1;
                self.grace = GRACE;
                // A database that is away for a while is not to fill the log.
                if self.failures.is_power_of_two() {
                    tracing::warn!(%error, failures = self.failures, "other processes cannot be looked at");
                }
            }
        }
    }

    /// One look, and what follows from it.
    async fn turn(&mut self, driver: &mpsc::UnboundedSender<Message>) -> Result<(), StoreError> {
        let (epoch, known) = (self.lease.epoch, self.known);
        let look = self.store.write_aside(async move |tx| {
            lease::beat(tx, epoch, known).await?;
            let leases = lease::leases(tx, Asking::OfTheSilent).await?;
            let state = tx.fetch_all::<(i64, i64), _>(&STATE, ()).await?;
            let (published, end) = state.first().copied().unwrap_or_default();
            Ok(Look { leases, published, end, posts: post::of(tx, epoch).await? })
        });
        let Look { leases, published, end, posts } = look.await?;
        // A driver that is gone is told nothing.
        let tell = |message| drop(driver.send(message));
        if published != self.known {
            self.catalogue.load(&self.store).await?;
            policies::load(&self.store, &self.policies).await?;
            self.known = published;
            // Whoever publishes may be waiting for it.
            let known = self.known;
            self.store.write_aside(async move |tx| lease::beat(tx, epoch, known).await).await?;
        }
        self.taken_up.retain(|number| posts.iter().any(|(there, ..)| there == number));
        let new = posts.into_iter().filter(|(number, ..)| self.taken_up.insert(*number));
        let new: Vec<Post> = new.collect();
        if !new.is_empty() {
            tell(Message::Posted(new));
        }
        if end != self.end {
            self.end = end;
            tell(Message::Moved);
        }
        let (over, alive): (Vec<Seen>, Vec<Seen>) =
            leases.into_iter().partition(|seen| seen.epoch != epoch && seen.is_over());
        self.standing
            .eldest
            .store(alive.first().is_some_and(|eldest| eldest.epoch == epoch), Ordering::SeqCst);
        if self.grace > 0 {
            self.grace -= 1;
        } else if self.duty == Duty::Drive && !over.is_empty() {
            let holders: Vec<String> = over.iter().map(|seen| seen.holder.clone()).collect();
            let found = lease::adopt(&self.store, epoch, over).await?;
            tracing::info!(
                ?holders,
                trades = found.len(),
                "trades of processes that are gone are driven here"
            );
            tell(Message::Adopted(found));
        }
        Ok(())
    }

    /// Another lease for an engine whose last one has ended: it goes on as if it had just started, with what it was asked and has not begun.
    async fn renew(&mut self, driver: &mpsc::UnboundedSender<Message>) {
        tracing::warn!(
            epoch = self.lease.epoch,
            "another process drives this one's trades; it goes on under a new lease"
        );
        loop {
            match Lease::register(&self.store, self.known).await {
                Ok(lease) => {
                    self.lease = lease;
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, "no lease can be had");
                    tokio::time::sleep(PERIOD).await;
                }
            }
        }
        self.taken_up.clear();
        self.standing.epoch.store(self.lease.epoch, Ordering::SeqCst);
        // A driver that is gone needs none.
        let _ = driver.send(Message::Renewed(self.lease.epoch));
    }
}
