//! What a simulated world has beside its engine: flows, a payment provider that keeps a book of its own, warehouses and customers
//! that make things happen later. It answers and publishes; when it is heard is decided by the dice of the shell.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mortise_contract::{Contracts, Value, json};
use mortise_flow::{Program, parse};
use mortise_types::{Span, Timestamp};

use super::dice::Dice;
use super::tables::text;
use crate::job::key_text;

/// Flows and contracts.
pub(super) struct Catalogue {
    pub(super) contracts: Contracts,
    pub(super) flows: Vec<Arc<Program>>,
    /// What gives back an event that nobody wants, by its name.
    pub(super) late: HashMap<String, Arc<Program>>,
}

impl Catalogue {
    pub(super) fn new() -> Self {
        let contracts: Contracts = serde_json::from_str(include_str!("contracts.json")).unwrap();
        let flows = [
            include_str!("flows/pay-first.yaml"),
            include_str!("flows/hold-and-pay.yaml"),
            include_str!("flows/at-once.yaml"),
        ];
        let compiled = |text: &str| {
            let flow = parse(text).unwrap_or_else(|found| panic!("{found:#?}"));
            Arc::new(Program::compile(&flow, &contracts, text).unwrap())
        };
        let flows = flows.map(compiled).to_vec();
        let captured = "pay.captured";
        let late = Arc::new(Program::late_call(captured, &contracts).unwrap());
        Self { late: HashMap::from([(captured.to_owned(), late)]), flows, contracts }
    }
}

/// Something that happens by itself.
#[derive(Clone, Debug)]
pub(super) struct Happening {
    pub(super) at: Timestamp,
    pub(super) event: &'static str,
    pub(super) key: String,
    pub(super) payload: Value,
    /// It has happened; whoever was told may have forgotten it.
    pub(super) over: bool,
}

/// A payment in the provider's book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) captured: bool,
    pub(super) voided: bool,
    pub(super) given_back: u32,
}

/// The payment provider.
#[derive(Default)]
pub(super) struct Provider {
    answers: BTreeMap<Arc<str>, Value>,
    pub(super) book: BTreeMap<String, Payment>,
    pub(super) broken: Vec<String>,
}

impl Provider {
    /// Is asked, maybe again: one idempotency key has one effect and one answer. Customers who pay do so within the hour,
    /// half of them too late.
    pub(super) fn ask(
        &mut self,
        dice: &mut Dice,
        now: Timestamp,
        (operation, key, input): (&str, &Arc<str>, &Value),
    ) -> (Value, Vec<Happening>) {
        if let Some(answer) = self.answers.get(key) {
            return (answer.clone(), Vec::new());
        }
        let of = |name: &str| input.get(name).map(key_text).unwrap_or_default();
        let mut happenings = Vec::new();
        let answer = match operation {
            "pay.request" if dice.percent(10) => text("declined", "no"),
            "pay.request" => {
                self.book.insert(key.to_string(), Payment::default());
                if dice.percent(75) {
                    let at = now.saturating_add(Span::from_millis(dice.millis(3_600_000)));
                    let payload = json(&format!(r#"{{"payment_id":"{key}","amount":500}}"#)).unwrap();
                    let (event, key) = ("pay.captured", key.to_string());
                    happenings.push(Happening { at, event, key, payload, over: false });
                }
                Value::record([("payment_id", Value::from(&**key)), ("url", Value::from("pay"))])
            }
            "pay.void" => {
                // A request that never came is refused for good; one that was captured stands, and its event gives it back.
                self.book.entry(of("payment_id")).or_default().voided = true;
                Value::empty_record()
            }
            "pay.give_back" => {
                let payment = self.book.entry(of("payment_id")).or_default();
                payment.given_back += 1;
                if !payment.captured || payment.given_back > 1 {
                    self.broken.push(format!("{} was given back: {payment:?}", of("payment_id")));
                }
                Value::empty_record()
            }
            other => panic!("nobody knows {other}"),
        };
        self.answers.insert(Arc::clone(key), answer.clone());
        (answer, happenings)
    }

    /// The customer pays: not where the payment was voided before.
    pub(super) fn capture(&mut self, payment: &str) -> bool {
        let payment = self.book.entry(payment.to_owned()).or_default();
        let may = !payment.voided && !payment.captured;
        payment.captured |= may;
        may
    }
}
