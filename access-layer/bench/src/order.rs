//! The orders that are sent, each by its number: the same number is the same order, in every run. Bytes only; nothing is sent here.

use std::io::Write as _;

use crate::shop::{self, LINE, TENANT};

/// Customers; who orders is drawn from them.
const CUSTOMERS: u64 = 1_000_000;

/// Which SKUs are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Two different ones, drawn evenly from so many.
    Uniform(u32),
    /// Both lines ask for this one.
    One(u32),
    /// One unit of this one, in one line.
    Single(u32),
    /// So many lines of different ones, side by side from one that is drawn evenly from so many.
    Many {
        /// How many items there are.
        skus: u32,
        /// Of an order.
        lines: u32,
    },
}

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PayBy {
    /// In the order's own commit.
    Invoice,
    /// At the payment provider, which is asked for it.
    Provider,
}

/// Units of an order: two lines of one.
pub(crate) const UNITS: u64 = 2;

/// Writes the request of order `number`, paid on invoice, into `out`: a new order id, idempotency key and customer each.
///
/// Order ids rise, as a shop's do. Customers come in no order, and neither do idempotency keys, since callers draw them at random.
pub(crate) fn request(number: u64, choice: Choice, out: &mut Vec<u8>) {
    request_paid(number, choice, PayBy::Invoice, out);
}

/// The same, paid in either way.
pub(crate) fn request_paid(number: u64, choice: Choice, pay_by: PayBy, out: &mut Vec<u8>) {
    let pay_by = match pay_by {
        PayBy::Invoice => "invoice",
        PayBy::Provider => "provider",
    };
    let mut body = Vec::with_capacity(512);
    // Writing into a vector cannot fail.
    let _ =
        write!(body, "{{\"order_id\":\"{}\",\"currency\":\"{}\",\"lines\":[", id(number), shop::CURRENCY,);
    let mut between = "";
    for item in items(number, choice) {
        let _ = write!(body, "{between}{{\"sku\":\"{}\",\"quantity\":1}}", shop::sku(item));
        between = ",";
    }
    let _ = write!(
        body,
        "],\"ship_to\":{{\"name\":\"Ada Lovelace\",\"street\":[\"Rosenweg 12\"],\"city\":\"Kassel\",\"postal_code\":\"34117\",\
         \"country\":\"DE\"}},\"pay_by\":\"{pay_by}\"}}",
    );
    out.clear();
    let (high, low) = (mixed(number ^ (1 << 63)), mixed(number ^ (1 << 62)));
    let _ = write!(
        out,
        "POST /v1/{TENANT}/{LINE}/trades/fixed-price HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
         idempotency-key: {high:016x}{low:016x}\r\nmortise-customer: {}\r\ncontent-length: {}\r\n\r\n",
        customer(number),
        body.len(),
    );
    out.extend_from_slice(&body);
}

/// Who orders `number`.
pub(crate) fn customer(number: u64) -> String {
    format!("c{}", mixed(number) % CUSTOMERS)
}

/// The id of order `number`.
pub(crate) fn id(number: u64) -> String {
    format!("o{number:010}")
}

/// The items that order `number` asks for, one for each of its lines.
pub(crate) fn items(number: u64, choice: Choice) -> Vec<u32> {
    let draw = |salt: u64, below: u32| {
        u32::try_from(mixed(number.wrapping_mul(2) ^ salt) % u64::from(below)).unwrap_or(0)
    };
    match choice {
        Choice::One(sku) => vec![sku, sku],
        Choice::Single(sku) => vec![sku],
        Choice::Uniform(count) => {
            let (first, second) = (draw(1 << 60, count), draw(1 << 61, count - 1));
            vec![first, if second >= first { second + 1 } else { second }]
        }
        Choice::Many { skus, lines } => {
            let first = draw(1 << 60, skus);
            (0..lines).map(|line| (first + line) % skus).collect()
        }
    }
}

/// A number that looks random: SplitMix64's finisher.
pub(crate) fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_order_has_two_different_items_and_they_are_drawn_evenly() {
        let mut drawn = [0_u32; 10];
        for number in 0..10_000 {
            let items = items(number, Choice::Uniform(10));
            assert!(items.len() == 2 && items[0] != items[1]);
            items.into_iter().for_each(|item| drawn[item as usize] += 1);
        }
        assert!(drawn.iter().all(|count| (1_800..2_200).contains(count)), "{drawn:?}");
    }

    #[test]
    fn every_order_is_another_and_the_body_is_as_long_as_its_head_says() {
        let mut seen = HashSet::new();
        for number in 0..1_000 {
            let mut request = Vec::new();
            super::request(number, Choice::One(7), &mut request);
            let text = String::from_utf8(request).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let header =
                |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
            assert_eq!(header("content-length: "), body.len().to_string());
            assert!(seen.insert(header("idempotency-key: ")));
            let order: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(order["order_id"], super::id(number));
        }
    }
}
