//! Explores a world: every single thing that can go otherwise is tried, each on a copy of the shop, and when everything has
//! come to rest the books must balance. What does not is reported with the way, which can be replayed.

mod laws;
mod plan;
mod seeded;
mod way;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use mortise_capability::Rejection;

pub use self::seeded::{Seeded, SeededOff};
pub use self::way::{DeedName, NoWay, Nth, Silence, Way};

use self::laws::{Came, judge};
use crate::Failure;
use crate::house::{House, Image};
use crate::play::{Change, Play, Playing};
use crate::script::World;
use crate::simulate::{Flows, Simulator, WORLD_IDS};
use crate::stage::{Forced, How, Stage};

/// What exploring a world found.
#[derive(Debug, Clone, Default)]
pub struct Explored {
    /// How many ways were gone.
    pub ways: usize,
    /// Those on which something is off.
    pub off: Vec<Off>,
    /// The flows that were started as the world is written.
    pub flows: BTreeSet<String>,
}

/// A way that does not balance.
#[derive(Debug, Clone)]
pub struct Off {
    /// Which.
    pub way: Way,
    /// What is off, a sentence each.
    pub problems: Vec<String>,
}

impl Simulator<'_> {
    /// Goes every way of a world, on all processors. Blocks; must not be called on a thread that drives an async runtime.
    ///
    /// # Errors
    /// A script or a shop that is off, a flow that is refused. A way that goes wrong is in the answer.
    pub fn explore(&self, flows: &Flows, world: &World) -> Result<Explored, Failure> {
        let image = &*self.image(flows, world)?;
        let (base, ways, started) = {
            let play = self.go(image, world, &[], Watching::No)?;
            let started = play.watch.trades().map(|(_, followed)| followed.flow.clone()).collect();
            (Came::of(&play)?, plan::ways(world, &play), started)
        };
        let problems = judge(world, &[], &base, &base);
        let mut off = Vec::new();
        if !problems.is_empty() {
            off.push((0, Off { way: Way::AsWritten, problems }));
        }
        let off = Mutex::new(off);
        let next = AtomicUsize::new(0);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads.min(ways.len()) {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(way) = ways.get(number) else { return };
                        let problems = self.off_on(image, world, std::slice::from_ref(way), &base);
                        if !problems.is_empty()
                            && let Ok(mut off) = off.lock()
                        {
                            off.push((number + 1, Off { way: way.clone(), problems }));
                        }
                    }
                });
            }
        });
        let mut off = off.into_inner().unwrap_or_default();
        off.sort_by_key(|(number, _)| *number);
        let off = off.into_iter().map(|(_, off)| off).collect();
        Ok(Explored { ways: ways.len() + 1, off, flows: started })
    }

    fn off_on(&self, image: &Image, world: &World, ways: &[Way], base: &Came) -> Vec<String> {
        match self.go(image, world, ways, Watching::No).and_then(|play| Came::of(&play)) {
            Ok(came) => judge(world, ways, base, &came),
            Err(failure) => vec![failure.to_string()],
        }
    }

    /// Goes these ways at once to the end, in the shop of `image`; as written where there are none.
    pub(crate) fn go<'w>(
        &self,
        image: &Image,
        world: &'w World,
        ways: &[Way],
        watching: Watching,
    ) -> Result<Play<'w>, Failure> {
        let stage = Stage::new(watching == Watching::Yes, ways.iter().find_map(crash_at));
        let house = House::open(self.composition, Some(image), world.opens_at, (stage, WORLD_IDS))?;
        let forced: Result<Vec<Option<Forced>>, Failure> =
            ways.iter().map(|way| forced(way, &house)).collect();
        house.stage.force(forced?.into_iter().flatten().collect());
        let mut play = Play::new(world, house, playing(world, ways))?;
        play.run()?;
        Ok(play)
    }
}

/// Whether moves of the books are kept, for a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watching {
    Yes,
    No,
}

fn crash_at(way: &Way) -> Option<u64> {
    match way {
        Way::Crash(point) => Some(*point),
        _ => None,
    }
}

/// The call that is made otherwise.
fn forced(way: &Way, house: &House) -> Result<Option<Forced>, Failure> {
    let (call, how) = match way {
        Way::Reject(call, code) => {
            let contracts = house.engine().registry().contracts();
            let operation = contracts.operations.get(&call.operation);
            let schema = operation.and_then(|operation| operation.rejections.get(code)).ok_or_else(|| {
                Failure::Platform(format!("`{}` is never rejected with `{code}`", call.operation))
            })?;
            let detail = plan::sample(schema, contracts);
            (call, How::Reject(Rejection { code: code.clone(), detail }))
        }
        Way::Silent(call, silence, attempts) => {
            (call, How::Silent { attempts: *attempts, reach: (*silence).into() })
        }
        Way::Repeat(call) => (call, How::Repeat),
        _ => return Ok(None),
    };
    Ok(Some(Forced { operation: call.operation.as_str().into(), nth: call.nth, how }))
}

/// The deeds that are done otherwise.
fn playing(world: &World, ways: &[Way]) -> Playing {
    let mut playing =
        Playing { lenient: ways.iter().any(|way| *way != Way::AsWritten), ..Playing::default() };
    for way in ways {
        let (deed, change) = match way {
            Way::Never(deed) => (deed, Change::Never),
            Way::Late(deed, span) => (deed, Change::Later(*span)),
            Way::Twice(deed, span) => (deed, Change::Twice(*span)),
            Way::Early(deed) => (deed, Change::Early),
            Way::Cancel(trade, event, at) => {
                playing.cancel = Some((trade.clone(), event.clone(), world.opens_at.saturating_add(*at)));
                continue;
            }
            Way::AsWritten | Way::Reject(..) | Way::Silent(..) | Way::Repeat(_) | Way::Crash(_) => continue,
        };
        playing.changes.insert(deed.0.clone(), change);
    }
    playing
}
