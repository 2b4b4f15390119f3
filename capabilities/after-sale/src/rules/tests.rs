//! What is owed, by tables and by law: whatever comes back, in whatever order and grouping, comes to what was paid.

use std::fmt::Write as _;

use mortise_testkit::table;
use mortise_types::{
    Adjustment, AdjustmentKind, Amount, CustomerId, FeeId, FeeKind, LineId, OrderId, Parcel, ParcelId,
    ParcelItem, Price, PriceProof, PromotionTerms, ProofFee, ProofLine, Quantity, RateBp, Sku, TaxPart,
    TaxTreatment, Timestamp,
};
use proptest::prelude::*;

use super::account::NeverShipped;
use super::*;
use crate::contract::{AssessInput, Entitlement, RefundCap, ReturnLine, ReturnReason, RmaKind, RmaState};

fn amount(text: &str) -> Amount {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, cents) = digits.split_once('.').unwrap_or_else(|| panic!("`{text}` is no amount"));
    assert_eq!(cents.len(), 2, "`{text}` has no cents");
    Amount(sign * (whole.parse::<i64>().unwrap() * 100 + cents.parse::<i64>().unwrap()))
}

fn shown(amount: Amount) -> String {
    let (sign, minor) = (if amount.is_negative() { "-" } else { "" }, amount.minor().unsigned_abs());
    format!("{sign}{}.{:02}", minor / 100, minor % 100)
}

fn adjustment(word: &str) -> Adjustment {
    let (source, change) = word.split_once('=').unwrap_or_else(|| panic!("`{word}` is no adjustment"));
    let (kind, source) = match source.split_once(':') {
        Some(("coupon", source)) => (AdjustmentKind::Coupon, source),
        Some(("tax", source)) => (AdjustmentKind::TaxAdded, source),
        Some((other, _)) => panic!("`{other}` is no kind"),
        None => (AdjustmentKind::Promotion, source),
    };
    Adjustment {
        kind,
        source: source.to_owned(),
        version: "1".to_owned(),
        lane: None,
        amount: amount(change),
        reason: source.to_owned(),
    }
}

/// `vat 19% in 1.00 of 5.26`, or `on` for a tax on top.
fn tax(words: &[&str]) -> TaxPart {
    let [code, rate, way, tax, "of", base] = words[..] else { panic!("{words:?} is no tax") };
    TaxPart {
        code: code.to_owned(),
        rate_bp: RateBp(rate.strip_suffix('%').unwrap().parse::<i64>().unwrap() * 100),
        base: amount(base),
        tax: amount(tax),
        treatment: if way == "in" { TaxTreatment::Included } else { TaxTreatment::Added },
    }
}

/// The taxes and adjustments behind `LINE N x PRICE`, separated by commas.
fn details(words: &[&str]) -> (Vec<Adjustment>, Vec<TaxPart>) {
    let (mut adjustments, mut taxes) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < words.len() {
        if words[at] == "tax" {
            taxes.push(tax(&words[at + 1..at + 7]));
            at += 7;
        } else {
            adjustments.push(adjustment(words[at]));
            at += 1;
        }
    }
    (adjustments, taxes)
}

fn add_up(list: Amount, adjustments: &[Adjustment]) -> Amount {
    Amount::sum([list].into_iter().chain(adjustments.iter().map(|a| a.amount))).unwrap()
}

/// A case on its way: the sale, its account, and what was said.
struct World {
    sale: Sale,
    account: Account,
    captured: Option<Amount>,
}

impl World {
    fn new() -> World {
        let proof = PriceProof {
            policy_version: "pricing:0".to_owned(),
            lines: Vec::new(),
            fees: Vec::new(),
            payable: Amount::ZERO,
            tax: Amount::ZERO,
        };
        let policy = AfterSalePolicy::default();
        let sale = Sale { proof, terms: Vec::new(), policy, policy_version: "after_sale:0".to_owned() };
        World { sale, account: Account::default(), captured: None }
    }

    fn sum_up(&mut self) {
        let proof = &mut self.sale.proof;
        let parts = proof.lines.iter().map(|l| l.payable).chain(proof.fees.iter().map(|f| f.payable));
        proof.payable = Amount::sum(parts).unwrap();
        let taxes = proof.lines.iter().flat_map(|l| &l.taxes).chain(proof.fees.iter().flat_map(|f| &f.taxes));
        proof.tax = Amount::sum(taxes.map(|part| part.tax)).unwrap();
        self.account.captured = self.captured.unwrap_or(proof.payable);
    }

    fn line(&mut self, words: &[&str]) {
        let [id, units, "x", price, rest @ ..] = words else { panic!("{words:?} is no line") };
        let (quantity, price) = (Quantity(units.parse().unwrap()), amount(price));
        let (adjustments, taxes) = details(rest);
        let list = price.checked_mul(quantity).unwrap();
        self.sale.proof.lines.push(ProofLine {
            line_id: LineId::new(*id).unwrap(),
            sku: Sku::new(format!("sku-{id}")).unwrap(),
            quantity,
            location: None,
            list_price: Price::new(price, Quantity::ONE).unwrap(),
            list,
            payable: add_up(list, &adjustments),
            adjustments,
            taxes,
        });
    }

    fn fee(&mut self, words: &[&str]) {
        let [kind, list, rest @ ..] = words else { panic!("{words:?} is no fee") };
        let (kind, parcel) = kind.split_once('@').unwrap_or((kind, ""));
        let (adjustments, taxes) = details(rest);
        let list = amount(list);
        let fees = &mut self.sale.proof.fees;
        fees.push(ProofFee {
            fee_id: FeeId::new(format!("fee-{}", fees.len())).unwrap(),
            kind: serde_json::from_value(kind.into()).unwrap(),
            parcel_id: ParcelId::new(parcel).ok(),
            list,
            payable: add_up(list, &adjustments),
            adjustments,
            taxes,
        });
    }

    fn terms(&mut self, words: &[&str]) {
        let [source, conditions @ ..] = words else { panic!("{words:?} are no terms") };
        let mut terms = PromotionTerms {
            source: (*source).to_owned(),
            version: "1".to_owned(),
            min_subtotal: None,
            min_quantity: None,
            bundle: false,
        };
        for condition in conditions {
            match condition.split_once('=') {
                Some(("min_subtotal", least)) => terms.min_subtotal = Some(amount(least)),
                Some(("min_quantity", least)) => terms.min_quantity = Some(Quantity(least.parse().unwrap())),
                None if *condition == "bundle" => terms.bundle = true,
                _ => panic!("`{condition}` is no condition"),
            }
        }
        self.sale.terms.push(terms);
    }

    fn policy(&mut self, words: &[&str]) {
        let mut policy = serde_json::to_value(&self.sale.policy).unwrap();
        for word in words {
            let (field, choice) = word.split_once('=').unwrap();
            policy[field] = match choice.parse::<i64>() {
                Ok(number) => number.into(),
                Err(_) => choice.into(),
            };
        }
        self.sale.policy = serde_json::from_value(policy).unwrap();
    }

    fn asked(&self, kind: RmaKind, words: &[&str]) -> AssessInput {
        let mut asked = AssessInput {
            order_id: OrderId::new("o-1").unwrap(),
            customer_id: CustomerId::new("c-1").unwrap(),
            placed_at: Timestamp::EPOCH,
            returnable_from: Timestamp::EPOCH,
            currency: "EUR".parse().unwrap(),
            proof: self.sale.proof.clone(),
            captured: self.account.captured,
            kind,
            lines: Vec::new(),
            stopped: Vec::new(),
            terms: self.sale.terms.clone(),
        };
        let mut parcel = "p".to_owned();
        for word in words {
            let (line, units) = word.split_once('=').unwrap();
            if line == "parcel" {
                parcel = units.to_owned();
                continue;
            }
            let (units, reason) = units.split_once(':').unwrap_or((units, "changed_mind"));
            let (line_id, quantity) = (LineId::new(line).unwrap(), Quantity(units.parse().unwrap()));
            let reason: ReturnReason = serde_json::from_value(reason.into()).unwrap();
            asked.lines.push(ReturnLine { line_id, quantity, reason });
        }
        if kind == RmaKind::BeforeShipping {
            let item = |line: &ReturnLine| ParcelItem {
                line_id: line.line_id.clone(),
                sku: Sku::new("any").unwrap(),
                quantity: line.quantity,
            };
            asked.stopped.push(Parcel {
                parcel_id: ParcelId::new(parcel).unwrap(),
                location: mortise_types::LocationId::new("west").unwrap(),
                items: asked.lines.drain(..).map(|line| item(&line)).collect(),
            });
        }
        asked
    }

    fn comes_back(&mut self, kind: RmaKind, words: &[&str], days: i64) -> String {
        let (caps, words): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with("cap:"));
        let caps: Vec<RefundCap> = caps.into_iter().map(cap).collect();
        let asked = self.asked(kind, &words);
        let now = Timestamp::from_millis(days * 24 * 60 * 60 * 1_000);
        let request = match judge(&self.sale, &self.account, &asked, &caps, None, now).unwrap() {
            Ok(request) => request,
            Err(Refusal::Units(units)) => {
                return format!("no: {} of line {} are left", units.left, units.line_id);
            }
            Err(Refusal::Refused(refused)) => {
                let problem = serde_json::to_value(refused.problem).unwrap();
                let line = refused.line_id.map_or_else(String::new, |line| format!(" (line {line})"));
                return format!("no: {}{line}", problem.as_str().unwrap());
            }
        };
        let (lines, parcels) = (&request.lines, &request.parcels);
        let coming = Grant::of(&self.sale, lines, parcels, |_| None, request.never_shipped).unwrap();
        let coming = coming.capped(&self.sale, lines, &caps).unwrap();
        let entitlement = grant(&self.sale, &mut self.account, &coming).unwrap();
        assert_eq!(
            entitlement, request.entitlement,
            "nobody else asks: what is estimated is what is granted"
        );
        tell(&entitlement)
    }
}

/// `cap:LINE=AMOUNT`
fn cap(word: &str) -> RefundCap {
    let (line, at_most) = word["cap:".len()..].split_once('=').unwrap();
    RefundCap {
        line_id: LineId::new(line).unwrap(),
        at_most: amount(at_most),
        reason: "half after 30 days".to_owned(),
        extension: "late-returns@1.0.0".to_owned(),
    }
}

fn tell(entitlement: &Entitlement) -> String {
    let mut text = format!("{} = goods {}", shown(entitlement.refund), shown(entitlement.goods));
    for (name, amount) in [("fees", entitlement.fees), ("carried", entitlement.carried)] {
        if !amount.is_zero() {
            let _ = write!(text, ", {name} {}", shown(amount));
        }
    }
    for deduction in &entitlement.deductions {
        let kind = serde_json::to_value(deduction.kind).unwrap();
        let change = deduction.amount.checked_neg().unwrap();
        let sign = if change > Amount::ZERO { "+" } else { "" };
        let _ = write!(text, ", {} {} {sign}{}", kind.as_str().unwrap(), deduction.source, shown(change));
    }
    for charge in &entitlement.charges {
        let kind = serde_json::to_value(charge.kind).unwrap();
        let _ = write!(text, ", {} -{}", kind.as_str().unwrap(), shown(charge.amount));
        if let (Some(line), Some(by)) = (&charge.line_id, &charge.extension) {
            let _ = write!(text, " of line {line} by {by}");
        }
    }
    for tax in &entitlement.taxes {
        let _ = write!(text, "; {} {} on {}", tax.code, shown(tax.tax), shown(tax.base));
    }
    if entitlement.whole {
        text.push_str("; whole");
    }
    text
}

/// A sale line by line, then what comes back; see `tests/cases/entitlement`.
fn entitled(input: &str) -> String {
    let mut world = World::new();
    let (mut out, mut days) = (Vec::new(), 0);
    for line in input.lines() {
        let line = line.replace(',', "");
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["line", ref rest @ ..] => world.line(rest),
            ["fee", ref rest @ ..] => world.fee(rest),
            ["terms", ref rest @ ..] => world.terms(rest),
            ["policy", ref rest @ ..] => world.policy(rest),
            ["captured", sum] => world.captured = Some(amount(sum)),
            ["day", day] => days = day.parse().unwrap(),
            ["back", ref rest @ ..] => {
                world.sum_up();
                world.sale.proof.check().unwrap();
                out.push(world.comes_back(RmaKind::Return, rest, days));
            }
            ["stopped", ref rest @ ..] => {
                world.sum_up();
                world.sale.proof.check().unwrap();
                out.push(world.comes_back(RmaKind::BeforeShipping, rest, days));
            }
            _ => panic!("`{line}` means nothing"),
        }
    }
    out.join("\n")
}

#[test]
fn entitlements() {
    table::run("tests/cases/entitlement", entitled);
}

/// `STATE WORD`.
fn stepped(input: &str) -> String {
    let (state, word) = input.split_once(' ').unwrap();
    let state: RmaState = serde_json::from_value(state.into()).unwrap();
    let word = match word {
        "approve" => Word::Approve,
        "refuse" => Word::Refuse,
        "withdraw" => Word::Withdraw,
        "receive" => Word::Receive,
        "grant" => Word::Grant,
        "settle" => Word::Settle,
        other => panic!("`{other}` is no word"),
    };
    match step(state, word) {
        Step::To(state) => serde_json::to_value(state).unwrap().as_str().unwrap().to_owned(),
        Step::Already => "already".to_owned(),
        Step::Wrong => "wrong".to_owned(),
    }
}

#[test]
fn steps() {
    table::run("tests/cases/steps", stepped);
}

fn a_rule() -> impl Strategy<Value = mortise_types::allocate::ResidualRule> {
    use mortise_types::allocate::ResidualRule::{
        FirstTakesRest, LargestRemainder, LastTakesRest, RoundThenFromLeft,
    };
    prop::sample::select(vec![RoundThenFromLeft, LargestRemainder, FirstTakesRest, LastTakesRest])
}

/// A line of some units at some price, with a share of an order's coupon, a promotion of its own, and tax in the price.
fn a_line(index: usize) -> impl Strategy<Value = ProofLine> {
    (1_i64..7, 1_i64..1_000, 0_i64..60, 0_i64..60, any::<bool>()).prop_map(
        move |(units, price, coupon_percent, own_percent, gift)| {
            let list = Amount(units * price);
            let off = |percent: i64, kind, source: &str| Adjustment {
                kind,
                source: source.to_owned(),
                version: "1".to_owned(),
                lane: None,
                amount: Amount(-(list.minor() * percent / 100)),
                reason: source.to_owned(),
            };
            let adjustments = if gift && index > 0 {
                vec![off(100, AdjustmentKind::Promotion, "gift")]
            } else {
                let rest = (100 - coupon_percent).min(own_percent);
                vec![
                    off(coupon_percent, AdjustmentKind::Coupon, "coupon"),
                    off(rest, AdjustmentKind::Promotion, "own"),
                ]
            };
            let payable = add_up(list, &adjustments);
            let tax = Amount(payable.minor() * 19 / 119);
            ProofLine {
                line_id: LineId::nth(index),
                sku: Sku::new(format!("sku-{index}")).unwrap(),
                quantity: Quantity(units),
                location: None,
                list_price: Price::new(Amount(price), Quantity::ONE).unwrap(),
                list,
                adjustments,
                taxes: vec![TaxPart {
                    code: "vat".to_owned(),
                    rate_bp: RateBp(1_900),
                    base: payable.checked_sub(tax).unwrap(),
                    tax,
                    treatment: TaxTreatment::Included,
                }],
                payable,
            }
        },
    )
}

fn a_policy() -> impl Strategy<Value = AfterSalePolicy> {
    use crate::policy::{BrokenPromotion, FeeRule, GiftKept};
    let broken = prop::sample::select(vec![BrokenPromotion::Keep, BrokenPromotion::Reprice]);
    let gift = prop::sample::select(vec![GiftKept::Keep, GiftKept::Deduct]);
    let fee = prop::sample::select(vec![FeeRule::WholeOrder, FeeRule::Proportional, FeeRule::Never]);
    let charges = (0_i64..2_000, 0_i64..500);
    (a_rule(), broken, gift, fee, charges).prop_map(
        |(residual, broken_promotion, gift_kept, delivery_fee, (restocking, shipping))| AfterSalePolicy {
            residual,
            broken_promotion,
            gift_kept,
            delivery_fee,
            restocking_fee_bp: RateBp(restocking),
            return_shipping: Amount(shipping),
            ..AfterSalePolicy::default()
        },
    )
}

prop_compose! {
    fn a_sale()(
        lines in (1_usize..5).prop_flat_map(|count| (0..count).map(a_line).collect::<Vec<_>>()),
        fee in 0_i64..1_000,
        least in (0_i64..4_000, 1_i64..12, any::<bool>()),
        policy in a_policy(),
    ) -> Sale {
        let fees = vec![ProofFee {
            fee_id: FeeId::new("delivery").unwrap(),
            kind: FeeKind::Delivery,
            parcel_id: None,
            list: Amount(fee),
            adjustments: Vec::new(),
            taxes: Vec::new(),
            payable: Amount(fee),
        }];
        let payables = lines.iter().map(|line| line.payable).chain([Amount(fee)]);
        let payable = Amount::sum(payables).unwrap();
        let tax = Amount::sum(lines.iter().flat_map(|line| &line.taxes).map(|part| part.tax)).unwrap();
        let proof = PriceProof { policy_version: "p:0".to_owned(), lines, fees, payable, tax };
        let terms = ["coupon", "own", "gift"].map(|source| PromotionTerms {
            source: source.to_owned(),
            version: "1".to_owned(),
            min_subtotal: Some(Amount(least.0)),
            min_quantity: Some(Quantity(least.1)),
            bundle: least.2,
        });
        Sale { proof, terms: terms.to_vec(), policy, policy_version: "after_sale:0".to_owned() }
    }
}

/// Units of the sale, each once, in some order, cut into returns; with the reason of each return.
fn parts_of(sale: &Sale) -> impl Strategy<Value = Vec<(Vec<LineId>, ReturnReason)>> + use<> {
    let units: Vec<LineId> = sale
        .proof
        .lines
        .iter()
        .flat_map(|line| {
            let count = usize::try_from(line.quantity.units()).unwrap();
            std::iter::repeat_n(line.line_id.clone(), count)
        })
        .collect();
    let most = units.len();
    (
        Just(units).prop_shuffle(),
        prop::collection::vec((1..=most, prop::sample::select(ReturnReason::ALL.to_vec())), 1..=most),
    )
        .prop_map(|(mut units, cuts)| {
            let mut parts = Vec::new();
            for (size, reason) in cuts {
                let part: Vec<LineId> = units.drain(..size.min(units.len())).collect();
                if !part.is_empty() {
                    parts.push((part, reason));
                }
            }
            if !units.is_empty() {
                parts.push((units, ReturnReason::Other));
            }
            parts
        })
}

fn lines_of(part: &[LineId], reason: ReturnReason) -> Vec<ReturnLine> {
    part.iter()
        .map(|line_id| ReturnLine { line_id: line_id.clone(), quantity: Quantity::ONE, reason })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_back_in_whatever_parts_comes_to_what_was_paid(
        (sale, parts) in a_sale().prop_flat_map(|sale| { let parts = parts_of(&sale); (Just(sale), parts) }),
    ) {
        sale.proof.check().unwrap();
        let mut account = Account { captured: sale.proof.payable, ..Account::default() };
        let (mut gross, mut taxes, mut paid_out) = (0, 0, 0);
        for (part, reason) in &parts {
            let lines = lines_of(part, *reason);
            let coming = Grant::of(&sale, &lines, &[], |_| None, NeverShipped::No).unwrap();
            let e = grant(&sale, &mut account, &coming).unwrap();
            let deductions: i64 = e.deductions.iter().map(|d| d.amount.minor()).sum();
            let charges: i64 = e.charges.iter().map(|c| c.amount.minor()).sum();
            prop_assert_eq!(e.gross.minor(), e.goods.minor() + e.fees.minor() - deductions + e.carried.minor());
            prop_assert_eq!(e.refund.minor(), e.gross.minor() - charges);
            prop_assert!(e.refund >= Amount::ZERO && e.gross >= Amount::ZERO, "{:?}", e);
            gross += e.gross.minor();
            paid_out += e.refund.minor();
            taxes += e.taxes.iter().map(|tax| tax.tax.minor()).sum::<i64>();
            prop_assert!(gross <= sale.proof.payable.minor(), "more than was paid after {:?}", part);
            prop_assert_eq!(account.granted.minor(), gross);
        }
        let kept_fee = if sale.policy.delivery_fee == crate::policy::FeeRule::Never { sale.proof.fees[0].payable } else { Amount::ZERO };
        prop_assert_eq!(gross, sale.proof.payable.minor() - kept_fee.minor());
        prop_assert!(paid_out <= gross);
        let free = gross == 0;
        prop_assert!(free || taxes == sale.proof.tax.minor(), "{} of {} tax", taxes, sale.proof.tax);
    }

    #[test]
    fn what_was_never_shipped_is_owed_whole(
        (sale, parts) in a_sale().prop_flat_map(|sale| { let parts = parts_of(&sale); (Just(sale), parts) }),
    ) {
        let mut account = Account { captured: sale.proof.payable, ..Account::default() };
        let mut refunds = 0;
        for (part, reason) in &parts {
            let lines = lines_of(part, *reason);
            let coming = Grant::of(&sale, &lines, &[], |_| None, NeverShipped::Yes).unwrap();
            refunds += grant(&sale, &mut account, &coming).unwrap().refund.minor();
        }
        prop_assert_eq!(refunds, sale.proof.payable.minor());
    }

    #[test]
    fn no_more_than_was_captured_is_ever_owed(
        (sale, parts) in a_sale().prop_flat_map(|sale| { let parts = parts_of(&sale); (Just(sale), parts) }),
        captured in 0_i64..2_000,
    ) {
        let captured = captured.min(sale.proof.payable.minor());
        let mut account = Account { captured: Amount(captured), ..Account::default() };
        let mut gross = 0;
        for (part, reason) in &parts {
            let lines = lines_of(part, *reason);
            let coming = Grant::of(&sale, &lines, &[], |_| None, NeverShipped::No).unwrap();
            gross += grant(&sale, &mut account, &coming).unwrap().gross.minor();
            prop_assert!(gross <= captured);
        }
        let kept_fee = if sale.policy.delivery_fee == crate::policy::FeeRule::Never { sale.proof.fees[0].payable.minor() } else { 0 };
        prop_assert_eq!(gross, captured.min(sale.proof.payable.minor() - kept_fee));
    }
}
