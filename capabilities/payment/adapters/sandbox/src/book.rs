//! The sandbox's own book beside ours, for `mortise verify`: what one has and the other has not. A pure comparison;
//! whoever calls it fetches `GET /_control/book`.

use std::collections::BTreeMap;

use mortise_payment::contract::PaymentView;
use mortise_types::Amount;
use serde::Deserialize;

/// A payment of ours, as `payment.list` answers it.
pub type OurPayment = PaymentView;

/// A place in which the two books differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discrepancy {
    /// Whose payment.
    pub payment: String,
    /// What differs, with the figures.
    pub problem: String,
}

#[derive(Deserialize)]
struct Book {
    payments: Vec<Theirs>,
}

#[derive(Deserialize)]
struct Theirs {
    id: String,
    reference: String,
    status: String,
    captured_amount: Amount,
    refunded_amount: Amount,
}

/// Compares our payments through the provider with the sandbox's book, as JSON. Both are taken when nothing is on its way.
///
/// # Errors
/// A book that cannot be read.
pub fn compare(ours: &[OurPayment], book: &str) -> Result<Vec<Discrepancy>, serde_json::Error> {
    let Book { payments } = serde_json::from_str(book)?;
    let mut theirs: BTreeMap<&str, Vec<&Theirs>> = BTreeMap::new();
    for payment in &payments {
        let name = payment.reference.rsplit_once(':').map_or(payment.reference.as_str(), |(_, ours)| ours);
        theirs.entry(name).or_default().push(payment);
    }
    let mut found = Vec::new();
    for our in ours.iter().filter(|our| our.method.starts_with("provider")) {
        let at_provider = theirs.remove(our.payment_id.as_str()).unwrap_or_default();
        let mut off =
            |problem: String| found.push(Discrepancy { payment: our.payment_id.to_string(), problem });
        match at_provider.as_slice() {
            [] if our.provider_ref.is_some() => off("the provider does not have it".to_owned()),
            [] => {}
            [one] => differences(our, one).into_iter().for_each(off),
            several => off(format!("the provider has it {} times", several.len())),
        }
    }
    for (name, payments) in theirs {
        for payment in payments.iter().filter(|payment| !payment.captured_amount.is_zero()) {
            let held = payment.captured_amount.minor().saturating_sub(payment.refunded_amount.minor());
            let problem = format!(
                "the provider captured it as {} and holds {held} of it, we do not know it",
                payment.id
            );
            found.push(Discrepancy { payment: name.to_owned(), problem });
        }
    }
    Ok(found)
}

fn differences(ours: &OurPayment, theirs: &Theirs) -> Vec<String> {
    let mut problems = Vec::new();
    if ours.captured != theirs.captured_amount {
        problems.push(format!("we have {} captured, the provider {}", ours.captured, theirs.captured_amount));
    }
    if ours.refunded != theirs.refunded_amount {
        problems.push(format!("we have {} refunded, the provider {}", ours.refunded, theirs.refunded_amount));
    }
    let is_open =
        |status: &str| matches!(status, "requested" | "pending" | "authorised" | "requires_payment");
    if !is_open(&ours.status) && is_open(&theirs.status) {
        problems.push(format!("we have it {}, the customer can still pay it", ours.status));
    }
    problems
}
