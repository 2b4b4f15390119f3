//! The inventory's rules by tables, and the law that no sequence of holds breaks the stock identity.

use std::collections::BTreeMap;

use mortise_testkit::table;
use mortise_types::{
    Allocation, LineId, LocationId, Parcel, ParcelId, ParcelItem, RequestedLine, ReservationId, TenantId,
};
use proptest::prelude::*;

use super::allocate::{Decision, Offer, Offers, OpenTo, Preference, allocate};
use super::reservation::{HeldLine, Reservation, Settlement, Standing, demand, hold};
use super::stock::{Book, Levels, Shelf, ShelfChange, StockKey};
use super::*;
use crate::contract::Shortage;
use crate::policy::{InventoryPolicy, ShortStock};

fn sku(text: &str) -> Sku {
    Sku::new(text).unwrap()
}

fn location(text: &str) -> LocationId {
    LocationId::new(text).unwrap()
}

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn units(text: &str) -> Quantity {
    Quantity(text.parse().unwrap_or_else(|_| panic!("`{text}` is no number of units")))
}

fn short_stock(word: &str) -> ShortStock {
    serde_json::from_value(word.into()).unwrap_or_else(|_| panic!("`{word}` is no policy"))
}

fn shortage(short: &Shortage) -> String {
    let at = short.location.as_ref().map_or_else(String::new, |location| format!(" at {location}"));
    format!("{}{at}: {} wanted, {} available", short.sku, short.wanted, short.available)
}

/// `short stock POLICY`; `LOCATION has N SKU [priority P] [abroad] [closed to others]`; `ask N SKU [at LOCATION]`.
fn allocate_case(input: &str) -> String {
    let (mut policy, mut offers, mut lines) = (ShortStock::AllOrNothing, Offers::default(), Vec::new());
    for line in input.lines() {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["short", "stock", word] => policy = short_stock(word),
            ["ask", n, item] => lines.push(ask(n, item, None)),
            ["ask", n, item, "at", place] => lines.push(ask(n, item, Some(place))),
            [place, "has", n, item, ref remarks @ ..] => {
                let remark = |word: &str| remarks.iter().position(|remark| *remark == word);
                let priority = remark("priority").map_or(0, |at| remarks[at + 1].parse().unwrap());
                let foreign = i64::from(remark("abroad").is_some());
                let open_to = if remark("named").is_some() { OpenTo::NamedLines } else { OpenTo::Anyone };
                let preference = Preference { foreign, priority };
                let offer = Offer { location: location(place), saleable: units(n), preference, open_to };
                offers.put(&sku(item), offer);
            }
            _ => panic!("`{line}` means nothing"),
        }
    }
    match allocate(&lines, offers, policy) {
        Err(error) => format!("error: {error}"),
        Ok(Decision::OutOfStock(short)) => format!("out_of_stock: {}", shortage(&short)),
        Ok(Decision::Allocated(output)) => {
            let mut text: Vec<String> = output
                .allocations
                .iter()
                .map(|a| format!("line {}: {} {} from {}", a.line_id, a.quantity, a.sku, a.location))
                .collect();
            if output.lines != lines {
                let sold: Vec<String> =
                    output.lines.iter().map(|l| format!("{} {}", l.quantity, l.sku)).collect();
                text.push(format!("sold: {}", sold.join(", ")));
            }
            text.extend(output.short.iter().map(|short| format!("short: {}", shortage(short))));
            text.join("\n")
        }
    }
}

fn ask(n: &str, item: &str, place: Option<&str>) -> RequestedLine {
    RequestedLine {
        sku: sku(item),
        quantity: units(n),
        location: place.map(location),
        attributes: BTreeMap::new(),
    }
}

#[test]
fn allocation_tables() {
    table::run("tests/cases/allocate", allocate_case);
}

/// A book with holds by name, as a table drives it.
#[derive(Default)]
struct Shop {
    policy: InventoryPolicy,
    book: Book,
    keys: Vec<StockKey>,
    holds: BTreeMap<String, Reservation>,
}

fn key(item: &str, place: &str) -> StockKey {
    StockKey { tenant: tenant(), sku: sku(item), location: location(place) }
}

/// `N SKU at LOCATION, ...`
fn goods(text: &str) -> Vec<Allocation> {
    let one = |(n, part): (usize, &str)| match part.trim().split(' ').collect::<Vec<_>>()[..] {
        [count, item, "at", place] => Allocation {
            line_id: LineId::nth(n),
            sku: sku(item),
            location: location(place),
            quantity: units(count),
        },
        _ => panic!("`{part}` are no goods"),
    };
    text.split(',').enumerate().map(one).collect()
}

impl Shop {
    fn run(&mut self, line: &str) -> Option<String> {
        let (verb, rest) = line.split_once(' ').unwrap();
        Some(match verb {
            "policy" => {
                let (word, threshold) = rest.split_once(" threshold ").unwrap_or((rest, "0"));
                self.policy = InventoryPolicy { short_stock: short_stock(word), threshold: units(threshold) };
                return None;
            }
            "stock" => {
                let (rest, threshold) = match rest.split_once(" threshold ") {
                    Some((rest, threshold)) => (rest, Some(units(threshold))),
                    None => (rest, None),
                };
                for a in goods(rest) {
                    let key = StockKey { tenant: tenant(), sku: a.sku, location: a.location };
                    let levels = Levels { on_hand: a.quantity, ..Levels::default() };
                    self.book.put(key.clone(), Shelf::stored(levels, threshold));
                    self.keys.push(key);
                }
                return None;
            }
            "hold" => {
                let (name, wanted) = rest.split_once(": ").unwrap();
                match demand(&goods(wanted)) {
                    Err(error) => format!("{line} -> error: {error}"),
                    Ok(lines) => match hold(&mut self.book, &tenant(), &lines, &self.policy).unwrap() {
                        Ok(()) => {
                            self.holds.insert(name.to_owned(), Reservation::held(lines));
                            format!("{line} -> held")
                        }
                        Err(short) => format!("{line} -> out_of_stock: {}", shortage(&short)),
                    },
                }
            }
            "ship" => {
                let (what, wanted) = rest.split_once(": ").unwrap();
                let (name, parcel_id) = what.split_once(" as ").unwrap();
                let items: Vec<Allocation> = goods(wanted);
                let parcel = Parcel {
                    parcel_id: ParcelId::new(parcel_id).unwrap(),
                    location: items[0].location.clone(),
                    items: items
                        .into_iter()
                        .map(|a| ParcelItem { line_id: a.line_id, sku: a.sku, quantity: a.quantity })
                        .collect(),
                };
                let id = ReservationId::new(name).unwrap();
                let reservation = self.holds.get_mut(name).unwrap();
                match reservation.ship(&mut self.book, &tenant(), &id, &parcel).unwrap() {
                    Ok(settled) => format!("{line} -> {:?}, {:?}", settled.applied, settled.state),
                    Err(no) => format!(
                        "{line} -> cannot_ship: {:?}, {} {} wanted at {}, {} claimed, {} on hand",
                        no.state, no.wanted, no.sku, no.location, no.claimed, no.on_hand
                    ),
                }
            }
            verb => {
                let how = match verb {
                    "release" => Settlement::Release,
                    "claim" => Settlement::Claim,
                    "unclaim" => Settlement::Unclaim,
                    other => panic!("`{other}` is no verb"),
                };
                let reservation = self.holds.get_mut(rest).unwrap();
                let settled = reservation.settle(&mut self.book, &tenant(), how).unwrap();
                format!("{line} -> {:?}, {:?}", settled.applied, settled.state)
            }
        })
    }

    fn levels(&self) -> Vec<String> {
        let keys = self.keys.iter();
        keys.map(|key| {
            let Levels { on_hand, reserved, claimed } = self.book.shelf(key).levels;
            let free = self.book.shelf(key).levels.free().unwrap();
            format!(
                "{} at {}: {on_hand} = {free} free + {reserved} reserved + {claimed} claimed",
                key.sku, key.location
            )
        })
        .collect()
    }
}

fn holds_case(input: &str) -> String {
    let mut shop = Shop::default();
    let mut text: Vec<String> = input.lines().filter_map(|line| shop.run(line)).collect();
    text.extend(shop.levels());
    text.join("\n")
}

#[test]
fn hold_tables() {
    table::run("tests/cases/holds", holds_case);
}

#[test]
fn a_row_is_written_once_however_many_calls_met_there() {
    let mut shop = Shop::default();
    shop.run("stock 9 tea at west, 9 cup at west, 9 pot at west");
    for name in ["a", "b", "c"] {
        shop.run(&format!("hold {name}: 2 tea at west, 1 tea at west, 1 pot at west"));
    }
    shop.run("release a");
    shop.run("hold d: 1 pot at west");
    shop.run("release d");
    let changes = shop.book.changes().unwrap();
    let by = |reserved| ShelfChange::By(Levels { reserved: Quantity(reserved), ..Levels::default() });
    assert_eq!(changes, [(&key("pot", "west"), by(2)), (&key("tea", "west"), by(6))]);
}

#[test]
fn a_backorder_of_what_no_row_has_makes_a_row() {
    let mut shop = Shop::default();
    shop.run("policy backorder");
    assert_eq!(shop.run("hold a: 2 tea at west").unwrap(), "hold a: 2 tea at west -> held");
    let new = ShelfChange::New(Levels { reserved: Quantity(2), ..Levels::default() });
    assert_eq!(shop.book.changes().unwrap(), [(&key("tea", "west"), new)]);
    shop.run("release a");
    assert_eq!(shop.book.changes().unwrap(), []);
}

/// A word about one of the holds.
#[derive(Clone, Debug)]
enum Word {
    Hold(Vec<(u8, u8, i64)>),
    Settle(usize, u8),
    Ship(usize, i64),
}

fn words() -> impl Strategy<Value = Vec<Word>> {
    let word = prop_oneof![
        prop::collection::vec((0_u8..3, 0_u8..2, 1_i64..6), 1..4).prop_map(Word::Hold),
        (0_usize..20, 0_u8..3).prop_map(|(hold, how)| Word::Settle(hold, how)),
        (0_usize..20, 1_i64..6).prop_map(|(hold, units)| Word::Ship(hold, units)),
    ];
    prop::collection::vec(word, 0..60)
}

proptest! {
    /// Whatever is held, released, claimed, taken back and shipped, in any order and repeated: what is reserved and claimed
    /// is what the holds have, nothing is below zero, no unit appears or disappears, and nothing is oversold.
    #[test]
    fn holds_keep_the_stock_identity(words in words(), stock in prop::collection::vec(0_i64..12, 6)) {
        let place = |item: u8, at: u8| key(&format!("s{item}"), &format!("l{at}"));
        let mut book = Book::default();
        let keys: Vec<StockKey> = (0..3).flat_map(|item| (0..2).map(move |at| place(item, at))).collect();
        for (key, on_hand) in keys.iter().zip(&stock) {
            book.put(key.clone(), Shelf::stored(Levels { on_hand: Quantity(*on_hand), ..Levels::default() }, None));
        }
        let (mut holds, mut shipped, mut parcels): (Vec<Reservation>, i64, u32) = (Vec::new(), 0, 0);
        for word in words {
            match word {
                Word::Hold(wanted) => {
                    let wanted: Vec<Allocation> = wanted.into_iter().enumerate().map(|(n, (item, at, units))| {
                        let StockKey { sku, location, .. } = place(item, at);
                        Allocation { line_id: LineId::nth(n), sku, location, quantity: Quantity(units) }
                    }).collect();
                    let lines = demand(&wanted).unwrap();
                    if hold(&mut book, &tenant(), &lines, &InventoryPolicy::default()).unwrap().is_ok() {
                        holds.push(Reservation::held(lines));
                    }
                }
                Word::Settle(at, how) if at < holds.len() => {
                    let how = [Settlement::Release, Settlement::Claim, Settlement::Unclaim][usize::from(how)];
                    let twice = [(); 2].map(|()| holds[at].settle(&mut book, &tenant(), how).unwrap());
                    prop_assert_eq!(twice[1].applied, mortise_types::Applied::Already, "a handle settles once");
                }
                Word::Ship(at, units) if at < holds.len() => {
                    let Some(HeldLine(sku, location, _)) = holds[at].lines.first().cloned() else { continue };
                    parcels += 1;
                    let item = ParcelItem { line_id: LineId::nth(0), sku, quantity: Quantity(units) };
                    let parcel_id = ParcelId::new(format!("p-{parcels}")).unwrap();
                    let parcel = Parcel { parcel_id, location, items: vec![item] };
                    let id = ReservationId::new("r").unwrap();
                    if holds[at].ship(&mut book, &tenant(), &id, &parcel).unwrap().is_ok() {
                        shipped += units;
                    }
                }
                Word::Settle(..) | Word::Ship(..) => {}
            }
            for key in &keys {
                let Levels { on_hand, reserved, claimed } = book.shelf(key).levels;
                let of = |standing| -> i64 {
                    let lines = holds.iter().filter(|hold| hold.standing == standing).flat_map(|hold| &hold.lines);
                    lines.filter(|line| line.0 == key.sku && line.1 == key.location).map(|line| line.2.0).sum()
                };
                prop_assert_eq!(reserved.0, of(Standing::Held));
                prop_assert_eq!(claimed.0, of(Standing::Claimed));
                prop_assert!(on_hand.0 >= 0 && reserved.0 >= 0 && claimed.0 >= 0);
                prop_assert!(reserved.0 + claimed.0 <= on_hand.0, "oversold");
            }
        }
        let left: i64 = keys.iter().map(|key| book.shelf(key).levels.on_hand.0).sum();
        prop_assert_eq!(left + shipped, stock.iter().sum::<i64>());
    }

    /// An allocation never takes more than is offered, serves every line wholly or says what is short, and keeps the lines.
    #[test]
    fn an_allocation_takes_what_is_offered(
        offered in prop::collection::vec((0_u8..3, 0_u8..4, -3_i64..9, 0_i64..3), 0..12),
        asked in prop::collection::vec((0_u8..3, prop::option::of(0_u8..4), 1_i64..9), 1..8),
        policy in prop::sample::select(vec![ShortStock::AllOrNothing, ShortStock::Cut, ShortStock::Backorder]),
    ) {
        let mut offers = Offers::default();
        let mut saleable: BTreeMap<(Sku, LocationId), i64> = BTreeMap::new();
        for (item, at, units, priority) in offered {
            let (item, place) = (sku(&format!("s{item}")), location(&format!("l{at}")));
            let preference = Preference { foreign: 0, priority };
            let offer = Offer { location: place.clone(), saleable: Quantity(units), preference, open_to: OpenTo::Anyone };
            offers.put(&item, offer);
            saleable.insert((item, place), units.max(0));
        }
        let lines: Vec<RequestedLine> = asked.iter().map(|(item, at, units)| RequestedLine {
            sku: sku(&format!("s{item}")),
            quantity: Quantity(*units),
            location: at.map(|at| location(&format!("l{at}"))),
            attributes: BTreeMap::new(),
        }).collect();
        match allocate(&lines, offers, policy).unwrap() {
            Decision::OutOfStock(short) => prop_assert!(short.available < short.wanted),
            Decision::Allocated(output) => {
                let mut taken: BTreeMap<(Sku, LocationId), i64> = BTreeMap::new();
                let mut by_line: BTreeMap<LineId, i64> = BTreeMap::new();
                for a in &output.allocations {
                    prop_assert!(a.quantity.0 >= 1);
                    *taken.entry((a.sku.clone(), a.location.clone())).or_default() += a.quantity.0;
                    *by_line.entry(a.line_id.clone()).or_default() += a.quantity.0;
                    let at: usize = a.line_id.as_str().parse().unwrap();
                    let line = &output.lines[at - 1];
                    prop_assert_eq!(&line.sku, &a.sku);
                    prop_assert!(line.location.as_ref().is_none_or(|named| *named == a.location));
                }
                for (n, line) in output.lines.iter().enumerate() {
                    prop_assert_eq!(by_line.get(&LineId::nth(n)).copied(), Some(line.quantity.0));
                }
                if policy != ShortStock::Backorder {
                    for (place, units) in &taken {
                        prop_assert!(*units <= saleable.get(place).copied().unwrap_or(0));
                    }
                }
                if policy != ShortStock::Cut {
                    prop_assert_eq!(&output.lines, &lines);
                }
            }
        }
    }
}
