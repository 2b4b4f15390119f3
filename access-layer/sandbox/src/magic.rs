//! References and amounts that misbehave by themselves, as the test cards of real providers do. README.md documents
//! the table; a test holds the two together.

use mortise_types::Amount;

use crate::fault::{Endpoint, Fault};

/// A documented misbehaviour: a reference that contains `token`, or exactly `amount`, has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Magic {
    pub(crate) token: &'static str,
    pub(crate) amount: i64,
    on: Endpoint,
    effect: Effect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Decline,
    Hang,
    ErrorBefore,
    ErrorAfter,
    Drop,
    Duplicate,
    Reorder,
    Short,
}

const fn magic(token: &'static str, amount: i64, on: Endpoint, effect: Effect) -> Magic {
    Magic { token, amount, on, effect }
}

/// What is kept back where too little is paid, in minor units.
const SHORT: Amount = Amount(100);

pub(crate) const MAGIC: [Magic; 15] = [
    magic("sbx-decline", 99_999_901, Endpoint::PaymentsCreate, Effect::Decline),
    magic("sbx-card-decline", 99_999_902, Endpoint::PaymentsPay, Effect::Decline),
    magic("sbx-refund-decline", 99_999_903, Endpoint::PaymentsRefund, Effect::Decline),
    magic("sbx-hang", 99_999_904, Endpoint::PaymentsCreate, Effect::Hang),
    magic("sbx-error-before", 99_999_905, Endpoint::PaymentsCreate, Effect::ErrorBefore),
    magic("sbx-error-after", 99_999_906, Endpoint::PaymentsCreate, Effect::ErrorAfter),
    magic("sbx-drop", 99_999_907, Endpoint::PaymentsCreate, Effect::Drop),
    magic("sbx-refund-hang", 99_999_908, Endpoint::PaymentsRefund, Effect::Hang),
    magic("sbx-duplicate", 99_999_909, Endpoint::Webhooks, Effect::Duplicate),
    magic("sbx-reorder", 99_999_910, Endpoint::Webhooks, Effect::Reorder),
    magic("sbx-carrier-refuse", 99_999_911, Endpoint::ShipmentsCreate, Effect::Decline),
    magic("sbx-carrier-hang", 99_999_912, Endpoint::ShipmentsCreate, Effect::Hang),
    magic("sbx-door-refuse", 99_999_913, Endpoint::ShipmentsDoor, Effect::Decline),
    magic("sbx-door-short", 99_999_914, Endpoint::ShipmentsDoor, Effect::Short),
    magic("sbx-remit-short", 99_999_915, Endpoint::RemittancesItem, Effect::Short),
];

impl Magic {
    /// What this reference or amount does at this endpoint.
    pub(crate) fn at(endpoint: Endpoint, reference: &str, amount: Option<Amount>) -> Option<&'static Magic> {
        MAGIC.iter().find(|magic| {
            magic.on == endpoint
                && (contains_word(reference, magic.token) || amount == Some(Amount(magic.amount)))
        })
    }

    /// Whether it happens to the first request of an idempotency key alone, so that the repetition gets through.
    pub(crate) fn is_once_a_key(&self) -> bool {
        matches!(self.effect, Effect::Hang | Effect::ErrorBefore | Effect::ErrorAfter | Effect::Drop)
    }

    pub(crate) fn fault(&self) -> Fault {
        match self.effect {
            Effect::Decline => Fault::Decline { code: "declined_by_magic".to_owned() },
            Effect::Hang => Fault::Hang {},
            Effect::ErrorBefore => Fault::ErrorBefore {},
            Effect::ErrorAfter => Fault::ErrorAfter {},
            Effect::Drop => Fault::DropAfter {},
            Effect::Duplicate => Fault::WebhookDuplicate { copies: 1 },
            Effect::Short => Fault::Short { by: SHORT },
            Effect::Reorder => Fault::WebhookReorder { hold_ms: 2_000 },
        }
    }
}

/// Whether `word` stands in `text` and does not go on: `sbx-decline` is not in `sbx-declined`.
fn contains_word(text: &str, word: &str) -> bool {
    let ends =
        |rest: &str| rest.chars().next().is_none_or(|next| !next.is_ascii_alphanumeric() && next != '-');
    text.match_indices(word).any(|(at, _)| text.get(at + word.len()..).is_some_and(ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_documents_every_token_and_amount() {
        let page = include_str!("../README.md");
        for magic in MAGIC {
            assert!(page.contains(&format!("`{}`", magic.token)), "{}", magic.token);
            assert!(page.contains(&format!("`{}`", magic.amount)), "{}", magic.amount);
        }
    }

    #[test]
    fn a_token_is_a_word_of_the_reference() {
        let found = |reference| Magic::at(Endpoint::PaymentsCreate, reference, None).map(|magic| magic.token);
        assert_eq!(found("order-7.sbx-decline"), Some("sbx-decline"));
        assert_eq!(found("order-7.sbx-decline.2"), Some("sbx-decline"));
        assert_eq!(found("order-7.sbx-declined"), None);
        assert_eq!(found("order-7"), None);
        assert!(Magic::at(Endpoint::PaymentsPay, "x", Some(Amount(99_999_902))).is_some());
    }
}
