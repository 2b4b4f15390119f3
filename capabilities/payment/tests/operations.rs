//! The operations on a real database. The provider at the other end is a small one of our own making, with a book and
//! faults; the adapter's tests run the same operations against the sandbox over HTTP.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, FutureExt};
use mortise_capability::{Policies, PolicyRow, Unanswered};
use mortise_payment::{
    CaptureAnswer, PaymentProvider, ProviderCapture, ProviderRefundRequest, ProviderRequest, RefundAnswer,
    RequestAnswer, VoidAnswer,
};
use mortise_testkit::{Rig, SeededIds};
use mortise_types::{Amount, Scope};

/// A provider in this process: payments by key, refunds by key, and the keys that it was asked with.
#[derive(Debug, Default)]
struct Provider(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    payments: BTreeMap<String, (i64, &'static str)>,
    refunds: BTreeMap<String, i64>,
    refused_keys: Vec<String>,
    /// Refuses so many further refunds.
    refuse_refunds: usize,
    calls: Vec<String>,
}

impl Book {
    fn refunded(&self) -> i64 {
        self.refunds.values().sum()
    }
}

impl Provider {
    fn pay(&self, payment_id: &str) {
        self.0.lock().unwrap().payments.get_mut(payment_id).unwrap().1 = "captured";
    }

    fn with<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }
}

fn now<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, Result<T, Unanswered>> {
    async move { Ok(value) }.boxed()
}

impl PaymentProvider for Provider {
    fn request<'a>(
        &'a self,
        _: &'a Scope,
        request: &'a ProviderRequest,
    ) -> BoxFuture<'a, Result<RequestAnswer, Unanswered>> {
        let id = request.payment_id.to_string();
        let mut book = self.0.lock().unwrap();
        book.calls.push(format!("request {id}"));
        if request.order_id.as_str().starts_with("unwanted") {
            return now(RequestAnswer::Refused {
                code: "unwanted".to_owned(),
            });
        }
        book.payments
            .entry(id.clone())
            .or_insert((request.amount.minor(), "open"));
        now(RequestAnswer::Accepted {
            pay_url: format!("http://pay/{id}"),
            provider_ref: id,
        })
    }

    fn capture<'a>(
        &'a self,
        _: &'a Scope,
        capture: &'a ProviderCapture,
    ) -> BoxFuture<'a, Result<CaptureAnswer, Unanswered>> {
        let mut book = self.0.lock().unwrap();
        book.calls.push(format!("capture {}", capture.key));
        book.payments
            .insert(capture.provider_ref.clone(), (capture.amount.minor(), "captured"));
        now(CaptureAnswer::Captured {
            amount: capture.amount,
        })
    }

    fn void<'a>(
        &'a self,
        _: &'a Scope,
        provider_ref: &'a str,
    ) -> BoxFuture<'a, Result<VoidAnswer, Unanswered>> {
        let mut book = self.0.lock().unwrap();
        book.calls.push(format!("void {provider_ref}"));
        let refunded = book.refunded();
        let payment = book.payments.get_mut(provider_ref).unwrap();
        now(match payment {
            (amount, "captured") => {
                let (captured, refundable) = (Amount(*amount), Amount(*amount - refunded));
                VoidAnswer::Captured { captured, refundable }
            }
            (_, status) => {
                *status = "voided";
                VoidAnswer::Voided
            }
        })
    }

    fn refund<'a>(
        &'a self,
        _: &'a Scope,
        refund: &'a ProviderRefundRequest,
    ) -> BoxFuture<'a, Result<RefundAnswer, Unanswered>> {
        let mut book = self.0.lock().unwrap();
        book.calls
            .push(format!("refund {} {}", refund.key, refund.amount));
        if book.refuse_refunds > 0 && !book.refused_keys.contains(&refund.key) {
            book.refuse_refunds -= 1;
            book.refused_keys.push(refund.key.clone());
        }
        if book.refused_keys.contains(&refund.key) {
            return now(RefundAnswer::Refused { code: "bank_says_no".to_owned() });
        }
        book.refunds.insert(refund.key.clone(), refund.amount.minor());
        now(RefundAnswer::Refunded {
            provider_refund_ref: format!("p-{}", refund.key),
        })
    }
}

async fn shop() -> (Rig, Arc<Provider>, Arc<Policies>) {
    let (provider, policies) = (Arc::new(Provider::default()), Arc::new(Policies::default()));
    let ids = Arc::new(SeededIds::default());
    let capability =
        mortise_payment::capability(ids, Arc::clone(&policies), Arc::clone(&provider) as _).unwrap();
    (Rig::new([capability]).await, provider, policies)
}

/// The value of a field in an answer, as its text.
fn field(answer: &str, name: &str) -> String {
    let json = answer
        .lines()
        .next()
        .unwrap()
        .strip_prefix("ok ")
        .unwrap_or_else(|| panic!("{answer}"));
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    let found = &value[name];
    found.as_str().map_or_else(|| found.to_string(), str::to_owned)
}

async fn request(rig: &Rig, order: &str) -> String {
    let input = format!(r#"{{"order_id":"{order}","amount":1000,"currency":"EUR"}}"#);
    field(&rig.call("payment.request", &input).await, "payment_id")
}

async fn event(rig: &Rig, event_id: &str, kind: &str, payment: &str, more: &str) -> String {
    let input = format!(
        r#"{{"event_id":"{event_id}","kind":"{kind}","payment_id":"{payment}","provider_ref":"{payment}"{more}}}"#
    );
    rig.call("payment.record_provider_event", &input).await
}

async fn figures(rig: &Rig, payment: &str) -> String {
    let answer = rig
        .call("payment.get", &format!(r#"{{"payment_id":"{payment}"}}"#))
        .await;
    let view: serde_json::Value = serde_json::from_str(answer.strip_prefix("ok ").unwrap()).unwrap();
    let p = &view["payment"];
    format!(
        "{} {}-{}-{}",
        p["status"].as_str().unwrap(),
        p["captured"],
        p["refunded"],
        p["pending_refund"]
    )
}

async fn clean(rig: &Rig) {
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_invoice_is_booked_and_taken_back_once() {
    let (rig, _, _) = shop().await;
    let made = rig
        .call(
            "payment.on_invoice",
            r#"{"order_id":"o-1","amount":1299,"currency":"EUR"}"#,
        )
        .await;
    let of = format!(r#"{{"payment_id":"{}"}}"#, field(&made, "payment_id"));
    let balances = r#"{"balances":[{"account":"customer_receivable","currency":"EUR","amount":1299},{"account":"order_funds","currency":"EUR","amount":-1299}]}"#;
    assert_eq!(rig.call("payment.balances", "{}").await, format!("ok {balances}"));
    assert_eq!(
        rig.batch("payment.cancel_invoice", &[&of, &of]).await,
        [r#"ok {"applied":"now"}"#, r#"ok {"applied":"already"}"#]
    );
    assert_eq!(
        rig.call("payment.cancel_invoice", &of).await,
        r#"ok {"applied":"already"}"#
    );
    assert!(
        rig.call("payment.balances", "{}")
            .await
            .matches(r#""amount":0"#)
            .count()
            == 2
    );
    clean(&rig).await;
}

#[tokio::test]
async fn a_webhook_is_taken_once_and_brings_the_money() {
    let (rig, provider, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    provider.pay(&payment);
    let first = event(&rig, "e1", "captured", &payment, r#","amount":1000"#).await;
    assert!(
        first.starts_with("ok {\"applied\":\"now\"}\nevent payment.captured {\"payment_id\":"),
        "{first}"
    );
    let copies = [
        event(&rig, "e1", "captured", &payment, r#","amount":1000"#).await,
        event(&rig, "e2", "captured", &payment, r#","amount":1000"#).await,
    ];
    assert_eq!(
        copies,
        [r#"ok {"applied":"already"}"#, r#"ok {"applied":"already"}"#],
        "neither the event nor the fact twice"
    );
    assert_eq!(figures(&rig, &payment).await, "captured 1000-0-0");
    let unknown = event(&rig, "e3", "captured", "pay-nobody", "").await;
    assert_eq!(unknown, r#"rejected unknown_payment {"payment_id":"pay-nobody"}"#);
    clean(&rig).await;
}

#[tokio::test]
async fn copies_of_an_event_in_one_batch_are_taken_once() {
    let (rig, _, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    let copy = format!(
        r#"{{"event_id":"e1","kind":"captured","payment_id":"{payment}","provider_ref":"{payment}","amount":1000}}"#
    );
    let replies = rig.batch("payment.record_provider_event", &[&copy, &copy]).await;
    assert_eq!(
        replies
            .iter()
            .filter(|reply| reply.contains("payment.captured"))
            .count(),
        1
    );
    clean(&rig).await;
}

#[tokio::test]
async fn refunds_of_one_batch_together_stay_below_what_was_captured() {
    let (rig, provider, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    provider.pay(&payment);
    event(&rig, "e1", "captured", &payment, r#","amount":1000"#).await;
    let refund = format!(r#"{{"payment_id":"{payment}","amount":400}}"#);
    let replies = rig.batch("payment.refund", &[&refund, &refund, &refund]).await;
    assert_eq!(
        replies[2],
        r#"rejected refund_exceeds_captured {"asked":400,"refundable":200}"#
    );
    assert_eq!(provider.with(|book| book.refunded()), 800);
    assert_eq!(figures(&rig, &payment).await, "captured 1000-800-0");
    for amount in [0, -5, 201] {
        let refund = format!(r#"{{"payment_id":"{payment}","amount":{amount}}}"#);
        assert!(
            rig.call("payment.refund", &refund)
                .await
                .starts_with("rejected refund_exceeds_captured"),
            "{amount}"
        );
    }
    clean(&rig).await;
}

#[tokio::test]
async fn a_refused_refund_frees_what_was_set_aside() {
    let (rig, provider, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    event(&rig, "e1", "captured", &payment, r#","amount":1000"#).await;
    provider.with(|book| book.refuse_refunds = 1);
    let refund = format!(r#"{{"payment_id":"{payment}","amount":1000}}"#);
    assert_eq!(
        rig.call("payment.refund", &refund).await,
        r#"rejected refund_refused {"code":"bank_says_no"}"#
    );
    assert_eq!(figures(&rig, &payment).await, "captured 1000-0-0");
    assert!(
        rig.call("payment.refund", &refund)
            .await
            .contains("event payment.refunded")
    );
    clean(&rig).await;
}

#[tokio::test]
async fn a_request_that_nobody_paid_is_voided_and_one_that_was_paid_is_refunded_once() {
    let (rig, provider, _) = shop().await;
    let (open, paid) = (request(&rig, "o-1").await, request(&rig, "o-2").await);
    provider.pay(&paid);
    let void = async |payment: &str| {
        rig.call("payment.void", &format!(r#"{{"payment_id":"{payment}"}}"#))
            .await
    };
    assert_eq!(void(&open).await, r#"ok {"by":"void","amount":0}"#);
    assert!(
        void(&paid)
            .await
            .starts_with("ok {\"by\":\"refund\",\"amount\":1000}\nevent payment.refunded")
    );
    // The webhook of the capture comes late, and with it the call of its `late`.
    assert_eq!(
        event(&rig, "e1", "captured", &paid, r#","amount":1000"#).await,
        r#"ok {"applied":"already"}"#
    );
    let back = format!(r#"{{"payment_id":"{paid}","amount":1000}}"#);
    assert_eq!(
        rig.call("payment.give_back", &back).await,
        r#"ok {"by":"nothing","amount":0}"#
    );
    assert_eq!(void(&paid).await, r#"ok {"by":"nothing","amount":0}"#);
    assert_eq!(void("pay-nobody").await, r#"ok {"by":"nothing","amount":0}"#);
    assert_eq!(provider.with(|book| book.refunded()), 1_000, "once");
    assert_eq!(figures(&rig, &open).await, "voided 0-0-0");
    clean(&rig).await;
}

#[tokio::test]
async fn money_that_comes_after_the_trade_gave_up_is_given_back() {
    let (rig, provider, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    event(&rig, "e1", "expired", &payment, "").await;
    assert!(
        event(&rig, "e2", "captured", &payment, r#","amount":1000"#)
            .await
            .contains("event payment.captured")
    );
    let back = format!(r#"{{"payment_id":"{payment}","amount":1000}}"#);
    let replies = [
        rig.call("payment.give_back", &back).await,
        rig.call("payment.give_back", &back).await,
    ];
    assert!(
        replies[0].starts_with(r#"ok {"by":"refund","amount":1000}"#),
        "{}",
        replies[0]
    );
    assert_eq!(replies[1], r#"ok {"by":"nothing","amount":0}"#);
    assert_eq!(provider.with(|book| book.refunded()), 1_000);
    clean(&rig).await;
}

#[tokio::test]
async fn the_webhook_of_a_refund_may_come_before_its_answer_or_before_the_capture() {
    let (rig, _, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    let by_hand = r#","amount":1000,"refund":{"provider_refund_ref":"p9","amount":300}"#;
    let reply = event(&rig, "e1", "refunded", &payment, by_hand).await;
    assert!(
        reply.contains("event payment.captured") && reply.contains("event payment.refunded"),
        "{reply}"
    );
    assert_eq!(figures(&rig, &payment).await, "captured 1000-300-0");
    assert_eq!(
        event(&rig, "e2", "captured", &payment, r#","amount":1000"#).await,
        r#"ok {"applied":"already"}"#
    );
    let refund = format!(r#"{{"payment_id":"{payment}","amount":700}}"#);
    let refunded = rig.call("payment.refund", &refund).await;
    let ours = format!(
        r#","amount":1000,"refund":{{"provider_refund_ref":"p10","refund_id":"{}","amount":700}}"#,
        field(&refunded, "refund_id")
    );
    assert_eq!(
        event(&rig, "e3", "refunded", &payment, &ours).await,
        r#"ok {"applied":"already"}"#
    );
    assert_eq!(figures(&rig, &payment).await, "captured 1000-1000-0");
    clean(&rig).await;
}

#[tokio::test]
async fn an_authorised_payment_is_captured_once_with_one_key() {
    let (rig, provider, policies) = shop().await;
    policies.replace([PolicyRow {
        tenant: "acme".to_owned(),
        line: String::new(),
        channel: String::new(),
        name: "payment".to_owned(),
        document: r#"{"capture":"manual"}"#.to_owned(),
    }]);
    let payment = request(&rig, "o-1").await;
    let capture = format!(r#"{{"payment_id":"{payment}","amount":600}}"#);
    assert!(
        rig.call("payment.capture", &capture)
            .await
            .starts_with("rejected not_capturable")
    );
    assert!(
        event(&rig, "e1", "authorised", &payment, "")
            .await
            .contains("event payment.authorised")
    );
    let replies = rig.batch("payment.capture", &[&capture, &capture]).await;
    assert_eq!(
        replies[0],
        format!(r#"ok {{"payment_id":"{payment}","amount":600}}"#)
    );
    assert!(
        replies[1].starts_with("rejected not_capturable"),
        "{}",
        replies[1]
    );
    let captures = provider.with(|book| {
        book.calls
            .iter()
            .filter(|call| call.starts_with("capture"))
            .count()
    });
    assert_eq!(captures, 1);
    let told = event(&rig, "e2", "captured", &payment, r#","amount":600"#).await;
    assert_eq!(
        told, r#"ok {"applied":"already"}"#,
        "whoever captured it owns it: no event acquires it again"
    );
    clean(&rig).await;
}

#[tokio::test]
async fn a_refused_request_is_a_rejection_and_nothing_to_pay_is_never_sent() {
    let (rig, provider, _) = shop().await;
    let unwanted = r#"{"order_id":"unwanted-1","amount":1000,"currency":"EUR"}"#;
    assert_eq!(
        rig.call("payment.request", unwanted).await,
        r#"rejected payment_refused {"code":"unwanted"}"#
    );
    let nothing = r#"{"order_id":"o-1","amount":0,"currency":"EUR"}"#;
    assert_eq!(
        rig.call("payment.request", nothing).await,
        r#"rejected payment_refused {"code":"nothing_to_pay"}"#
    );
    assert_eq!(provider.with(|book| book.calls.len()), 1);
    clean(&rig).await;
}

#[tokio::test]
async fn cash_on_delivery_is_due_then_collected_then_remitted() {
    let (rig, _, _) = shop().await;
    let made = rig
        .call(
            "payment.on_delivery",
            r#"{"order_id":"o-1","amount":1299,"currency":"EUR"}"#,
        )
        .await;
    let payment = field(&made, "payment_id");
    assert_eq!(
        figures(&rig, &payment).await,
        "due_on_delivery 1299-0-0",
        "never paid before it is"
    );
    let receive = async |stage: &str| {
        let input = format!(r#"{{"payment_id":"{payment}","stage":"{stage}"}}"#);
        rig.call("payment.record_receipt", &input).await
    };
    assert_eq!(
        receive("remitted").await,
        r#"rejected receipt_refused {"status":"due_on_delivery"}"#
    );
    assert_eq!(receive("collected").await, r#"ok {"applied":"now"}"#);
    assert_eq!(receive("collected").await, r#"ok {"applied":"already"}"#);
    assert_eq!(receive("remitted").await, r#"ok {"applied":"now"}"#);
    assert!(
        rig.call("payment.balances", "{}")
            .await
            .contains(r#"{"account":"bank","currency":"EUR","amount":1299"#)
    );
    clean(&rig).await;
}

#[tokio::test]
async fn tenants_never_meet_in_any_operation() {
    let (mut rig, provider, _) = shop().await;
    let ours = request(&rig, "o-1").await;
    event(&rig, "e1", "captured", &ours, r#","amount":1000"#).await;
    let invoice = field(
        &rig.call(
            "payment.on_invoice",
            r#"{"order_id":"o-1","amount":5,"currency":"EUR"}"#,
        )
        .await,
        "payment_id",
    );
    rig.scope = Scope::new("other", "grocery", "web").unwrap();
    let before = provider.with(|book| book.calls.len());
    for (operation, input, answer) in [
        (
            "payment.get",
            format!(r#"{{"payment_id":"{ours}"}}"#),
            "rejected unknown_payment",
        ),
        (
            "payment.capture",
            format!(r#"{{"payment_id":"{ours}"}}"#),
            "rejected unknown_payment",
        ),
        (
            "payment.refund",
            format!(r#"{{"payment_id":"{ours}","amount":1}}"#),
            "rejected unknown_payment",
        ),
        (
            "payment.void",
            format!(r#"{{"payment_id":"{ours}"}}"#),
            r#"ok {"by":"nothing","amount":0}"#,
        ),
        (
            "payment.give_back",
            format!(r#"{{"payment_id":"{ours}","amount":9}}"#),
            r#"ok {"by":"nothing","amount":0}"#,
        ),
        (
            "payment.cancel_invoice",
            format!(r#"{{"payment_id":"{invoice}"}}"#),
            r#"ok {"applied":"already"}"#,
        ),
        (
            "payment.record_receipt",
            format!(r#"{{"payment_id":"{invoice}","stage":"invoice_paid"}}"#),
            "rejected unknown_payment",
        ),
        (
            "payment.record_provider_event",
            format!(r#"{{"event_id":"e1","kind":"captured","payment_id":"{ours}","provider_ref":"x"}}"#),
            "rejected unknown_payment",
        ),
        ("payment.list", "{}".to_owned(), r#"ok {"payments":[]}"#),
        ("payment.balances", "{}".to_owned(), r#"ok {"balances":[]}"#),
    ] {
        let reply = rig.call(operation, &input).await;
        assert!(reply.starts_with(answer), "{operation}: {reply}");
    }
    assert_eq!(
        provider.with(|book| book.calls.len()),
        before,
        "no other tenant's payment reaches the provider"
    );
    let walked = [
        "get",
        "capture",
        "refund",
        "void",
        "give_back",
        "cancel_invoice",
        "record_receipt",
        "record_provider_event",
        "list",
        "balances",
        "on_invoice",
        "on_delivery",
        "request",
    ];
    let declared: Vec<&str> = rig
        .registry
        .contracts()
        .operations
        .keys()
        .map(|name| name.strip_prefix("payment.").unwrap())
        .collect();
    assert!(
        declared.iter().all(|name| walked.contains(name)),
        "a new operation is walked here: {declared:?}"
    );
    // The three that make payments make them in their own tenant: the same event id is new here.
    for operation in ["payment.on_invoice", "payment.on_delivery", "payment.request"] {
        rig.call(operation, r#"{"order_id":"o-1","amount":7,"currency":"EUR"}"#)
            .await;
    }
    let theirs = request(&rig, "o-1").await;
    assert!(
        event(&rig, "e1", "captured", &theirs, r#","amount":1000"#)
            .await
            .contains("payment.captured")
    );
    assert_eq!(
        rig.call("payment.list", "{}")
            .await
            .matches("\"payment_id\"")
            .count(),
        4
    );
    rig.scope = Scope::new("acme", "grocery", "web").unwrap();
    assert_eq!(
        rig.call("payment.list", "{}")
            .await
            .matches("\"payment_id\"")
            .count(),
        2
    );
    assert_eq!(figures(&rig, &ours).await, "captured 1000-0-0");
    clean(&rig).await;
}

#[tokio::test]
async fn verify_names_what_is_off() {
    use mortise_store::Statement;
    let (rig, _, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    event(&rig, "e1", "captured", &payment, r#","amount":1000"#).await;
    rig.call(
        "payment.refund",
        &format!(r#"{{"payment_id":"{payment}","amount":300}}"#),
    )
    .await;
    clean(&rig).await;
    let broken = [
        (
            Statement::sqlite(
                "break",
                "UPDATE payment_transfer SET amount = amount + ?1 WHERE kind = 'captured'",
            ),
            Statement::sqlite(
                "mend",
                "UPDATE payment_transfer SET amount = amount - ?1 WHERE kind = 'captured'",
            ),
            "captured is 1000, its ledger credits the order with 1001",
        ),
        (
            Statement::sqlite("break", "UPDATE payment_payment SET refunded = refunded + ?1"),
            Statement::sqlite("mend", "UPDATE payment_payment SET refunded = refunded - ?1"),
            "refunded is 301, its ledger debits the order with 300",
        ),
        (
            Statement::sqlite(
                "break",
                "UPDATE payment_payment SET pending_refund = pending_refund + ?1",
            ),
            Statement::sqlite(
                "mend",
                "UPDATE payment_payment SET pending_refund = pending_refund - ?1",
            ),
            "1 is set aside for refunds, those on their way are 0",
        ),
        (
            Statement::sqlite(
                "break",
                "UPDATE payment_transfer SET number = number + ?1 WHERE number = 2",
            ),
            Statement::sqlite(
                "mend",
                "UPDATE payment_transfer SET number = number - ?1 WHERE number = 3",
            ),
            "the last is number 3",
        ),
        (
            Statement::sqlite(
                "break",
                "UPDATE payment_payment SET payment_id = payment_id || ?1",
            ),
            Statement::sqlite(
                "mend",
                "UPDATE payment_payment SET payment_id = substr(payment_id, 1, length(payment_id) - ?1)",
            ),
            "transfer 1 has no payment",
        ),
    ];
    for (breaking, mending, problem) in broken {
        rig.store
            .write(async move |tx| tx.execute(&breaking, [(1_i64,)]).await)
            .await
            .unwrap();
        let findings = rig.findings().await;
        assert!(
            findings.iter().any(|line| line.contains(problem)),
            "{problem}: {findings:?}"
        );
        rig.store
            .write(async move |tx| tx.execute(&mending, [(1_i64,)]).await)
            .await
            .unwrap();
        clean(&rig).await;
    }
}

#[tokio::test]
async fn a_taking_back_that_the_bank_refuses_is_tried_with_a_further_key_at_each_attempt() {
    use mortise_capability::{Handler, Intended, SendContext};
    let (rig, provider, _) = shop().await;
    let payment = request(&rig, "o-1").await;
    event(&rig, "e1", "captured", &payment, r#","amount":1000"#).await;
    provider.with(|book| book.refuse_refunds = 2);
    let Some(Handler::Remote(void)) = rig.registry.handler("payment.void").cloned() else {
        panic!("void is remote")
    };
    let input = mortise_contract::json(&format!(r#"{{"payment_id":"{payment}"}}"#)).unwrap();
    let calls = vec![rig.call_of(input)];
    let (remote, scope) = (Arc::clone(&void), rig.scope.clone());
    let mut intended = rig
        .store
        .write(async move |tx| remote.intent(tx, &calls).await)
        .await
        .unwrap();
    let Intended::Send { intent, .. } = intended.remove(0) else {
        panic!("it has to be sent")
    };
    let mut answers = Vec::new();
    for attempt in 1..=4 {
        let context = SendContext {
            scope: scope.clone(),
            idempotency_key: "k".into(),
            attempt,
            now: rig.now,
        };
        answers.push(void.send(context, &intent).await.is_ok());
    }
    assert_eq!(
        answers,
        [false, false, true, true],
        "the third key is taken, and is found again"
    );
    assert_eq!(
        provider.with(|book| (book.refunded(), book.refunds.len())),
        (1_000, 1),
        "once"
    );
}
