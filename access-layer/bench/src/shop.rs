//! The shop that sells: items with stock, prices, taxes, delivery fees, a hundred live promotions, members, and an extension
//! bound to its line. Everything comes in through `mortise import`, as a shop's data does.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::platform::Platform;

pub(crate) const TENANT: &str = "bench";
pub(crate) const LINE: &str = "main";
pub(crate) const CURRENCY: &str = "EUR";
/// Where everything lies.
pub(crate) const LOCATION: &str = "kassel";

/// Departments that items are in and promotions are for.
const DEPARTMENTS: u32 = 100;
/// More than a run can sell.
pub(crate) const STOCK: u64 = 100_000_000;
/// Customers of the group that the extension is for: the first so many, fewer in a shop of few items.
const MEMBERS: u32 = 100_000;
const MEMBERS_PER_SKU: u32 = 10;

/// An extension of the examples, as a line of the shop binds it.
#[derive(Debug)]
pub(crate) struct Model {
    point: &'static str,
    pub(crate) extension: &'static str,
    config: &'static str,
}

/// Members' prices, three for two in a department, the fee of a region: three points that every order asks.
pub(crate) const MODELS: [Model; 3] = [
    Model {
        point: "unit-price",
        extension: "loyal-price",
        config: "{ customer_group = \"member\", rate_bp = 500 }",
    },
    Model { point: "discount", extension: "department-multibuy", config: "{ department = \"7\" }" },
    Model {
        point: "delivery-fee",
        extension: "regional-delivery-fee",
        config: "{ regions = [{ name = \"Kassel\", country = \"DE\", from = \"34000\", to = \"34999\", amount = 100 }] }",
    },
];

/// A binding of a line, as a file of bindings has it, to such an extension by the name that it has.
pub(crate) fn binding(model: &Model, line: &str, name: &str) -> String {
    let Model { point, config, .. } = model;
    format!(
        "[[binding]]\npoint = \"{point}\"\ntenant = \"{TENANT}\"\nline = \"{line}\"\nextension = \"{name}\"\n\
         version = \"1.0.0\"\npriority = 10\non_failure = \"refuse\"\nconfig = {config}\n"
    )
}

/// The first of them, bound to the shop's line: what the checkout is measured with.
pub(crate) fn bindings() -> String {
    bound(&MODELS[..1])
}

/// All three.
pub(crate) fn three_bindings() -> String {
    bound(&MODELS)
}

fn bound(models: &[Model]) -> String {
    let bindings: Vec<String> = models.iter().map(|model| binding(model, LINE, model.extension)).collect();
    bindings.join("\n")
}

/// The name of an item.
pub(crate) fn sku(number: u32) -> String {
    format!("sku-{number:06}")
}

fn department(number: u32) -> u32 {
    number % DEPARTMENTS
}

fn price(number: u32) -> u32 {
    199 + number.wrapping_mul(7_919) % 4_800
}

/// Fills an empty data directory with a shop of `skus` items, and one more that nobody has.
pub(crate) fn open(platform: &Platform, data: &Path, skus: u32) -> Result<(), Failure> {
    let import = |operation: &str, text: &str| platform.import(data, operation, text);
    let table = |header: &str, count: u32, row: &dyn Fn(u32) -> String| {
        let mut text = format!("{header}\n");
        for number in 0..count {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{}", row(number));
        }
        text
    };
    import("inventory.import_locations", &format!("location,name,country\n{LOCATION},Kassel,DE\n"))?;
    stock(
        platform,
        data,
        &table("sku,location,on_hand", skus, &|n| format!("{},{LOCATION},{STOCK}", sku(n))),
    )?;
    import(
        "pricing.import_entries",
        &table("price_list,sku,currency,amount", skus + 1, &|n| {
            format!("base,{},{CURRENCY},{}", sku(n), price(n))
        }),
    )?;
    import(
        "pricing.import_members",
        &table("customer_id,customer_group", MEMBERS.min(skus.saturating_mul(MEMBERS_PER_SKU)), &|n| {
            format!("c{n},member")
        }),
    )?;
    import("tax.import_rates", "country,tax_class,code,rate_bp\nDE,standard,vat,1900\nDE,reduced,vat,700\n")?;
    import("tax.import_items", &table("sku,tax_class", skus / 3, &|n| format!("{},reduced", sku(n * 3))))?;
    import("delivery.import_fees", &format!("country,currency,amount\nDE,{CURRENCY},490\n"))?;
    import(
        "delivery.import_weights",
        &table("sku,grams", skus + 1, &|n| format!("{},{}", sku(n), 100 + n % 900)),
    )?;
    let facts = table("sku,name,value", skus + 1, &|n| format!("{},department,{}", sku(n), department(n)));
    import("discount.import_items", &facts)?;
    import("discount.define", &serde_json::to_string(&promotions(skus))?)
}

/// Sets what is on hand: `sku,location,on_hand`.
fn stock(platform: &Platform, data: &Path, text: &str) -> Result<(), Failure> {
    platform.import(data, "inventory.import_stock", text)
}

/// Puts so many units of one item on the shelf.
pub(crate) fn stock_of(platform: &Platform, data: &Path, number: u32, units: u64) -> Result<(), Failure> {
    stock(platform, data, &format!("sku,location,on_hand\n{},{LOCATION},{units}\n", sku(number)))
}

/// A hundred promotions, all live: most are for a department or a few items, as in a shop; some are for whole orders, for
/// delivery, behind a coupon, or limited by a budget.
fn promotions(skus: u32) -> Value {
    let items = |seed: u32, count: u32| {
        (0..count).map(|n| sku(seed.wrapping_mul(7_919).wrapping_add(n * 131) % skus)).collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    let mut add = |kind: &str, count: u32, promotion: &dyn Fn(u32) -> Value| {
        for n in 0..count {
            let mut promotion = promotion(n);
            promotion["promotion"] = json!(format!("{kind}-{n}"));
            promotion["title"] = json!(format!("{kind} {n}"));
            promotion["priority"] = json!(n);
            all.push(promotion);
        }
    };
    let of_department = |n: u32| json!([format!("department={n}")]);
    add("percent", 40, &|n| {
        json!({
            "target": "items", "benefit": "percent", "rate_bp": 500 + 50 * n, "item_groups": of_department(n),
        })
    });
    add("off", 20, &|n| {
        json!({
            "target": "items", "benefit": "amount", "amount": 20 + n, "currency": CURRENCY, "skus": items(n, 50),
        })
    });
    add("three-for", 10, &|n| {
        json!({
            "target": "items", "benefit": "fixed_price", "amount": 500, "per": 3, "currency": CURRENCY, "min_quantity": 3,
            "item_groups": of_department(60 + n),
        })
    });
    add("fixed", 5, &|n| {
        json!({
            "target": "items", "benefit": "fixed_price", "amount": 150, "currency": CURRENCY, "skus": items(100 + n, 20),
        })
    });
    add("order", 10, &|n| {
        json!({
            "target": "order", "benefit": "percent", "rate_bp": 1_000 - 50 * n, "min_subtotal": 20_000 - 1_500 * n,
            "currency": CURRENCY, "stacking_group": "ladder",
        })
    });
    add("delivery", 4, &|n| {
        json!({
            "target": "delivery", "benefit": "fixed_price", "amount": 100 * n, "currency": CURRENCY, "min_subtotal": 15_000 - 2_000 * n,
            "stacking_group": "delivery",
        })
    });
    add("coupon", 8, &|n| {
        json!({
            "target": "order", "benefit": "percent", "rate_bp": 300 + n, "opened_by": "coupon",
        })
    });
    add("budget", 3, &|n| {
        json!({
            "target": "items", "benefit": "percent", "rate_bp": 1_500, "item_groups": of_department(80 + n),
            "budget_count": 1_000_000_000,
        })
    });
    Value::Array(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_a_hundred_promotions_of_every_kind() {
        let promotions = promotions(10_000);
        let promotions = promotions.as_array().unwrap();
        assert_eq!(promotions.len(), 100);
        for (field, value) in [
            ("target", "items"),
            ("target", "order"),
            ("target", "delivery"),
            ("benefit", "percent"),
            ("benefit", "amount"),
            ("benefit", "fixed_price"),
            ("opened_by", "coupon"),
        ] {
            assert!(promotions.iter().any(|promotion| promotion[field] == value), "{field} {value}");
        }
    }
}
