//! Random contracts: those of the resource tables, with other effects, undos and rejections, and a try that consumes what is
//! held.

use mortise_contract::{Contracts, Effect, OperationContract, Undo};
use mortise_flow::check_contracts;
use proptest::prelude::*;

/// Consumes a reservation when all that is tried beside it is confirmed.
const PROMISE: &str = r#"{"effect": "write",
    "input": {"type": "object", "required": ["reservation"], "properties": {"reservation": {"$ref": "stock/Reservation"}}},
    "output": {"type": "object"},
    "undo": {"call": "stock.unclaim", "with": {"reservation": "${ input.reservation }"}},
    "tcc": {"confirm": {"call": "stock.look_after", "with": {"reservation": "${ input.reservation }"}},
            "cancel": {"call": "stock.unclaim", "with": {"reservation": "${ input.reservation }"}}},
    "settles": [{"resource": "stock", "handle": "reservation", "how": "consume"}]}"#;
const LOOK_AFTER: &str = r#"{"effect": "write", "undo": "nothing",
    "input": {"type": "object", "required": ["reservation"], "properties": {"reservation": {"$ref": "stock/Reservation"}}},
    "output": {"type": "object"}}"#;
const UNBOOK: &str = r#"{"effect": "write", "undo": "nothing",
    "input": {"type": "object", "required": ["payment_id"], "properties": {"payment_id": {"$ref": "pay/PaymentId"}}},
    "output": {"type": "object"}}"#;

/// What is otherwise than in the tables.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Terms {
    pub(crate) claim_is_final: bool,
    pub(crate) promise_is_final: bool,
    pub(crate) booking_is_undone: bool,
    pub(crate) reserve_is_remote: bool,
    pub(crate) reserve_is_certain: bool,
    pub(crate) release_is_remote: bool,
    pub(crate) hold_is_remote: bool,
    pub(crate) hold_is_certain: bool,
    pub(crate) split_may_be_empty: bool,
}

pub(crate) fn terms() -> impl Strategy<Value = Terms> {
    prop::array::uniform9(prop::bool::weighted(0.25)).prop_map(terms_of)
}

fn terms_of(all: [bool; 9]) -> Terms {
    let [
        claim_is_final,
        promise_is_final,
        booking_is_undone,
        reserve_is_remote,
        reserve_is_certain,
        release_is_remote,
        hold_is_remote,
        hold_is_certain,
        split_may_be_empty,
    ] = all;
    Terms {
        claim_is_final,
        promise_is_final,
        booking_is_undone,
        reserve_is_remote,
        reserve_is_certain,
        release_is_remote,
        hold_is_remote,
        hold_is_certain,
        split_may_be_empty,
    }
}

impl Terms {
    pub(crate) fn contracts(self) -> Contracts {
        let mut contracts: Contracts =
            serde_json::from_str(include_str!("../../resources/contracts.json")).unwrap();
        for (name, text) in
            [("stock.promise", PROMISE), ("stock.look_after", LOOK_AFTER), ("pay.unbook", UNBOOK)]
        {
            contracts.operations.insert(name.to_owned(), serde_json::from_str(text).unwrap());
        }
        let mut edit = |wanted: bool, name: &str, edit: fn(&mut OperationContract)| {
            if wanted {
                edit(contracts.operations.get_mut(name).unwrap());
            }
        };
        edit(self.claim_is_final, "stock.claim", |claim| claim.undo = Some(Undo::Nothing));
        edit(self.promise_is_final, "stock.promise", |promise| promise.undo = Some(Undo::Nothing));
        edit(self.booking_is_undone, "pay.book", |book| {
            let undo = r#"{"call": "pay.unbook", "with": {"payment_id": "${ input.payment_id }"}}"#;
            book.undo = Some(serde_json::from_str(undo).unwrap());
        });
        edit(self.reserve_is_remote, "stock.reserve", |reserve| reserve.effect = Effect::Remote);
        edit(self.reserve_is_certain, "stock.reserve", |reserve| reserve.rejections.clear());
        edit(self.release_is_remote, "stock.release", |release| release.effect = Effect::Remote);
        edit(self.hold_is_remote, "credit.hold", |hold| hold.effect = Effect::Remote);
        edit(self.hold_is_certain, "credit.hold", |hold| hold.rejections.clear());
        edit(self.split_may_be_empty, "stock.split", |split| {
            split.output.properties.get_mut("shares").unwrap().min_items = None;
        });
        contracts
    }
}

#[test]
fn all_of_these_contracts_are_sound() {
    for at in 0..=9 {
        let mut all = [false; 9];
        all.iter_mut().take(at).for_each(|otherwise| *otherwise = true);
        assert_eq!(check_contracts(&terms_of(all).contracts()), Vec::<String>::new());
    }
}
