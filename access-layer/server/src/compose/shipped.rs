//! The shipped trades, embedded by `build.rs`: every folder of `orchestrations/trades` with its flow
//! and its companions.

/// Name and text: `folder/companion` first, then `folder`.
pub(super) const FLOWS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

#[cfg(test)]
mod tests {
    use mortise_flow::check_text;

    use super::FLOWS;

    #[test]
    fn every_shipped_trade_is_accepted() {
        let contracts = crate::compose::contracts(&crate::compose::Own::None).unwrap();
        assert!(!FLOWS.is_empty(), "a binary without a trade");
        for (name, text) in FLOWS {
            let (_, diagnostics) = check_text(text.as_bytes(), &contracts);
            assert!(diagnostics.is_empty(), "{name}: {diagnostics:#?}");
        }
    }
}
