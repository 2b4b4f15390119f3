//! The scheduler told one thing after the other, and what it orders.

use super::*;

type S = Scheduler<u32, &'static str>;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn work(trade: u32, work: &'static str) -> Notice<u32, &'static str> {
    Notice::Work { trade, work }
}

fn open(batch: u64, trades: &[u32]) -> Notice<u32, &'static str> {
    let after = trades.iter().map(|t| (*t, After::Open { due: None })).collect();
    Notice::Committed { batch: BatchNo(batch), after }
}

/// Of trades whose work is `x`.
fn prepare(batch: u64, trades: &[u32]) -> Order<u32, &'static str> {
    let jobs = trades.iter().map(|trade| (*trade, vec!["x"])).collect();
    Order::Prepare { batch: BatchNo(batch), jobs }
}

#[test]
fn one_goes_at_once_and_the_rest_gather_meanwhile() {
    let mut s = S::new(|| "due");
    assert_eq!(
        s.handle(at(0), work(1, "a")),
        [Order::Prepare { batch: BatchNo(1), jobs: vec![(1, vec!["a"])] }]
    );
    assert_eq!(s.handle(at(0), work(2, "b")), []);
    assert_eq!(s.handle(at(0), work(3, "c")), []);
    assert_eq!(s.handle(at(0), work(1, "d")), []);
    assert_eq!(
        s.handle(at(1), Notice::Prepared(BatchNo(1))),
        [
            Order::Commit(BatchNo(1)),
            Order::Prepare { batch: BatchNo(2), jobs: vec![(2, vec!["b"]), (3, vec!["c"])] }
        ]
    );
    assert_eq!(s.handle(at(2), Notice::Prepared(BatchNo(2))), []);
    assert_eq!(
        s.handle(at(3), open(1, &[1])),
        [Order::Commit(BatchNo(2)), Order::Prepare { batch: BatchNo(3), jobs: vec![(1, vec!["d"])] }]
    );
}

#[test]
fn what_is_prepared_while_the_writer_is_busy_is_committed_together() {
    let mut s = S::new(|| "due");
    s.handle(at(0), work(1, "a"));
    s.handle(at(0), Notice::Prepared(BatchNo(1)));
    let second = Order::Prepare { batch: BatchNo(2), jobs: vec![(2, vec!["b"])] };
    assert_eq!(s.handle(at(1), work(2, "b")), [second]);
    assert_eq!(s.handle(at(1), work(3, "c")), []);
    let third = Order::Prepare { batch: BatchNo(3), jobs: vec![(3, vec!["c"])] };
    assert_eq!(s.handle(at(1), Notice::Prepared(BatchNo(2))), [third]);
    let joined = Order::Join { batch: BatchNo(3), into: BatchNo(2) };
    assert_eq!(s.handle(at(2), Notice::Prepared(BatchNo(3))), [joined]);
    assert_eq!(s.handle(at(3), open(1, &[1])), [Order::Commit(BatchNo(2))]);
    // It fails as one batch too.
    let failed = s.handle(at(4), Notice::Failed { batch: BatchNo(2), failure: Failure::Culprit });
    assert_eq!(failed, [Order::Prepare { batch: BatchNo(4), jobs: vec![(2, vec!["b"])] }]);
}

#[test]
fn a_batch_does_not_grow_beyond_its_limit_and_a_half_not_at_all() {
    let mut s = S { limit: 3, ..S::new(|| "due") };
    s.handle(at(0), work(1, "a"));
    s.handle(at(0), Notice::Prepared(BatchNo(1)));
    s.handle(at(0), work(2, "b"));
    s.handle(at(0), Notice::Prepared(BatchNo(2)));
    s.handle(at(0), work(3, "c"));
    s.handle(at(0), work(4, "d"));
    s.handle(at(0), work(5, "e"));
    let joined = |batch, into| Order::Join { batch: BatchNo(batch), into: BatchNo(into) };
    let of = |batch, trade, work| Order::Prepare { batch: BatchNo(batch), jobs: vec![(trade, vec![work])] };
    let orders = s.handle(at(0), Notice::Prepared(BatchNo(3)));
    assert_eq!(orders, [joined(3, 2), of(4, 4, "d")], "as many as the batch that waits has room for");
    s.handle(at(0), work(6, "f"));
    let orders = s.handle(at(0), Notice::Prepared(BatchNo(4)));
    let fifth = Order::Prepare { batch: BatchNo(5), jobs: vec![(5, vec!["e"]), (6, vec!["f"])] };
    assert_eq!(orders, [joined(4, 2), fifth]);
    assert_eq!(s.handle(at(2), open(1, &[1])), [Order::Commit(BatchNo(2))]);
    s.handle(at(2), work(7, "g"));
    s.handle(at(2), work(8, "h"));
    assert_eq!(s.handle(at(2), Notice::Prepared(BatchNo(5))), [of(6, 7, "g")]);
    assert_eq!(s.handle(at(2), Notice::Prepared(BatchNo(6))), [joined(6, 5), Order::WakeAt(at(4))]);
    assert_eq!(s.handle(at(4), Notice::Tick), [of(7, 8, "h")]);
    let orders = s.handle(at(4), Notice::Prepared(BatchNo(7)));
    assert_eq!(orders, [], "three and one are more than three: each stays a batch");

    let orders = s.handle(at(4), Notice::Failed { batch: BatchNo(2), failure: Failure::Culprit });
    assert_eq!(orders, [Order::Commit(BatchNo(5))], "a half waits until nothing waits for the writer");
    let orders = s.handle(at(4), open(5, &[5, 6, 7]));
    assert_eq!(orders, [Order::Commit(BatchNo(7)), of(8, 2, "b")]);
    let orders = s.handle(at(4), Notice::Prepared(BatchNo(8)));
    assert_eq!(orders, [], "nothing joins a half: {orders:?}");
}

#[test]
fn a_failing_batch_is_halved_until_the_culprit_stands_alone() {
    let mut s = S::new(|| "due");
    s.handle(at(0), work(9, "first"));
    for trade in 1..=4 {
        s.handle(at(0), work(trade, "x"));
    }
    s.handle(at(0), Notice::Prepared(BatchNo(1)));
    s.handle(at(0), open(1, &[9]));
    s.handle(at(0), Notice::Prepared(BatchNo(2)));
    let commit = |batch| Order::Commit(BatchNo(batch));
    let orders = s.handle(at(0), Notice::Failed { batch: BatchNo(2), failure: Failure::Culprit });
    assert_eq!(orders, [], "trade 4 is being read: {orders:?}");
    assert_eq!(s.handle(at(0), Notice::Prepared(BatchNo(3))), [commit(3), prepare(4, &[1])]);
    s.handle(at(0), open(3, &[4]));
    assert_eq!(s.handle(at(0), Notice::Prepared(BatchNo(4))), [commit(4), prepare(5, &[2, 3])]);
    s.handle(at(0), open(4, &[1]));
    s.handle(at(0), Notice::Prepared(BatchNo(5)));
    let orders = s.handle(at(0), Notice::Failed { batch: BatchNo(5), failure: Failure::Culprit });
    assert_eq!(orders, [prepare(6, &[2])]);
    assert_eq!(s.handle(at(0), Notice::Prepared(BatchNo(6))), [commit(6), prepare(7, &[3])]);
    s.handle(at(0), open(6, &[2]));
    s.handle(at(0), Notice::Prepared(BatchNo(7)));
    let orders = s.handle(at(0), Notice::Failed { batch: BatchNo(7), failure: Failure::Culprit });
    assert!(orders.contains(&Order::Culprit { trade: 3, failures: 1 }), "{orders:?}");
    assert!(orders.contains(&Order::WakeAt(at(200))), "{orders:?}");
    let orders = s.handle(at(200), Notice::Tick);
    assert_eq!(orders, [prepare(8, &[3])], "the culprit comes again after its delay");
}

#[test]
fn while_one_half_is_written_the_other_is_read() {
    let mut s = S::new(|| "due");
    for trade in 1..=8 {
        s.handle(at(0), work(trade, "x"));
    }
    let orders = s.handle(at(0), Notice::Prepared(BatchNo(1)));
    assert_eq!(orders[1..], [prepare(2, &[2, 3, 4, 5])]);
    s.handle(at(0), open(1, &[1]));
    let orders = s.handle(at(0), Notice::Prepared(BatchNo(2)));
    assert_eq!(orders, [Order::Commit(BatchNo(2)), prepare(3, &[6, 7, 8])]);
}

/// Four trades of eight are being written, the others are read and wait, and those are committed: all of the four may come back.
fn four_written_and_nobody_waits() -> S {
    let mut s = S::new(|| "due");
    for trade in 0..=7 {
        s.handle(at(0), work(trade, "x"));
    }
    s.handle(at(0), Notice::Prepared(BatchNo(1)));
    s.handle(at(0), work(8, "x"));
    s.handle(at(0), open(1, &[0]));
    let orders = s.handle(at(0), Notice::Prepared(BatchNo(2)));
    assert_eq!(orders, [Order::Commit(BatchNo(2)), prepare(3, &[5, 6, 7, 8])]);
    s.handle(at(0), Notice::Prepared(BatchNo(3)));
    assert_eq!(s.handle(at(1), open(2, &[1, 2, 3, 4])), [Order::Commit(BatchNo(3))]);
    s
}

#[test]
fn while_the_writer_is_busy_a_batch_waits_for_its_share_but_not_for_long() {
    let mut s = four_written_and_nobody_waits();
    assert_eq!(s.handle(at(1), work(1, "x")), [Order::WakeAt(at(3))]);
    assert_eq!(s.handle(at(2), work(2, "x")), [prepare(4, &[1, 2])], "but for one it has its share");
    s.handle(at(2), work(3, "x"));
    s.handle(at(2), work(4, "x"));
    assert_eq!(s.handle(at(2), Notice::Prepared(BatchNo(4))), [prepare(5, &[3, 4])]);
    let joined = Order::Join { batch: BatchNo(5), into: BatchNo(4) };
    assert_eq!(s.handle(at(2), Notice::Prepared(BatchNo(5))), [joined], "as many as it lacked");

    let mut s = four_written_and_nobody_waits();
    assert_eq!(s.handle(at(5), work(1, "x")), [Order::WakeAt(at(7))]);
    assert_eq!(s.handle(at(7), Notice::Tick), [prepare(4, &[1])], "nobody else comes");
}

#[test]
fn a_batch_waits_no_longer_than_the_writer_is_busy_whatever_the_clock_does() {
    let mut s = four_written_and_nobody_waits();
    assert_eq!(s.handle(at(5), work(1, "x")), [Order::WakeAt(at(7))]);
    assert_eq!(s.handle(at(5), open(3, &[5, 6, 7, 8])), [prepare(4, &[1])], "a clock that stands still");

    let mut s = four_written_and_nobody_waits();
    s.handle(at(500), work(1, "x"));
    assert_eq!(s.handle(at(100), Notice::Tick), [Order::WakeAt(at(102))], "one that was turned back");
    assert_eq!(s.handle(at(102), Notice::Tick), [prepare(4, &[1])]);
}

#[test]
fn when_the_database_is_away_all_of_it_comes_again_with_growing_delays() {
    let mut s = S::new(|| "due");
    s.handle(at(0), work(1, "a"));
    let orders = s.handle(at(0), Notice::Failed { batch: BatchNo(1), failure: Failure::Unavailable });
    assert_eq!(orders, [Order::WakeAt(at(200))]);
    let orders = s.handle(at(200), Notice::Tick);
    assert_eq!(orders, [Order::Prepare { batch: BatchNo(2), jobs: vec![(1, vec!["a"])] }]);
    let orders = s.handle(at(200), Notice::Failed { batch: BatchNo(2), failure: Failure::Unavailable });
    assert_eq!(orders, [Order::WakeAt(at(600))]);
    assert_eq!(delay_ms(40), LONGEST_DELAY_MS);
}

#[test]
fn a_trades_own_failures_are_counted_apart_from_the_databases() {
    let mut s = S::new(|| "due");
    s.handle(at(0), work(1, "a"));
    for batch in 1..=5 {
        let failed = Notice::Failed { batch: BatchNo(batch), failure: Failure::Unavailable };
        s.handle(at(0), failed);
        s.handle(at(i64::try_from(batch).unwrap() * 100_000), Notice::Tick);
    }
    let failed = Notice::Failed { batch: BatchNo(6), failure: Failure::Culprit };
    let orders = s.handle(at(600_000), failed);
    assert!(orders.contains(&Order::Culprit { trade: 1, failures: 1 }), "{orders:?}");
}

#[test]
fn a_clock_passes_once_and_moves_with_its_trade() {
    let mut s = S::new(|| "due");
    assert_eq!(s.handle(at(0), Notice::Known { trade: 1, due: Some(at(100)) }), [Order::WakeAt(at(100))]);
    s.handle(at(50), work(1, "event"));
    s.handle(at(50), Notice::Prepared(BatchNo(1)));
    let after = vec![(1, After::Open { due: Some(at(300)) })];
    s.handle(at(51), Notice::Committed { batch: BatchNo(1), after });
    assert_eq!(s.handle(at(100), Notice::Tick), [Order::WakeAt(at(300))]);
    let orders = s.handle(at(300), Notice::Tick);
    assert_eq!(orders, [Order::Prepare { batch: BatchNo(2), jobs: vec![(1, vec!["due"])] }]);
    s.handle(at(300), Notice::Prepared(BatchNo(2)));
    s.handle(at(301), Notice::Committed { batch: BatchNo(2), after: vec![(1, After::Ended)] });
    assert_eq!(s.handle(at(999), Notice::Tick), []);
    assert_eq!(s.load(), 0);
}
