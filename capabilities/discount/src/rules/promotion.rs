//! A promotion that makes sense: what a definition has to have, and whether it is open to an order. What it takes off
//! is worked out in `effect`.

use std::cmp::Reverse;
use std::collections::HashSet;

use mortise_types::{Amount, Currency, Price, ProofLine, Quantity, RateBp, Timestamp};

use super::{Fact, Order};
use crate::contract::{self, BenefitKind, Each, Exclusive, Fate, OpenedBy, Status, Target};

/// How a reduction is reckoned, with all that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Benefit {
    /// A part of the amount.
    Percent(RateBp),
    /// An amount off units, lines, or all together; `None` is the policy's choice.
    Amount { off: Price, each: Option<Each> },
    /// What items cost; for an order or delivery, what all of it costs.
    Fixed(Price),
    /// From the sheet.
    Sheet,
}

/// A promotion, judged and ready to be evaluated.
#[derive(Debug, Clone)]
pub(crate) struct Promotion {
    pub(crate) id: String,
    /// The version as it stands in proofs.
    pub(crate) version: i64,
    /// The line that it was defined for; empty for all.
    pub(crate) line: String,
    pub(crate) title: String,
    pub(crate) status: Status,
    pub(crate) opened_by: OpenedBy,
    pub(crate) channels: HashSet<String>,
    pub(crate) customer_groups: HashSet<String>,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_until: Timestamp,
    pub(crate) currency: Option<Currency>,
    pub(crate) selection: Selection,
    pub(crate) min_subtotal: Option<Amount>,
    pub(crate) min_quantity: Option<Quantity>,
    pub(crate) target: Target,
    pub(crate) benefit: Benefit,
    pub(crate) max_amount: Option<Amount>,
    pub(crate) max_quantity: Option<Quantity>,
    pub(crate) min_price: Option<Price>,
    pub(crate) lane: String,
    pub(crate) priority: i64,
    pub(crate) stacking_group: Option<String>,
    pub(crate) exclusive: Exclusive,
    pub(crate) limits: super::Limits,
}

/// What decides who comes first.
pub(crate) type Turn<'a> = (Exclusive, Target, Reverse<i64>, &'a str);

/// Which lines a promotion is for. What is empty restricts nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    pub(crate) skus: HashSet<String>,
    pub(crate) groups: HashSet<String>,
    pub(crate) without_skus: HashSet<String>,
    pub(crate) without_groups: HashSet<String>,
    pub(crate) locations: HashSet<String>,
}

impl Selection {
    /// Whether a line is selected.
    pub(crate) fn takes(&self, line: &ProofLine, facts: &[Fact]) -> bool {
        let has = |groups: &HashSet<String>| facts.iter().any(|fact| groups.contains(&fact.text));
        let sku = line.sku.as_str();
        let named =
            (self.skus.is_empty() && self.groups.is_empty()) || self.skus.contains(sku) || has(&self.groups);
        let here = self.locations.is_empty()
            || line.location.as_ref().is_some_and(|location| self.locations.contains(location.as_str()));
        named && here && !self.without_skus.contains(sku) && !has(&self.without_groups)
    }

    /// Whether only items that it names are selected.
    pub(crate) fn names_items_only(&self) -> bool {
        !self.skus.is_empty() && self.groups.is_empty()
    }

    /// Whether facts about items are needed to decide.
    pub(crate) fn asks_for_facts(&self) -> bool {
        !self.groups.is_empty() || !self.without_groups.is_empty()
    }
}

impl Promotion {
    /// The place in a lane: exclusive first, items before order before delivery, the higher priority, the id.
    pub(crate) fn turn(&self) -> Turn<'_> {
        (self.exclusive, self.target, Reverse(self.priority), &self.id)
    }

    /// Whether it has a limit over several orders.
    pub(crate) fn has_budget(&self) -> bool {
        self.limits != super::Limits::default()
    }

    /// Whether it may take part in the order at all, before any amount is looked at.
    pub(crate) fn open_to(&self, order: &Order<'_>) -> Result<(), (Fate, &'static str)> {
        let allowed = |set: &HashSet<String>, is: &str| set.is_empty() || set.contains(is);
        if self.status == Status::Paused {
            return Err((Fate::Closed, "it is paused"));
        }
        if order.now < self.valid_from {
            return Err((Fate::Closed, "its period has not begun"));
        }
        if order.now >= self.valid_until {
            return Err((Fate::Closed, "its period is over"));
        }
        if self.opened_by == OpenedBy::Coupon && !order.opened.contains_key(self.id.as_str()) {
            return Err((Fate::Closed, "no coupon opens it"));
        }
        if !allowed(&self.channels, order.channel) {
            return Err((Fate::NotForThis, "it is for another channel"));
        }
        if !allowed(&self.customer_groups, order.customer_group) {
            return Err((Fate::NotForThis, "it is for another customer group"));
        }
        if self.currency.is_some_and(|currency| currency != order.currency) {
            return Err((Fate::NotForThis, "its amounts are in another currency"));
        }
        let by_customer = self.limits.customer_amount.is_some() || self.limits.customer_count.is_some();
        if by_customer && order.customer.is_none() {
            return Err((Fate::NotForThis, "it is limited for each customer, and nobody is named"));
        }
        Ok(())
    }
}

/// Judges a definition.
///
/// # Errors
/// What is wrong with it, in words for whoever wrote it.
pub(crate) fn compile(of: &contract::Promotion, line: &str, version: i64) -> Result<Promotion, String> {
    let texts = |list: &[String]| list.iter().cloned().collect::<HashSet<String>>();
    let (valid_from, valid_until) =
        (of.valid_from.unwrap_or(Timestamp::MIN), of.valid_until.unwrap_or(Timestamp::MAX));
    if valid_from >= valid_until {
        return Err(format!("valid_until {valid_until} is not after valid_from {valid_from}"));
    }
    check_names(of)?;
    check_amounts(of)?;
    check_use(of)?;
    let skus = |list: &[mortise_types::Sku]| list.iter().map(|sku| sku.as_str().to_owned()).collect();
    Ok(Promotion {
        id: of.promotion.clone(),
        version,
        line: line.to_owned(),
        title: of.title.clone(),
        status: of.status,
        opened_by: of.opened_by,
        channels: texts(&of.channels),
        customer_groups: texts(&of.customer_groups),
        valid_from,
        valid_until,
        currency: of.currency,
        selection: Selection {
            skus: skus(&of.skus),
            groups: texts(&of.item_groups),
            without_skus: skus(&of.without_skus),
            without_groups: texts(&of.without_item_groups),
            locations: of.locations.iter().map(|location| location.as_str().to_owned()).collect(),
        },
        min_subtotal: of.min_subtotal,
        min_quantity: of.min_quantity,
        target: of.target,
        benefit: benefit(of)?,
        max_amount: of.max_amount,
        max_quantity: of.max_quantity,
        min_price: of.min_price,
        lane: lane(of),
        priority: of.priority,
        stacking_group: of.stacking_group.clone(),
        exclusive: of.exclusive,
        limits: super::Limits {
            amount: of.budget_amount,
            count: of.budget_count,
            customer_amount: of.customer_budget_amount,
            customer_count: of.customer_budget_count,
        },
    })
}

fn lane(of: &contract::Promotion) -> String {
    let by_target = match of.target {
        Target::Items => "items",
        Target::Order => "order",
        Target::Delivery => "delivery",
    };
    of.lane.clone().unwrap_or_else(|| by_target.to_owned())
}

fn benefit(of: &contract::Promotion) -> Result<Benefit, String> {
    let per = of.per.unwrap_or(Quantity::ONE);
    let price = || {
        let amount = of.amount.ok_or("`amount` is missing")?;
        Price::new(amount, per).map_err(|error| error.to_string())
    };
    match of.benefit {
        BenefitKind::Percent => match of.rate_bp {
            Some(RateBp(rate)) if (1..=10_000).contains(&rate) => Ok(Benefit::Percent(RateBp(rate))),
            _ => Err("`rate_bp` of a percentage is 1 to 10,000".to_owned()),
        },
        BenefitKind::Amount => {
            let off = price()?;
            if off.amount().minor() < 1 {
                return Err("`amount` is at least 1".to_owned());
            }
            Ok(Benefit::Amount { off, each: of.each })
        }
        BenefitKind::FixedPrice => Ok(Benefit::Fixed(price()?)),
        BenefitKind::Sheet => Ok(Benefit::Sheet),
    }
}

fn check_names(of: &contract::Promotion) -> Result<(), String> {
    let printable = |what: &str, text: &str, most: usize| {
        let fits =
            !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control);
        if fits { Ok(()) } else { Err(format!("`{what}` has to be 1 to {most} printable characters")) }
    };
    printable("promotion", &of.promotion, 128)?;
    printable("title", &of.title, 200)?;
    if let Some(lane) = &of.lane {
        printable("lane", lane, 64)?;
    }
    if let Some(group) = &of.stacking_group {
        printable("stacking_group", group, 64)?;
    }
    let groups = of.item_groups.iter().chain(&of.without_item_groups);
    match groups.into_iter().find(|group| !group.contains('=')) {
        Some(group) => Err(format!("the item group {group:?} is not `name=value`")),
        None => Ok(()),
    }
}

fn check_amounts(of: &contract::Promotion) -> Result<(), String> {
    let amounts = [
        ("amount", of.amount),
        ("min_subtotal", of.min_subtotal),
        ("max_amount", of.max_amount),
        ("min_price", of.min_price.map(Price::amount)),
        ("budget_amount", of.budget_amount),
        ("customer_budget_amount", of.customer_budget_amount),
    ];
    for (name, amount) in amounts {
        match amount {
            Some(amount) if amount.is_negative() => return Err(format!("`{name}` is below 0")),
            Some(_) if of.currency.is_none() => return Err(format!("`{name}` needs a `currency`")),
            _ => {}
        }
    }
    let numbers = [
        ("min_quantity", of.min_quantity.map(Quantity::units), 1),
        ("max_quantity", of.max_quantity.map(Quantity::units), 1),
        ("per", of.per.map(Quantity::units), 1),
        ("budget_count", of.budget_count, 0),
        ("customer_budget_count", of.customer_budget_count, 0),
    ];
    match numbers.into_iter().find(|(_, number, least)| number.is_some_and(|number| number < *least)) {
        Some((name, _, least)) => Err(format!("`{name}` is below {least}")),
        None => Ok(()),
    }
}

/// A field that would have no effect is a mistake of whoever wrote it.
fn check_use(of: &contract::Promotion) -> Result<(), String> {
    let items = of.target == Target::Items;
    let amount_or_fixed = matches!(of.benefit, BenefitKind::Amount | BenefitKind::FixedPrice);
    let amount_off_items = items && of.benefit == BenefitKind::Amount;
    let by_units = items
        && (of.benefit == BenefitKind::FixedPrice
            || (of.benefit == BenefitKind::Amount && matches!(of.each, None | Some(Each::Unit))));
    let together = of.each == Some(Each::Together);
    let rules = [
        (of.benefit == BenefitKind::Sheet && !items, "a sheet is for `items`"),
        (of.rate_bp.is_some() && of.benefit != BenefitKind::Percent, "`rate_bp` is for a percentage"),
        (of.amount.is_some() && !amount_or_fixed, "`amount` is for an amount or a fixed price"),
        (of.each.is_some() && !amount_off_items, "`each` is for an amount off items"),
        (of.per.is_some() && !by_units, "`per` is for an amount off units or a fixed price of items"),
        (of.max_quantity.is_some() && (!items || together), "`max_quantity` is for items, each for itself"),
        (of.min_price.is_some() && of.target == Target::Delivery, "`min_price` is for items"),
    ];
    match rules.into_iter().find(|(broken, _)| *broken) {
        Some((_, problem)) => Err(problem.to_owned()),
        None => Ok(()),
    }
}
