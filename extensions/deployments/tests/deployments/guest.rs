//! Extensions written by hand: each answers `unit-price` with one offer for the first line, or with a trap.

use mortise_host::Package;

/// What a guest does when it is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    /// Offers this for line 1.
    Offer(i64),
    /// Runs into a trap.
    Trap,
}

/// An extension of this name and version.
pub(crate) fn package(name: &str, version: &str, does: Does) -> Package {
    let body = match does {
        Does::Offer(amount) => format!("(call $offer (i32.const 1024) (i64.const {amount}))"),
        Does::Trap => "unreachable".to_owned(),
    };
    let manifest = format!(
        "[extension]\nname = {name:?}\nversion = {version:?}\nsummary = \"one offer\"\n[points]\nunit-price = \"1.0\"\n"
    );
    let component = wat::parse_str(COMPONENT.replace("BODY", &body)).unwrap();
    Package { manifest, config_schema: None, component }
}

const COMPONENT: &str = r#"
(component
  (core module $guest
    (memory (export "memory") 2)
    (data (i32.const 16) "1")
    (data (i32.const 32) "why")
    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $free))
      (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 7)) (i32.const -8)))
      (local.get $at))
    (func $offer (param $at i32) (param $amount i64)
      (i32.store (local.get $at) (i32.const 16))
      (i32.store offset=4 (local.get $at) (i32.const 1))
      (i64.store offset=8 (local.get $at) (local.get $amount))
      (i64.store offset=16 (local.get $at) (i64.const 1))
      (i32.store offset=24 (local.get $at) (i32.const 32))
      (i32.store offset=28 (local.get $at) (i32.const 3)))
    (func (export "offer-prices") (param i32 i32 i32 i32 i32 i32 i32 i64 i32 i32) (result i32)
      BODY
      (i32.store (i32.const 64) (i32.const 0))
      (i32.store offset=4 (i32.const 64) (i32.const 1024))
      (i32.store offset=8 (i32.const 64) (i32.const 1))
      (i32.const 64)))
  (core instance $guest (instantiate $guest))
  (type $attribute (record (field "name" string) (field "value" string)))
  (type $line (record
    (field "line-id" string) (field "sku" string) (field "quantity" s64)
    (field "list-amount" s64) (field "list-per" s64) (field "current-amount" s64) (field "current-per" s64)
    (field "attributes" (list $attribute))))
  (type $order (record
    (field "currency" string) (field "customer-group" (option string)) (field "trade-time-ms" s64)
    (field "lines" (list $line))))
  (type $offer (record (field "line-id" string) (field "amount" s64) (field "per" s64) (field "reason" string)))
  (func $offer-prices (param "config" string) (param "order" $order) (result (result (list $offer) (error string)))
    (canon lift (core func $guest "offer-prices") (memory (core memory $guest "memory")) (realloc (core func $guest "realloc"))))
  (instance $pricing
    (export "attribute" (type $attribute)) (export "line" (type $line)) (export "order" (type $order))
    (export "offer" (type $offer)) (export "offer-prices" (func $offer-prices)))
  (export "mortise:unit-price/pricing@1.0.0" (instance $pricing)))
"#;
