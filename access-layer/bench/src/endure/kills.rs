//! Orders of every way while the server dies again and again, at random and at every named point of a commit and of a remote call:
//! none is stuck, none is doubled, and the books agree.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::customers::Crowd;
use super::house::{House, settled};
use super::ledger::balanced;
use super::{Counts, Dice, Yard};
use crate::failure::Failure;
use crate::platform::Serving;

/// The server's points, each with what it is told as, and within how many passes the server dies there.
const POINTS: [(&str, &str, u64); 5] = [
    ("prepared", "before an effect", 4),
    ("written", "after an effect, before its commit", 4),
    ("committed", "after a commit, before its answer", 4),
    ("intent-committed", "before a peer is asked", 2),
    ("sent", "after a peer has answered, before that is booked", 2),
];

/// Between two looks at how far the customers are.
const LOOK: Duration = Duration::from_millis(1);

pub(super) async fn run(yard: &Yard) -> Result<Counts, Failure> {
    let (orders, kills) = yard.size.pick((120, 12), (10_000, 1_000));
    let (ground, mut dice) = (&yard.ground, yard.dice("kills"));
    let data = ground.fresh()?;
    let sandbox = ground.platform.sandbox(&ground.bench.path("kills-book"))?;
    let serving = Serving { sandbox: Some(sandbox.address), ..Serving::default() };
    let mut house = House::open(&ground.platform, &data, serving)?;
    let crowd = Crowd::of(ground, (house.address, sandbox.address), orders, dice.below(u64::MAX));
    let killing = kill(&mut house, &mut dice, kills, &crowd);
    let ((payable, repeats), died) = tokio::try_join!(crowd.run(), killing)?;
    let seen = settled(house.address, |orders| crowd.odd(orders, &payable)).await?;
    let held = balanced(ground, &mut house, &data, sandbox.address, &seen).await?;
    let counts = vec![("trades", orders), ("kills", kills), ("requests sent again", repeats)];
    Ok([counts, died, held].concat())
}

/// Has the server die so often, spread over the orders: every third time at a moment, else at a point.
async fn kill(house: &mut House<'_>, dice: &mut Dice, kills: u64, crowd: &Crowd) -> Result<Counts, Failure> {
    let (mut at_random, mut at_points) = (0, [0_u64; POINTS.len()]);
    // The points in turns, so that each has its share.
    let point =
        |nth: u64| (nth <= kills && !nth.is_multiple_of(3)).then(|| (nth - nth / 3) as usize % POINTS.len());
    for nth in 1..=kills {
        let moment = crowd.orders * nth / (kills + 1);
        while crowd.begun.load(Ordering::Relaxed) < moment && !house.is_dead()? {
            tokio::time::sleep(LOOK).await;
        }
        tokio::time::sleep(Duration::from_micros(dice.below(20_000))).await;
        match point(nth) {
            Some(point) if house.is_dead()? => at_points[point] += 1,
            _ => at_random += 1,
        }
        // The next one, which may be going to die of itself.
        match point(nth + 1).map(|point| POINTS[point]) {
            Some((name, _, passes)) => house.doom(format!("{name}:{}", 1 + dice.below(passes))),
            None => house.kill()?,
        }
    }
    let named = POINTS.iter().zip(at_points).map(|((_, told, _), count)| (*told, count));
    Ok(std::iter::once(("at random", at_random)).chain(named).collect())
}
