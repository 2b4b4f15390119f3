//! Faults on demand: which request or webhook misbehaves, how, and how often. It decides; the caller carries it out.
//! Faults live in memory: a restart forgets them, as it forgets that a magic reference has struck.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mortise_types::Amount;
use serde::{Deserialize, Serialize};

use crate::magic::Magic;
use crate::state::Event;

/// The most faults that are set at once.
pub(crate) const FAULTS_MAX: usize = 1_000;
/// The longest pause that a fault can ask for.
const PAUSE_MAX_MS: u64 = 600_000;
/// How many keys that a magic reference struck are remembered; then all are forgotten.
const STRUCK_MAX: usize = 100_000;

/// Where a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Endpoint {
    #[serde(rename = "*")]
    AnyCall,
    #[serde(rename = "payments.create")]
    PaymentsCreate,
    #[serde(rename = "payments.get")]
    PaymentsGet,
    #[serde(rename = "payments.pay")]
    PaymentsPay,
    #[serde(rename = "payments.capture")]
    PaymentsCapture,
    #[serde(rename = "payments.void")]
    PaymentsVoid,
    #[serde(rename = "payments.refund")]
    PaymentsRefund,
    #[serde(rename = "rates")]
    Rates,
    #[serde(rename = "shipments.create")]
    ShipmentsCreate,
    #[serde(rename = "shipments.get")]
    ShipmentsGet,
    #[serde(rename = "shipments.cancel")]
    ShipmentsCancel,
    /// For scripts: strikes only when it is named, never by `*`.
    #[serde(rename = "shipments.advance")]
    ShipmentsAdvance,
    /// Where a parcel is handed over: strikes only when it is named. `decline`: it is not taken; `short`: less is paid.
    #[serde(rename = "shipments.door")]
    ShipmentsDoor,
    #[serde(rename = "remittances.create")]
    RemittancesCreate,
    /// A parcel's part of a payout: strikes only when it is named. `decline`: it is kept back; `short`: less is paid out.
    #[serde(rename = "remittances.item")]
    RemittancesItem,
    #[serde(rename = "webhooks")]
    Webhooks,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fault {
    /// The bank or the carrier says no; the answer belongs to the idempotency key.
    Decline {
        #[serde(default = "card_declined")]
        code: String,
    },
    /// So much less is paid, at the door or by the carrier.
    Short { by: Amount },
    /// The effect happens, no answer ever comes.
    Hang {},
    /// The effect happens, the answer comes after a pause.
    Slow { after_ms: u64 },
    /// 500, and nothing happened.
    ErrorBefore {},
    /// 500, and it happened all the same.
    ErrorAfter {},
    /// The connection ends, and nothing happened.
    DropBefore {},
    /// The connection ends, and it happened all the same.
    DropAfter {},
    /// An event is delivered this many times more.
    WebhookDuplicate { copies: u32 },
    /// An event leaves after a pause, and those behind it with it.
    WebhookDelay { delay_ms: u64 },
    /// An event waits for the next one of its subject, at most so long, and leaves after it.
    WebhookReorder { hold_ms: u64 },
    /// This many attempts are lost on the way; then it is repeated as usual.
    WebhookLose { attempts: u32 },
}

fn card_declined() -> String {
    "card_declined".to_owned()
}

/// A fault and whom it strikes: every condition that is given must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultRule {
    pub(crate) on: Endpoint,
    pub(crate) fault: Fault,
    /// How often it strikes; `null` for ever.
    #[serde(default = "once")]
    pub(crate) times: Option<u32>,
    /// Only this reference; a `*` at the end stands for any rest.
    #[serde(default)]
    pub(crate) reference: Option<String>,
    /// Only this amount in minor units.
    #[serde(default)]
    pub(crate) amount: Option<Amount>,
    /// Only webhooks of this type.
    #[serde(default)]
    pub(crate) event: Option<String>,
    /// Of a hundred, how many it strikes; drawn from the sandbox's seed.
    #[serde(default = "always")]
    pub(crate) chance_percent: u8,
}

fn once() -> Option<u32> {
    Some(1)
}

fn always() -> u8 {
    100
}

/// A rule that was set, and what is left of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SetFault {
    pub(crate) id: u64,
    pub(crate) struck: u64,
    #[serde(flatten)]
    pub(crate) rule: FaultRule,
}

/// The request that a fault may strike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) endpoint: Endpoint,
    pub(crate) reference: &'a str,
    pub(crate) amount: Option<Amount>,
    pub(crate) key: Option<&'a str>,
    pub(crate) repetition: Repetition,
}

/// Whether the book has an answer for a request's key already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repetition {
    First,
    Answered,
}

#[derive(Debug)]
pub(crate) struct Faults {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    set: Vec<SetFault>,
    next_id: u64,
    struck_keys: HashSet<String>,
    draw: u64,
}

impl Endpoint {
    /// Whether it is a place where cash changes hands, and no call.
    fn is_about_cash(self) -> bool {
        matches!(self, Endpoint::ShipmentsDoor | Endpoint::RemittancesItem)
    }
}

impl FaultRule {
    /// Why this rule could never strike or would do harm.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let for_webhooks = matches!(
            self.fault,
            Fault::WebhookDuplicate { .. }
                | Fault::WebhookDelay { .. }
                | Fault::WebhookReorder { .. }
                | Fault::WebhookLose { .. }
        );
        match &self.fault {
            _ if for_webhooks != (self.on == Endpoint::Webhooks) => {
                Some("webhook_* faults go with on: webhooks, all others with a call")
            }
            Fault::Short { .. } if !self.on.is_about_cash() => {
                Some("short goes with on: shipments.door or remittances.item")
            }
            Fault::Short { by } if by.minor() < 1 => Some("by is at least 1"),
            fault
                if self.on.is_about_cash()
                    && !matches!(fault, Fault::Short { .. } | Fault::Decline { .. }) =>
            {
                Some("on: shipments.door and remittances.item go with decline or short")
            }
            Fault::Slow { after_ms: ms }
            | Fault::WebhookDelay { delay_ms: ms }
            | Fault::WebhookReorder { hold_ms: ms }
                if *ms > PAUSE_MAX_MS =>
            {
                Some("a pause is at most 600000 ms")
            }
            Fault::WebhookDuplicate { copies } if *copies > 100 => Some("at most 100 copies"),
            Fault::WebhookLose { attempts } if *attempts > 1_000 => Some("at most 1000 lost attempts"),
            _ if self.times == Some(0) => Some("times is at least 1, or null for ever"),
            _ if !(1..=100).contains(&self.chance_percent) => Some("chance_percent is 1 to 100"),
            _ if self.event.is_some() && self.on != Endpoint::Webhooks => {
                Some("event goes with on: webhooks")
            }
            _ => None,
        }
    }

    fn matches(
        &self,
        endpoint: Endpoint,
        reference: &str,
        amount: Option<Amount>,
        event: Option<&str>,
    ) -> bool {
        let is_call =
            !matches!(endpoint, Endpoint::Webhooks | Endpoint::ShipmentsAdvance) && !endpoint.is_about_cash();
        let place = self.on == endpoint || (self.on == Endpoint::AnyCall && is_call);
        let named = self.reference.as_deref().is_none_or(|pattern| match pattern.strip_suffix('*') {
            Some(start) => reference.starts_with(start),
            None => reference == pattern,
        });
        place
            && named
            && self.amount.is_none_or(|wanted| amount == Some(wanted))
            && self.event.as_deref().is_none_or(|wanted| event == Some(wanted))
    }
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Faults {
        let inner = Inner { set: Vec::new(), next_id: 1, struck_keys: HashSet::new(), draw: seed };
        Faults { inner: Mutex::new(inner) }
    }

    /// Sets a fault, or `None` when there are too many.
    pub(crate) fn set(&self, rule: FaultRule) -> Option<SetFault> {
        let mut inner = self.lock();
        if inner.set.len() >= FAULTS_MAX {
            return None;
        }
        let set = SetFault { id: inner.next_id, struck: 0, rule };
        inner.next_id += 1;
        inner.set.push(set.clone());
        Some(set)
    }

    pub(crate) fn list(&self) -> Vec<SetFault> {
        self.lock().set.clone()
    }

    /// Takes back one fault, or all; says how many.
    pub(crate) fn clear(&self, id: Option<u64>) -> usize {
        let mut inner = self.lock();
        let before = inner.set.len();
        inner.set.retain(|fault| id.is_some_and(|id| fault.id != id));
        before - inner.set.len()
    }

    /// The fault that this request meets: a set one first, then the magic of its reference or amount.
    pub(crate) fn strike(&self, target: Target<'_>) -> Option<Fault> {
        let mut inner = self.lock();
        let set = inner.take(|rule| rule.matches(target.endpoint, target.reference, target.amount, None));
        set.or_else(|| {
            let magic = Magic::at(target.endpoint, target.reference, target.amount)?;
            if magic.is_once_a_key() {
                let key = format!("{}\n{}", magic.token, target.key.unwrap_or(target.reference));
                if target.repetition == Repetition::Answered || !inner.remember(key) {
                    return None;
                }
            }
            Some(magic.fault())
        })
    }

    /// The fault that this event meets on its way.
    pub(crate) fn strike_webhook(&self, event: &Event) -> Option<Fault> {
        let on = Endpoint::Webhooks;
        let set =
            self.lock().take(|rule| rule.matches(on, &event.reference, event.amount, Some(&event.kind)));
        set.or_else(|| Magic::at(on, &event.reference, event.amount).map(Magic::fault))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn take(&mut self, matches: impl Fn(&FaultRule) -> bool) -> Option<Fault> {
        for index in 0..self.set.len() {
            let rule = &self.set[index].rule;
            if rule.times == Some(0) || !matches(rule) {
                continue;
            }
            let chance = u64::from(rule.chance_percent);
            if chance < 100 && self.next_draw() % 100 >= chance {
                continue;
            }
            let fault = &mut self.set[index];
            fault.struck += 1;
            fault.rule.times = fault.rule.times.map(|left| left - 1);
            return Some(fault.rule.fault.clone());
        }
        None
    }

    /// Whether the key is new.
    fn remember(&mut self, key: String) -> bool {
        if self.struck_keys.len() >= STRUCK_MAX {
            self.struck_keys.clear();
        }
        self.struck_keys.insert(key)
    }

    /// SplitMix64: the same seed gives the same draws.
    fn next_draw(&mut self) -> u64 {
        self.draw = self.draw.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.draw;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> FaultRule {
        serde_json::from_str(json).unwrap()
    }

    fn target(reference: &str) -> Target<'_> {
        let endpoint = Endpoint::PaymentsCreate;
        Target {
            endpoint,
            reference,
            amount: Some(Amount(500)),
            key: Some("k"),
            repetition: Repetition::First,
        }
    }

    #[test]
    fn a_fault_strikes_as_often_as_it_says_and_only_whom_it_names() {
        let faults = Faults::new(0);
        faults
            .set(rule(r#"{"on":"payments.create","fault":{"kind":"hang"},"times":2,"reference":"o-1*"}"#))
            .unwrap();
        let struck = |reference| faults.strike(target(reference)).is_some();
        assert_eq!([struck("o-2"), struck("o-1"), struck("o-17"), struck("o-1")], [false, true, true, false]);
        assert_eq!(faults.list()[0].struck, 2);
        assert_eq!((faults.clear(Some(7)), faults.clear(None)), (0, 1));
    }

    #[test]
    fn chances_come_from_the_seed() {
        let draws = |seed| {
            let faults = Faults::new(seed);
            let chance = r#"{"on":"*","fault":{"kind":"error_before"},"times":null,"chance_percent":30}"#;
            faults.set(rule(chance)).unwrap();
            (0..1_000).map(|_| faults.strike(target("o")).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        let struck = draws(7).iter().filter(|struck| **struck).count();
        assert!((230..370).contains(&struck), "{struck} of 1000 at 30%");
    }

    #[test]
    fn magic_lets_the_repetition_through() {
        let faults = Faults::new(0);
        let magic = target("o-1.sbx-error-before");
        assert_eq!(faults.strike(magic), Some(Fault::ErrorBefore {}));
        assert_eq!(faults.strike(magic), None);
        let declined = target("o-1.sbx-decline");
        assert!(faults.strike(declined).is_some() && faults.strike(declined).is_some());
    }

    #[test]
    fn rules_that_cannot_strike_are_refused() {
        for refused in [
            r#"{"on":"webhooks","fault":{"kind":"hang"}}"#,
            r#"{"on":"rates","fault":{"kind":"webhook_lose","attempts":1}}"#,
            r#"{"on":"rates","fault":{"kind":"hang"},"times":0}"#,
            r#"{"on":"rates","fault":{"kind":"short","by":5}}"#,
            r#"{"on":"shipments.door","fault":{"kind":"short","by":0}}"#,
            r#"{"on":"remittances.item","fault":{"kind":"hang"}}"#,
            r#"{"on":"rates","fault":{"kind":"slow","after_ms":600001}}"#,
            r#"{"on":"rates","fault":{"kind":"hang"},"event":"payment.captured"}"#,
        ] {
            assert!(rule(refused).problem().is_some(), "{refused}");
        }
        assert_eq!(rule(r#"{"on":"rates","fault":{"kind":"hang"}}"#).problem(), None);
        assert!(
            serde_json::from_str::<FaultRule>(r#"{"on":"rates","fault":{"kind":"hang"},"tims":1}"#).is_err()
        );
    }
}
