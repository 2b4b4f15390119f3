//! What a trade's journal tells: its timeline, a replay that agrees with what is stored, and one that does not.

use mortise_engine::{Happened, Journal, Replayed, Timeline, find_trades, history, replay, timeline};
use mortise_types::{Span, TenantId};

use crate::house::House;
use crate::trades::{buy, stocked};

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn told(house: &House, key: &str) -> Timeline {
    let engine = house.engine();
    house.runtime().block_on(async {
        let ids = find_trades(engine.store(), &tenant(), key).await.unwrap();
        assert_eq!(ids.len(), 1, "{key}");
        timeline(engine.store(), engine.registry(), engine.catalogue(), &ids[0]).await.unwrap()
    })
}

fn replayed(house: &House, key: &str) -> Replayed {
    let engine = house.engine();
    house.runtime().block_on(async {
        let ids = find_trades(engine.store(), &tenant(), key).await.unwrap();
        replay(engine.store(), engine.registry(), engine.catalogue(), &ids[0]).await.unwrap()
    })
}

fn words(timeline: &Timeline) -> Vec<String> {
    let word = |happened: &Happened| match happened {
        Happened::Began => "began".to_owned(),
        Happened::Called { operation, outcome } => format!("{operation} {outcome}"),
        Happened::TakenBack { operation, outcome } => format!("back {operation} {outcome}"),
        Happened::TimedOut => "timed out".to_owned(),
        Happened::Answered { answer, .. } => format!("answered {answer}"),
        Happened::Ended { outcome } => format!("ended {outcome}"),
        other => format!("{other:?}"),
    };
    timeline.entries.iter().map(|entry| word(&entry.happened)).collect()
}

#[test]
fn a_timeline_says_what_happened_in_order_and_how_long_it_took() {
    let house = stocked(5);
    house.trade("buy", &buy("o1", "pen", 2, "later"));
    house.settle();
    house.pass(Span::minutes(31));
    let timeline = told(&house, "o1");
    assert_eq!(
        words(&timeline),
        [
            "began",
            "shop.look done",
            "shop.take done",
            "shop.explode done",
            "shop.pay done",
            "answered ok",
            "timed out",
            "back shop.refund done",
            "back shop.put_back done",
            "ended failed: too_late",
        ]
    );
    let waited = timeline.entries.iter().find(|entry| entry.happened == Happened::TimedOut).unwrap();
    assert_eq!(waited.took_ms, Span::minutes(31).as_millis());
    assert_eq!((timeline.flow.as_str(), timeline.key.as_deref()), ("buy", Some("o1")));
    assert_eq!(timeline.position, "ended: failed with too_late");
    assert!(timeline.ended_at.is_some());
}

#[test]
fn a_replay_agrees_with_what_is_stored_open_and_over() {
    let house = stocked(5);
    house.trade("buy", &buy("o1", "pen", 2, "later"));
    house.trade("buy", &buy("o2", "pen", 1, "now"));
    house.trade("buy", &buy("o3", "pen", 9, "now"));
    house.settle();
    for key in ["o1", "o2", "o3"] {
        let replayed = replayed(&house, key);
        assert!(replayed.differences.is_empty(), "{key}: {replayed:#?}");
        assert!(replayed.records >= 1 && replayed.inputs >= 3, "{replayed:?}");
    }
    assert!(told(&house, "o1").position.starts_with("waits for shop.paid"));
}

#[test]
fn a_replay_says_what_was_changed_behind_its_back() {
    let house = stocked(5);
    house.trade("buy", &buy("o1", "pen", 2, "later"));
    house.trade("buy", &buy("o2", "pen", 1, "now"));
    house.settle();
    house.write("UPDATE flow_instance SET outcome = 'failed:no', answer = '{\"ok\":{\"order\":\"other\"}}' WHERE key = 'o2'");
    house.write("UPDATE flow_instance SET wake_at = wake_at + 1 WHERE key = 'o1'");
    house.write("DELETE FROM flow_wait WHERE kind = 0");
    let places = |replayed: Replayed| {
        replayed.differences.into_iter().map(|difference| difference.place).collect::<Vec<_>>()
    };
    assert_eq!(places(replayed(&house, "o2")), ["outcome", "answer"]);
    assert_eq!(places(replayed(&house, "o1")), ["due", "listeners"]);
}

#[test]
fn a_trade_of_one_call_leaves_nothing_to_replay() {
    let house = stocked(5);
    let id = house.rows("SELECT id FROM flow_instance").remove(0);
    let replayed = replayed(&house, &id);
    assert_eq!(replayed.journal, Journal::NeverKept);
    assert!(replayed.differences.is_empty(), "{replayed:?}");
    assert!(told(&house, &id).position.contains("a trade of one call leaves no journal"));
    house.trade("buy", &buy("o1", "pen", 1, "now"));
    house.settle();
    house.write("DELETE FROM flow_journal");
    let gone = self::replayed(&house, "o1");
    assert_eq!((gone.journal, gone.differences.len()), (Journal::Gone, 1), "one that there was is missed");
}

#[test]
fn an_expression_without_a_value_is_told_with_its_step() {
    let text = crate::trades::BUY.replace(
        "  - call: shop.explode\n",
        "  - let: { share: \"${ 9000000000000000000 * input.count }\" }\n  - call: shop.explode\n",
    );
    let house = House::new(&text);
    house.call("shop.stock", r#"{"goods":"pen","count":5}"#);
    house.trade("buy", &buy("o1", "pen", 2, "now"));
    house.settle();
    let entries = told(&house, "o1").entries.into_iter().map(|entry| entry.happened);
    let problem = entries.into_iter().find_map(|happened| match happened {
        Happened::Answered { answer, problem } if answer == "failed: evaluation_failed" => problem,
        _ => None,
    });
    assert!(problem.as_ref().is_some_and(|problem| problem.starts_with("let: ")), "{problem:?}");
}

#[test]
fn an_unknown_trade_is_named() {
    let house = stocked(1);
    let engine = house.engine();
    let found = house.runtime().block_on(find_trades(engine.store(), &tenant(), "nobody"));
    assert!(found.unwrap_err().to_string().contains("no trade `nobody`"));
    let other = TenantId::new("globex").unwrap();
    house.trade("buy", &buy("o1", "pen", 1, "now"));
    let found = house.runtime().block_on(find_trades(engine.store(), &other, "o1"));
    assert!(found.is_err(), "another tenant's trade");
}

#[test]
fn the_history_of_a_name_has_its_versions_and_when_it_meant_which() {
    use mortise_engine::{Aliasing, PLATFORM};
    let house = stocked(5);
    house.pass(Span::hours(1));
    house.trade("buy", &buy("o1", "pen", 1, "later"));
    house.settle();
    let second = crate::trades::BUY.replace("version: 1", "version: 2");
    let engine = house.engine();
    house.runtime().block_on(async {
        engine.publish((PLATFORM, ""), crate::trades::BUY, Aliasing::Move).await.unwrap();
        engine.publish(("acme", "books"), &second, Aliasing::Move).await.unwrap();
        engine.publish(("acme", "books"), &second, Aliasing::Move).await.unwrap();
    });
    let history = house.runtime().block_on(history(engine.store(), &tenant(), "buy")).unwrap();
    let versions: Vec<(u32, i64)> = history.versions.iter().map(|v| (v.version, v.open_trades)).collect();
    assert_eq!(versions, [(1, 1), (2, 0)]);
    let moves: Vec<(&str, &str)> =
        history.moves.iter().map(|m| (m.tenant.as_str(), m.line.as_str())).collect();
    assert_eq!(moves, [("_", ""), ("acme", "books")], "publishing what a name means already moves nothing");
}
