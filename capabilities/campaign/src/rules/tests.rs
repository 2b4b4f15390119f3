//! The rules by tables, and what holds of a group whatever its members do.

use mortise_testkit::table;
use mortise_types::{CampaignId, CustomerId, GroupId, Quantity, SeatId, Sku, Timestamp};
use proptest::prelude::*;

use super::allotment::Refusal;
use super::*;
use crate::contract::{Campaign, GroupCondition, Item, SeatCondition};

fn units(word: &str) -> Option<Quantity> {
    (word != "-").then(|| Quantity(word.parse().unwrap()))
}

/// `WANTED of QUOTA, GIVEN given; PER_CUSTOMER each, TO_CUSTOMER to this one`; `-` for no limit.
fn allotment_case(input: &str) -> String {
    let words: Vec<&str> = input.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
    let [wanted, "of", quota, given, "given", per_customer, "each", to_customer, "to", "this", "one"] =
        words[..]
    else {
        panic!("`{input}` means nothing");
    };
    let item =
        Item { sku: Sku::new("lamp").unwrap(), quota: units(quota), per_customer: units(per_customer) };
    let wanted = Wanted { item, units: units(wanted).unwrap() };
    match refusal(&wanted, units(given).unwrap(), units(to_customer).unwrap()).unwrap() {
        None => "given".to_owned(),
        Some(Refusal { exhausted_for, left }) => format!("refused for {exhausted_for:?}: {left} left"),
    }
}

#[test]
fn allotment_tables() {
    table::run("tests/cases/allotments", allotment_case);
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

struct World {
    group: Group,
    seats: Vec<Seat>,
}

impl World {
    /// A group of `size` that closes at second 100.
    fn of(size: i64) -> World {
        let group = Group {
            group_id: GroupId::new("g").unwrap(),
            campaign: CampaignId::new("spring").unwrap(),
            condition: GroupCondition::Open,
            size,
            held: 0,
            confirmed: 0,
            opened_at: at(0),
            closes_at: at(100),
        };
        World { group, seats: Vec::new() }
    }

    fn take(&mut self, now: Timestamp) -> Result<(), NotTaken> {
        self.group.take(now)?;
        let number = self.seats.len() + 1;
        self.seats.push(Seat {
            seat_id: SeatId::new(format!("s{number}")).unwrap(),
            group_id: self.group.group_id.clone(),
            customer_id: CustomerId::new(format!("c{number}")).unwrap(),
            holder: format!("o{number}"),
            condition: SeatCondition::Held,
            taken_at: now,
        });
        Ok(())
    }

    fn step(&mut self, now: Timestamp, words: &[&str]) -> String {
        let number = |word: &str| word.parse::<usize>().unwrap() - 1;
        match *words {
            ["take"] => match self.take(now) {
                Ok(()) => format!("seat {}", self.seats.len()),
                Err(why) => format!("refused: {why:?}"),
            },
            ["confirm", seat] => format!("{:?}", self.group.confirm(&mut self.seats[number(seat)], now)),
            ["unconfirm", seat] => format!("{}", self.group.unconfirm(&mut self.seats[number(seat)])),
            ["return", seat] => format!("{}", self.group.give_back(&mut self.seats[number(seat)])),
            ["settle"] => format!("{}", self.group.settle(now)),
            ["abandon"] => format!("{}", self.group.abandon()),
            _ => panic!("{words:?} means nothing"),
        }
    }
}

/// `group of SIZE`, then `SECOND WORD [SEAT]`, line by line; the group closes at second 100.
fn group_case(input: &str) -> String {
    let mut lines = input.lines();
    let size = lines.next().unwrap().strip_prefix("group of ").unwrap().parse().unwrap();
    let mut world = World::of(size);
    let mut out = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let came = world.step(at(words[0].parse().unwrap()), &words[1..]);
        let Group { condition, held, confirmed, .. } = &world.group;
        out.push(format!("{line}: {came} | {condition:?}, {held} held, {confirmed} confirmed"));
    }
    out.join("\n")
}

#[test]
fn group_tables() {
    table::run("tests/cases/groups", group_case);
}

#[test]
fn a_definition_says_what_is_wrong_with_it() {
    let wrong = |change: &str| {
        let mut campaign =
            serde_json::json!({ "campaign": "spring", "title": "Spring", "items": [{ "sku": "lamp" }] });
        let change: serde_json::Value = serde_json::from_str(change).unwrap();
        campaign.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        invalid(&serde_json::from_value::<Campaign>(campaign).unwrap()).unwrap_or_default()
    };
    let deposit = |closes: &str, balance_closes: &str| {
        format!(
            r#"{{{closes} "deposit":{{"deposit_bp":1000,"counts_bp":20000,"balance_opens_at":"2026-06-01T00:00:00Z",
                "balance_closes_at":"{balance_closes}","ships_at":"2026-07-01T00:00:00Z"}}}}"#
        )
    };
    assert_eq!(wrong("{}"), "");
    assert_eq!(wrong(r#"{"items":[{"sku":"lamp"},{"sku":"lamp"}]}"#), "item lamp stands in it twice");
    assert_eq!(wrong(r#"{"items":[]}"#), "it has no items");
    let backward = r#"{"opens_at":"2026-06-02T00:00:00Z","closes_at":"2026-06-01T00:00:00Z"}"#;
    assert_eq!(wrong(backward), "it is over before it begins");
    let closes = r#""closes_at":"2026-06-01T00:00:00Z","#;
    assert_eq!(wrong(&deposit(closes, "2026-06-03T00:00:00Z")), "");
    assert_eq!(wrong(&deposit(closes, "2026-05-30T00:00:00Z")), "its balance is due before it can be paid");
    assert_eq!(
        wrong(&deposit(r#""closes_at":"2026-06-09T00:00:00Z","#, "2026-06-03T00:00:00Z")),
        "its balance is due before the last deposit"
    );
    assert_eq!(wrong(&deposit("", "2026-06-03T00:00:00Z")), "its deposits have no end: it needs a closes_at");
}

proptest! {
    #[test]
    fn a_group_is_filled_by_its_size_and_by_nobody_too_late(
        size in 2_i64..5, steps in prop::collection::vec((0_i64..120, 0_usize..6, 0_usize..8), 0..60),
    ) {
        let mut world = World::of(size);
        let (mut now, mut filled_at) = (0, None);
        for (later, word, seat) in steps {
            now += later / 10;
            let before = world.group.condition;
            if seat >= world.seats.len() || word == 0 {
                let _ = world.take(at(now));
            } else {
                let (group, seat) = (&mut world.group, &mut world.seats[seat]);
                match word {
                    1 | 2 => if group.confirm(seat, at(now)) == Confirmed::Filled { filled_at = Some(now) },
                    3 => { group.unconfirm(seat); }
                    4 => { group.give_back(seat); }
                    _ => { group.settle(at(now)); }
                }
            }
            let Group { condition, held, confirmed, .. } = world.group;
            let count = |wanted| world.seats.iter().filter(|seat| seat.condition == wanted).count() as i64;
            prop_assert_eq!((held, confirmed), (count(SeatCondition::Held), count(SeatCondition::Confirmed)));
            prop_assert!(held + confirmed <= size, "more seats than the group has");
            prop_assert!(before == GroupCondition::Open || before == condition, "an end is an end");
            prop_assert!(condition != GroupCondition::Open || confirmed < size);
        }
        prop_assert!(filled_at.is_none_or(|filled_at| filled_at < 100), "filled when its time was up");
        prop_assert_eq!(filled_at.is_some(), world.group.condition == GroupCondition::Filled);
    }
}
