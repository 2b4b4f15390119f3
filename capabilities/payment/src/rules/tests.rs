//! The rules as tables (`tests/cases`), and what must hold whatever happens in whatever order.

use std::collections::BTreeMap;
use std::fmt::Write;

use mortise_types::{Amount, Currency, OrderId, PaymentId, Timestamp};
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn payment(method: Method, amount: i64, deposit: Option<Deposit>) -> Booked {
    let status = match method {
        Method::Invoice => Status::Due,
        Method::OnDelivery => Status::DueOnDelivery,
        Method::Provider | Method::ProviderManual => Status::Requested,
    };
    let mut booked = Booked::of(Payment {
        payment_id: PaymentId::new("pay-1").unwrap(),
        order_id: OrderId::new("o-1").unwrap(),
        customer_id: None,
        method,
        deposit,
        credited_to: None,
        status,
        currency: Currency::new("EUR").unwrap(),
        amount: Amount(amount),
        captured: Amount::ZERO,
        refunded: Amount::ZERO,
        pending_refund: Amount::ZERO,
        transfers: 0,
        provider_ref: None,
        pay_url: None,
        decline_code: None,
        created_at: NOW,
        expires_at: Some(NOW),
    });
    if matches!(method, Method::Invoice | Method::OnDelivery) {
        booked.claim(NOW);
    }
    booked
}

/// A payment and the refunds that are on their way, oldest first.
struct World {
    booked: Booked,
    refunds: Vec<RefundRow>,
}

impl World {
    fn of(method: Method, amount: i64, deposit: Option<Deposit>) -> World {
        World { booked: payment(method, amount, deposit), refunds: Vec::new() }
    }

    fn open_refund(&mut self, amount: Amount) {
        let refund_id = format!("r{}", self.refunds.len() + 1);
        let (status, created_at) = (RefundStatus::Pending, NOW);
        self.refunds.push(RefundRow {
            refund_id,
            status,
            amount,
            reason: None,
            provider_ref: None,
            created_at,
        });
    }

    fn end_refund(&mut self, number: usize, ended: RefundStatus) -> WhatHappened {
        let refund = &mut self.refunds[number];
        // A provider gives back no more than it captured.
        let Payment { status, captured, refunded, .. } = self.booked.payment;
        let there = Amount(captured.minor() - refunded.minor());
        let given = if status == Status::Captured { refund.amount.min(there) } else { refund.amount };
        self.booked.end_refund(refund, given, ended, NOW).unwrap()
    }

    fn receive(&mut self, stage: Stage, came: Option<Amount>) -> String {
        match self.booked.receive(stage, came, NOW).unwrap() {
            Ok(happened) => format!("{happened:?}"),
            Err(NotReceived::OutOfTurn) => "out of turn".to_owned(),
            Err(NotReceived::Expected(expected)) => format!("{expected} is expected"),
        }
    }

    /// One step of a case, and what came of it.
    fn step(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        let amount = || words.get(1).map(|word| Amount(word.parse().unwrap()));
        let number = || words[1].parse::<usize>().unwrap() - 1;
        match words[0] {
            "accepted" => {
                self.booked.accepted("p1".into(), "http://pay".into());
                String::new()
            }
            "refused" => {
                self.booked.refused("no".into());
                String::new()
            }
            "authorised" => format!("{:?}", self.booked.learn(&Fact::Authorised, NOW)),
            "captured" => format!("{:?}", self.booked.learn(&Fact::Captured(amount().unwrap()), NOW)),
            "declined" => format!("{:?}", self.booked.learn(&Fact::Declined("no".into()), NOW)),
            "expired" => format!("{:?}", self.booked.learn(&Fact::Expired, NOW)),
            "voided" => format!("{:?}", self.booked.learn(&Fact::Voided, NOW)),
            "capture" => format!("{:?}", self.booked.begin_capture(amount()).map(Amount::minor)),
            "capture_refused" => {
                self.booked.capture_refused();
                String::new()
            }
            "refund" => match self.booked.set_aside(amount().unwrap()) {
                Ok(()) => {
                    self.open_refund(amount().unwrap());
                    "set aside".to_owned()
                }
                Err(refundable) => format!("refused, {refundable} is refundable"),
            },
            "refund_done" => format!("{:?}", self.end_refund(number(), RefundStatus::Done)),
            "refund_refused" => format!("{:?}", self.end_refund(number(), RefundStatus::Refused)),
            "take_back" => {
                let plan = self.booked.take_back(amount()).unwrap();
                if let TakeBack::VoidFirst(set_aside) | TakeBack::Refund(set_aside) = plan {
                    self.open_refund(set_aside);
                }
                format!("{plan:?}").replace("Amount(", "").replace("))", ")")
            }
            "it_was_voided" => {
                self.booked.took(Took::Voided, NOW);
                format!("{:?}", self.end_refund(self.refunds.len() - 1, RefundStatus::Dropped))
            }
            "it_was_captured" => {
                self.booked.took(Took::Captured(amount().unwrap()), NOW);
                format!("{:?}", self.end_refund(self.refunds.len() - 1, RefundStatus::Done))
            }
            "credit" => format!("{:?}", self.booked.move_deposit(Deposit::Credited, NOW)),
            "hold" => format!("{:?}", self.booked.move_deposit(Deposit::Held, NOW)),
            "forfeit" => format!("{:?}", self.booked.move_deposit(Deposit::Forfeited, NOW)),
            "cancel" => format!("{:?}", self.booked.cancel_claim(NOW).unwrap()),
            "paid" => self.receive(Stage::InvoicePaid, amount()),
            "collected" => self.receive(Stage::Collected, amount()),
            "remitted" => self.receive(Stage::Remitted, amount()),
            "refused_at_door" => self.receive(Stage::Refused, amount()),
            other => panic!("no step `{other}`"),
        }
    }

    fn line(&self, step: &str, came: &str, posted: &[Transfer]) -> String {
        let Payment { status, captured, refunded, pending_refund, .. } = &self.booked.payment;
        let mut line = format!("{step}: {status}");
        let _ = write!(line, " {captured}-{refunded}-{pending_refund}");
        if !came.is_empty() {
            let _ = write!(line, " | {came}");
        }
        for Transfer { kind, debit, credit, amount, .. } in posted {
            let _ = write!(line, " | {kind} {amount}: {debit} <- {credit}");
        }
        line
    }
}

fn case(input: &str) -> String {
    let mut lines = input.lines();
    let first = lines.next().unwrap();
    let (deposit, first) = match first.strip_prefix("deposit ") {
        Some(rest) => (Some(Deposit::Held), rest),
        None => (None, first),
    };
    let (method, amount) = first.split_once(' ').unwrap();
    let mut world = World::of(method.parse().unwrap(), amount.parse().unwrap(), deposit);
    let mut out = vec![world.line(method, "", &world.booked.transfers)];
    for line in lines {
        let before = world.booked.transfers.len();
        let came = world.step(line);
        out.push(world.line(line, &came, &world.booked.transfers[before..]));
    }
    out.join("\n")
}

#[test]
fn tables() {
    mortise_testkit::table::run("tests/cases", case);
}

/// `AMOUNT REFUSED COLLECTED COUNTRY STREET...` by the default policy with a limit of 50000 and the countries DE and FR.
fn risk_case(input: &str) -> String {
    let words: Vec<&str> = input.splitn(5, ' ').collect();
    let [amount, refused, collected, country, street] = words[..] else { panic!("`{input}`") };
    let ship_to = serde_json::json!({ "name": "Ann", "street": [street], "city": "Lyon", "postal_code": "1", "country": country });
    let policy = crate::policy::RiskPolicy {
        amount_limit: Some(Amount(50_000)),
        countries: ["DE", "FR"].map(|country| country.parse().unwrap()).to_vec(),
        ..crate::policy::RiskPolicy::default()
    };
    let facts = Facts {
        amount: Amount(amount.parse().unwrap()),
        ship_to: &serde_json::from_value(ship_to).unwrap(),
        history: crate::store::History {
            refused: refused.parse().unwrap(),
            collected: collected.parse().unwrap(),
        },
    };
    let (score, reasons) = assess(&facts, &policy);
    let reason = |reason: &crate::contract::RiskReason| format!("{:?} {}", reason.code, reason.points);
    let reasons: Vec<String> = reasons.iter().map(reason).collect();
    let refused = if score >= i64::from(policy.refuse_from) { ", refused" } else { "" };
    format!("{score}{refused}: {}", reasons.join(", "))
}

#[test]
fn risk_tables() {
    mortise_testkit::table::run("tests/cases/risk", risk_case);
}

/// What the accounts hold, debits less credits.
fn balances(transfers: &[Transfer]) -> BTreeMap<Account, i64> {
    let mut balances = BTreeMap::new();
    for Transfer { debit, credit, amount, .. } in transfers {
        *balances.entry(*debit).or_insert(0) += amount.minor();
        *balances.entry(*credit).or_insert(0) -= amount.minor();
    }
    balances
}

fn a_step() -> impl Strategy<Value = String> {
    let amount = -5_i64..1_500;
    prop_oneof![
        Just("accepted".to_owned()),
        Just("refused".to_owned()),
        Just("authorised".to_owned()),
        (1_i64..=1_000).prop_map(|amount| format!("captured {amount}")),
        Just("declined".to_owned()),
        Just("expired".to_owned()),
        Just("voided".to_owned()),
        amount.clone().prop_map(|amount| format!("capture {amount}")),
        Just("capture_refused".to_owned()),
        amount.clone().prop_map(|amount| format!("refund {amount}")),
        (1_usize..4).prop_map(|number| format!("refund_done {number}")),
        (1_usize..4).prop_map(|number| format!("refund_refused {number}")),
        Just("take_back".to_owned()),
        amount.prop_map(|amount| format!("take_back {amount}")),
        Just("credit".to_owned()),
        Just("hold".to_owned()),
        Just("forfeit".to_owned()),
        Just("cancel".to_owned()),
        Just("paid".to_owned()),
        Just("collected".to_owned()),
        Just("remitted".to_owned()),
        Just("collected 999".to_owned()),
        Just("refused_at_door".to_owned()),
    ]
}

fn a_method() -> impl Strategy<Value = Method> {
    prop_oneof![
        Just(Method::Invoice),
        Just(Method::OnDelivery),
        Just(Method::Provider),
        Just(Method::ProviderManual)
    ]
}

proptest! {
    #[test]
    fn the_ledger_balances_and_no_more_goes_back_than_came(method in a_method(), deposit in any::<bool>(), steps in prop::collection::vec(a_step(), 0..40)) {
        let mut world = World::of(method, 1_000, deposit.then_some(Deposit::Held));
        let mut captures = 0;
        for step in steps {
            if step.starts_with("refund_") && world.refunds.len() < step[step.len() - 1..].parse::<usize>().unwrap() {
                continue;
            }
            world.step(&step);
            let Booked { payment, transfers } = &world.booked;
            let balances = balances(transfers);
            prop_assert_eq!(balances.values().sum::<i64>(), 0);
            let stands_on = payment.funds_account();
            for account in [Account::OrderFunds, Account::DepositsHeld, Account::DepositsForfeited] {
                let funds = -balances.get(&account).copied().unwrap_or(0);
                let there = payment.captured.minor() - payment.refunded.minor();
                prop_assert_eq!(funds, if account == stands_on { there } else { 0 }, "{} after {}", account, step);
                prop_assert!(funds >= 0, "more went back than came, after {}", step);
            }
            let pending: i64 =
                world.refunds.iter().filter(|refund| refund.status == RefundStatus::Pending).map(|refund| refund.amount.minor()).sum();
            prop_assert_eq!(payment.pending_refund.minor(), pending);
            let numbers: Vec<i64> = transfers.iter().map(|transfer| transfer.number).collect();
            prop_assert_eq!(numbers, (1..=payment.transfers).collect::<Vec<_>>());
            captures = transfers.iter().filter(|transfer| transfer.kind == TransferKind::Captured).count();
        }
        prop_assert!(captures <= 1, "money was captured twice");
    }
}
