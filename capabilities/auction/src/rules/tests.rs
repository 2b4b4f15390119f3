//! What bids make of an auction and who buys its lot, by tables; and the laws of the price.

use std::collections::BTreeMap;

use mortise_testkit::table;
use mortise_types::{Amount, Currency, CustomerId, Quantity, Sku, Span, Timestamp};
use proptest::prelude::*;

use super::sale::{self, PlacedBid, replay};
use super::*;
use crate::contract::{AuctionState, Bid, Extension, Increment, Lot, NextPrice, OpenInput, Terms};
use crate::policy::AuctionPolicy;

fn customer(name: &str) -> CustomerId {
    CustomerId::new(name).unwrap()
}

/// `12.34` is 1234 minor units.
fn money(text: &str) -> Amount {
    let (whole, cents) = text.split_once('.').unwrap_or_else(|| panic!("`{text}` is no price"));
    Amount(whole.parse::<i64>().unwrap() * 100 + cents.parse::<i64>().unwrap())
}

fn show(amount: Amount) -> String {
    format!("{}.{:02}", amount.minor() / 100, amount.minor() % 100)
}

/// `59:30` is 59 minutes and 30 seconds behind the opening.
fn moment(text: &str) -> Timestamp {
    let (minutes, seconds) = text.split_once(':').unwrap_or_else(|| panic!("`{text}` is no moment"));
    let seconds = minutes.parse::<u32>().unwrap() * 60 + seconds.parse::<u32>().unwrap();
    Timestamp::EPOCH.saturating_add(Span::seconds(seconds))
}

fn clock(moment: Timestamp) -> String {
    let seconds = moment.since(Timestamp::EPOCH).as_millis() / 1_000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn rules() -> Rules {
    Rules {
        lot: Lot {
            title: "a chair".into(),
            sku: Sku::new("chair").unwrap(),
            quantity: Quantity::ONE,
            seller_id: None,
        },
        currency: "EUR".parse::<Currency>().unwrap(),
        starting_price: money("10.00"),
        reserve_price: None,
        opens_at: Timestamp::EPOCH,
        closes_at: moment("60:00"),
        deposit: Amount::ZERO,
        increments: vec![Increment { from: Amount::ZERO, step: money("1.00") }],
        extension: None,
        payment_window_s: 3_600,
        offers_most: 3,
        next_price: NextPrice::OwnMaximum,
        policy_version: "auction:0".into(),
    }
}

/// A sale of tables: the auction, its bids, who has not paid.
struct Room {
    rules: Rules,
    standing: Standing,
    placed: Vec<PlacedBid>,
    now: Timestamp,
    offered: Vec<CustomerId>,
    paddles: BTreeMap<String, i64>,
}

impl Room {
    fn new() -> Room {
        let rules = rules();
        let standing = Standing::opened(&rules);
        let (placed, offered, paddles) = (Vec::new(), Vec::new(), BTreeMap::new());
        Room { rules, standing, placed, now: Timestamp::EPOCH, offered, paddles }
    }

    fn say(&mut self, line: &str) -> Option<String> {
        let (line, at) = line.split_once(" at ").map_or((line, None), |(line, at)| (line, Some(at)));
        self.now = at.map_or(self.now, moment);
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["starts", price] => self.rules.starting_price = money(price),
            ["reserve", price] => self.rules.reserve_price = Some(money(price)),
            ["opens"] => self.rules.opens_at = self.now,
            ["closes"] => self.standing.closes_at = self.now,
            ["step", step] => self.rules.increments = vec![band("0.00", step)],
            ["step", step, "from", from] => self.rules.increments.push(band(from, step)),
            ["late", within, "by", by, "most", most] => {
                let [within_s, by_s, most] = [within, by, most].map(|text| text.parse().unwrap());
                self.rules.extension = Some(Extension { within_s, by_s, most });
            }
            ["offers", most] => self.rules.offers_most = most.parse().unwrap(),
            ["next", "pays", "without", "defaulters"] => {
                self.rules.next_price = NextPrice::WithoutDefaulters;
            }
            [who, "bids", amount] => return Some(self.bid(who, Some(money(amount)), None)),
            [who, "up", "to", most] => return Some(self.bid(who, None, Some(money(most)))),
            [who, "bids", amount, "up", "to", most] => {
                return Some(self.bid(who, Some(money(amount)), Some(money(most))));
            }
            [who, "bids"] => return Some(self.bid(who, None, None)),
            ["hammer"] => return Some(self.hammer()),
            ["not", "paid"] => return Some(self.next()),
            _ => panic!("`{line}` means nothing"),
        }
        // What is said of the auction is said before the first bid.
        self.rules.closes_at = self.standing.closes_at;
        self.now = Timestamp::EPOCH.max(self.now.min(self.rules.opens_at));
        None
    }

    fn bid(&mut self, who: &str, amount: Option<Amount>, maximum: Option<Amount>) -> String {
        let next = self.paddles.len() as i64 + 1;
        let paddle = *self.paddles.entry(who.to_owned()).or_insert(next);
        let bidder = Bidder { customer_id: customer(who), paddle };
        let bid = Bid { amount, maximum };
        let judged = self.standing.judge(&self.rules, AuctionState::Open, &bidder.customer_id, bid, self.now);
        let judged = match judged {
            Ok(judged) => judged,
            Err(refusal) => return refused(&refusal),
        };
        let stood = self.standing.take(&self.rules, &bidder, judged, self.now);
        self.placed.push(PlacedBid { position: stood.position, bidder, bid: judged, at: self.now });
        assert_eq!(replay(&self.rules, self.placed.iter()), self.standing, "the fold of the bids");
        let mut text = format!("{} leads at {}", stood.leading.customer_id, show(stood.price));
        if let Some(outbid) = stood.outbid {
            text.push_str(&format!(", {} is outbid", outbid.customer_id));
        }
        if !self.rules.sells_at(stood.price) {
            text.push_str(", below the reserve");
        }
        if let Some(closes_at) = stood.extended {
            text.push_str(&format!(", closes at {}", clock(closes_at)));
        }
        text
    }

    fn hammer(&mut self) -> String {
        match sale::close(&self.rules, &self.standing, self.now) {
            Close::NotDue => format!("not before {}", clock(self.standing.closes_at)),
            Close::Unsold(why) => format!("unsold: {why}"),
            Close::Awarded { bidder, price } => {
                self.offered.push(bidder.customer_id.clone());
                format!("sold to {} for {}", bidder.customer_id, show(price))
            }
        }
    }

    fn next(&mut self) -> String {
        let mut best: BTreeMap<String, Candidate> = BTreeMap::new();
        for PlacedBid { position, bidder, bid, .. } in &self.placed {
            let new = Candidate { bidder: bidder.clone(), maximum: bid.maximum, position: *position };
            let kept = best.entry(bidder.customer_id.to_string()).or_insert_with(|| new.clone());
            if new.maximum > kept.maximum {
                *kept = new;
            }
        }
        let ranked = sale::ranked(&self.rules, best.into_values().collect());
        match sale::next(&self.rules, &ranked, &self.placed, &self.offered) {
            None => "nobody is left".to_owned(),
            Some((bidder, price)) => {
                self.offered.push(bidder.customer_id.clone());
                format!("offered to {} for {}", bidder.customer_id, show(price))
            }
        }
    }
}

fn band(from: &str, step: &str) -> Increment {
    Increment { from: money(from), step: money(step) }
}

fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotOpen(detail) => format!("refused: not open before {}", clock(detail.opens_at)),
        Refusal::Closed(detail) => format!("refused: closed at {}", clock(detail.closes_at)),
        Refusal::Unclear(detail) => format!("refused: {}", detail.reason),
        Refusal::TooLow(detail) => format!("refused: at least {}", show(detail.asking_price)),
        Refusal::BelowOwnMaximum(detail) => {
            format!("refused: already up to {}", show(detail.own_maximum))
        }
    }
}

#[test]
fn auction_tables() {
    table::run("tests/cases", |input| {
        let mut room = Room::new();
        let told: Vec<String> = input.lines().filter_map(|line| room.say(line)).collect();
        told.join("\n")
    });
}

fn open(change: impl FnOnce(&mut OpenInput, &mut AuctionPolicy)) -> Result<Rules, (String, String)> {
    let rules = rules();
    let terms = Terms {
        starting_price: Amount(1_000),
        reserve_price: None,
        opens_at: None,
        closes_at: Some(moment("60:00")),
        lasts_s: None,
        deposit: None,
        increments: None,
        extension: None,
        payment_window_s: None,
        offers_most: None,
        next_price: None,
    };
    let auction_id = mortise_types::AuctionId::new("a-1").unwrap();
    let mut input = OpenInput { auction_id, lot: rules.lot, currency: rules.currency, terms };
    let mut policy = AuctionPolicy::default();
    change(&mut input, &mut policy);
    Rules::of(input, &policy, "auction:0", Timestamp::EPOCH)
        .map_err(|refused| (refused.field, refused.reason))
}

#[test]
fn terms_that_contradict_themselves_are_refused() {
    let field = |change: fn(&mut OpenInput, &mut AuctionPolicy)| open(change).map_err(|(field, _)| field);
    let refused = |name: &str| Err(name.to_owned());
    assert!(open(|_, _| {}).is_ok());
    assert_eq!(field(|input, _| input.terms.closes_at = Some(Timestamp::EPOCH)), refused("closes_at"));
    assert_eq!(field(|input, _| input.terms.closes_at = None), refused("closes_at"));
    assert_eq!(field(|input, _| input.terms.lasts_s = Some(60)), refused("closes_at"), "both");
    assert_eq!(field(|input, _| input.terms.opens_at = Some(moment("60:00"))), refused("closes_at"));
    assert_eq!(field(|input, _| input.terms.reserve_price = Some(Amount(999))), refused("reserve_price"));
    assert_eq!(field(|input, _| input.terms.increments = Some(Vec::new())), refused("increments"));
    let gap = |input: &mut OpenInput, _: &mut AuctionPolicy| {
        input.terms.increments = Some(vec![band("10.01", "1.00")]);
    };
    assert_eq!(field(gap), refused("increments"));
    let shrinks = |input: &mut OpenInput, _: &mut AuctionPolicy| {
        input.terms.increments = Some(vec![band("0.00", "2.00"), band("50.00", "1.00")]);
    };
    assert_eq!(field(shrinks), refused("increments"));
    let short = |_: &mut OpenInput, policy: &mut AuctionPolicy| {
        policy.extension = Some(Extension { within_s: 120, by_s: 60, most: 3 });
    };
    assert_eq!(field(short), refused("extension"));
    let long = |input: &mut OpenInput, _: &mut AuctionPolicy| {
        input.auction_id = mortise_types::AuctionId::new("a".repeat(101)).unwrap();
    };
    assert_eq!(field(long), refused("auction_id"));
}

#[test]
fn an_auction_lasts_from_its_opening_on() {
    let rules = open(|input, _| {
        (input.terms.closes_at, input.terms.lasts_s) = (None, Some(60));
        input.terms.opens_at = Some(moment("5:00"));
    });
    assert_eq!(rules.unwrap().closes_at, moment("6:00"));
}

#[test]
fn a_deposit_is_decided_before_anybody_could_still_pay() {
    let rules = open(|input, policy| {
        input.terms.extension = Some(Extension { within_s: 60, by_s: 60, most: 10 });
        policy.payment_window_s = 3_600;
        policy.offers_most = 2;
    });
    let rules = rules.unwrap();
    let last = rules.closes_at.saturating_add(Span::minutes(10)).saturating_add(Span::hours(2));
    assert!(rules.decided_by() > last);
}

#[test]
fn a_deposit_counts_towards_a_price_that_it_does_not_cover() {
    let rules = rules();
    assert_eq!(rules.credit(Amount(99), Amount(100)), Amount(99));
    assert_eq!(rules.credit(Amount(100), Amount(100)), Amount::ZERO);
    assert_eq!(rules.credit(Amount::ZERO, Amount(100)), Amount::ZERO);
}

fn auction() -> impl Strategy<Value = Rules> {
    (1_i64..200, prop::option::of(0_i64..300), 1_i64..20, 0_i64..30, 0_i64..4).prop_map(
        |(start, reserve, step, more, most)| {
            let mut rules = rules();
            rules.starting_price = Amount(start);
            rules.reserve_price = reserve.map(|above| Amount(start + above));
            let from = |from, step| Increment { from: Amount(from), step: Amount(step) };
            rules.increments = vec![from(0, step), from(100, step + more)];
            rules.extension = (most > 0).then_some(Extension { within_s: 60, by_s: 90, most });
            rules
        },
    )
}

/// Who of six bids: at once, up to, after how many seconds.
type Said = (i64, Option<i64>, Option<i64>, u32);

fn said() -> impl Strategy<Value = Vec<Said>> {
    let one = (1_i64..7, prop::option::of(1_i64..500), prop::option::of(1_i64..500), 0_u32..600);
    prop::collection::vec(one, 0..60)
}

/// The bids that an auction takes of these, in their order.
fn taken(rules: &Rules, said: &[Said]) -> (Standing, Vec<PlacedBid>) {
    let (mut standing, mut placed, mut now) = (Standing::opened(rules), Vec::new(), Timestamp::EPOCH);
    for (paddle, amount, maximum, seconds) in said {
        now = now.saturating_add(Span::seconds(*seconds));
        let bidder = Bidder { customer_id: customer(&format!("c-{paddle}")), paddle: *paddle };
        let bid = Bid { amount: amount.map(Amount), maximum: maximum.map(Amount) };
        let judged = standing.judge(rules, AuctionState::Open, &bidder.customer_id, bid, now);
        if let Ok(bid) = judged {
            let before = standing.clone();
            let stood = standing.take(rules, &bidder, bid, now);
            assert!(before.price().is_none_or(|price| price <= stood.price), "a price never falls");
            assert!(now < before.closes_at && before.closes_at <= standing.closes_at);
            placed.push(PlacedBid { position: stood.position, bidder, bid, at: now });
        }
    }
    (standing, placed)
}

proptest! {
    /// The leader has the highest maximum and was the first to have it; the price lies between what is asked at least and that
    /// maximum, and is not below the second highest one.
    #[test]
    fn the_price_lies_between_the_second_maximum_and_the_leaders_own(rules in auction(), said in said()) {
        let (standing, placed) = taken(&rules, &said);
        let Some((leader, price)) = &standing.lead else {
            prop_assert!(placed.is_empty());
            return Ok(());
        };
        let mut best: BTreeMap<i64, (Amount, i64)> = BTreeMap::new();
        for bid in &placed {
            let kept = best.entry(bid.bidder.paddle).or_insert((bid.bid.maximum, bid.position));
            if bid.bid.maximum > kept.0 {
                *kept = (bid.bid.maximum, bid.position);
            }
        }
        let first = best.iter().max_by_key(|(_, (maximum, at))| (*maximum, std::cmp::Reverse(*at))).unwrap();
        prop_assert_eq!((*first.0, first.1.0), (leader.bidder.paddle, leader.maximum));
        let second = best.iter().filter(|(paddle, _)| *paddle != first.0).map(|(_, (maximum, _))| *maximum).max();
        prop_assert!(*price <= leader.maximum);
        prop_assert!(*price >= second.unwrap_or(rules.starting_price).max(rules.starting_price));
        if let Some(reserve) = rules.reserve_price {
            prop_assert_eq!(*price >= reserve, leader.maximum >= reserve);
        }
    }

    /// Where each bidder says one maximum and nothing else, the price is the textbook's.
    #[test]
    fn one_maximum_each_costs_the_second_and_one_step(rules in auction(), maxima in prop::collection::vec(1_i64..500, 1..7)) {
        let said: Vec<Said> = maxima.iter().zip(1..).map(|(most, paddle)| (paddle, None, Some(*most), 1)).collect();
        let (standing, placed) = taken(&rules, &said);
        let mut taken: Vec<Amount> = placed.iter().map(|bid| bid.bid.maximum).collect();
        taken.sort_by_key(|maximum| std::cmp::Reverse(*maximum));
        let price = taken.first().map(|highest| {
            let second = taken.get(1).map_or(rules.starting_price, |second| rules.above(*second).min(*highest));
            let reserve = rules.reserve_price.filter(|reserve| highest >= reserve);
            second.max(reserve.unwrap_or(second))
        });
        prop_assert_eq!(standing.price(), price);
    }

    /// However bids are cut into batches, and when all are taken again, the auction stands at the same place.
    #[test]
    fn the_fold_is_the_same_in_any_batches(rules in auction(), said in said(), cuts in prop::collection::vec(1_usize..9, 1..20)) {
        let (whole, placed) = taken(&rules, &said);
        prop_assert_eq!(&replay(&rules, placed.iter()), &whole);
        let (mut standing, mut rest) = (Standing::opened(&rules), &placed[..]);
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (batch, behind) = rest.split_at((*cut).min(rest.len()));
            // A batch begins where the stored row says that the auction stands.
            let mut stored = standing.clone();
            for bid in batch {
                stored.take(&rules, &bid.bidder, bid.bid, bid.at);
            }
            (standing, rest) = (stored, behind);
        }
        prop_assert_eq!(standing, whole);
    }

    /// Whoever comes next pays no more than they bid and no less than the reserve price, and nobody is asked twice.
    #[test]
    fn the_next_bidder_pays_no_more_than_they_bid(rules in auction(), said in said(), without: bool) {
        let mut rules = rules;
        rules.next_price = if without { NextPrice::WithoutDefaulters } else { NextPrice::OwnMaximum };
        let (standing, placed) = taken(&rules, &said);
        let Close::Awarded { bidder, .. } = sale::close(&rules, &standing, standing.closes_at) else { return Ok(()) };
        let best = |who: &CustomerId| {
            placed.iter().filter(|bid| bid.bidder.customer_id == *who).map(|bid| bid.bid.maximum).max()
        };
        let mut candidates: Vec<Candidate> = Vec::new();
        for bid in &placed {
            let known = candidates.iter_mut().find(|known| known.bidder == bid.bidder);
            let new = Candidate { bidder: bid.bidder.clone(), maximum: bid.bid.maximum, position: bid.position };
            match known {
                Some(known) if known.maximum < new.maximum => *known = new,
                Some(_) => {}
                None => candidates.push(new),
            }
        }
        let ranked = sale::ranked(&rules, candidates);
        prop_assert_eq!(&ranked[0].bidder, &bidder);
        let mut offered = vec![bidder.customer_id];
        while let Some((next, price)) = sale::next(&rules, &ranked, &placed, &offered) {
            prop_assert!(!offered.contains(&next.customer_id));
            prop_assert!(Some(price) <= best(&next.customer_id) && price >= rules.starting_price);
            prop_assert!(rules.sells_at(price));
            offered.push(next.customer_id);
        }
        prop_assert!(offered.len() as i64 <= rules.offers_most);
    }
}
