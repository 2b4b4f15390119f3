//! What operators give, and which units they may mix: money ± money is money, money × quantity or count is money,
//! anything else that mixes units is refused. An integer without a unit mixes with any.

use mortise_contract::Unit;

use super::fit::literal;
use super::infer::{operator_text, written};
use super::{Element, Kind, ListOf, Ty, Typing, unit_name};
use crate::ast::{BinaryOperator, Node, Place};
use crate::report::nearest_or;

use BinaryOperator as Op;

impl<'c> Typing<'_, 'c> {
    pub(super) fn binary(&mut self, operator: Op, left: &Node, right: &Node, place: Place) -> Ty<'c> {
        if matches!(operator, Op::And | Op::Or) {
            self.condition(left);
            self.condition(right);
            return Kind::Bool.into();
        }
        let (one, other) = (self.node(left), self.node(right));
        match operator {
            Op::Equal | Op::NotEqual => self.equality(operator, (left, &one), (right, &other), place),
            Op::In => self.membership((left, &one), &other, place),
            Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => {
                self.ordering(operator, one.non_null(), other.non_null(), place)
            }
            _ => self.arithmetic(operator, one.non_null(), other.non_null(), place),
        }
    }

    fn apart(&mut self, operator: Op, one: &Ty<'c>, other: &Ty<'c>, place: Place, help: &str) -> Ty<'c> {
        let (one, other) = (self.shown(one), self.shown(other));
        self.mismatch(place, format!("{one} `{}` {other}", operator_text(operator).trim()), help)
    }

    fn equality(
        &mut self,
        operator: Op,
        (left, one): (&Node, &Ty<'c>),
        (right, other): (&Node, &Ty<'c>),
        place: Place,
    ) -> Ty<'c> {
        for ((node, ty), against) in [((left, one), other), ((right, other), one)] {
            if let (Some(text), Kind::Text { allowed: Some(values), .. }) =
                (literal(ty), &against.non_null().kind)
                && !values.iter().any(|value| value.as_str() == Some(text))
            {
                let known = values.iter().filter_map(|value| value.as_str());
                let help = nearest_or(text, known.clone(), || {
                    format!("it is one of {}", crate::report::listed(known))
                });
                let message = format!(
                    "`{}` is never {}",
                    written(if std::ptr::eq(node, left) { right } else { left }),
                    written(node)
                );
                self.mismatch(node.place, message, help);
                return Kind::Bool.into();
            }
        }
        let numbers = |ty: &Ty<'c>| matches!(ty.non_null().kind, Kind::Int(_) | Kind::Number);
        let dynamic = |ty: &Ty<'c>| matches!(ty.kind, Kind::Anything | Kind::Unknown);
        if dynamic(one)
            || dynamic(other)
            || (numbers(one) && numbers(other) && self.units(operator, one, other, place))
        {
            return Kind::Bool.into();
        }
        if numbers(one) && numbers(other) {
            return Kind::Bool.into();
        }
        if one.join(other, self.contracts).is_err() {
            self.apart(operator, one, other, place, "compare values of one type");
        }
        Kind::Bool.into()
    }

    fn membership(&mut self, (left, one): (&Node, &Ty<'c>), list: &Ty<'c>, place: Place) -> Ty<'c> {
        let wanted = match &list.non_null().kind {
            Kind::List(list) => list.items.ty(self.contracts),
            Kind::Map(_) => Ty::text(),
            Kind::Unknown => Ty::unknown(),
            _ => {
                return self.apart(
                    Op::In,
                    one,
                    list,
                    place,
                    "`in` looks into a list, or among the keys of a map",
                );
            }
        };
        if one.join(&wanted, self.contracts).is_err() {
            let (given, wanted) = (self.shown(one), self.shown(&wanted));
            self.mismatch(
                left.place,
                format!("{given} is looked for among {wanted}"),
                "compare values of one type",
            );
        }
        Kind::Bool.into()
    }

    fn ordering(&mut self, operator: Op, one: &Ty<'c>, other: &Ty<'c>, place: Place) -> Ty<'c> {
        match (&one.kind, &other.kind) {
            (Kind::Unknown, _) | (_, Kind::Unknown) => {}
            (Kind::Int(_) | Kind::Number, Kind::Int(_) | Kind::Number) => {
                self.units(operator, one, other, place);
            }
            (Kind::Moment, Kind::Moment) | (Kind::Duration, Kind::Duration) => {}
            (Kind::Text { .. }, Kind::Text { .. }) if one.join(other, self.contracts).is_ok() => {}
            _ => {
                self.apart(
                    operator,
                    one,
                    other,
                    place,
                    "numbers, moments, durations and texts have an order, each among themselves",
                );
            }
        }
        Kind::Bool.into()
    }

    /// Whether two numbers count the same thing; a difference is reported.
    pub(super) fn units(&mut self, operator: Op, one: &Ty<'c>, other: &Ty<'c>, place: Place) -> bool {
        if let (Kind::Int(Some(a)), Kind::Int(Some(b))) = (&one.non_null().kind, &other.non_null().kind)
            && a != b
        {
            self.mixed(operator, Some(*a), Some(*b), place, "count the same thing on both sides");
            return false;
        }
        true
    }

    fn mixed(
        &mut self,
        operator: Op,
        one: Option<Unit>,
        other: Option<Unit>,
        place: Place,
        help: &str,
    ) -> Ty<'c> {
        let name = |unit: Option<Unit>| unit.map_or("a plain integer", unit_name);
        let message = format!("{} `{}` {}", name(one), operator_text(operator).trim(), name(other));
        self.report("unit-mismatch", place, message, help)
    }

    fn arithmetic(&mut self, operator: Op, one: &Ty<'c>, other: &Ty<'c>, place: Place) -> Ty<'c> {
        match (&one.kind, operator, &other.kind) {
            (Kind::Unknown, ..) | (.., Kind::Unknown) => Ty::unknown(),
            (Kind::Int(a), _, Kind::Int(b)) => self.integers(operator, *a, *b, place),
            (Kind::Number, Op::Add | Op::Subtract | Op::Multiply | Op::Divide, Kind::Number) => {
                Kind::Number.into()
            }
            (Kind::Text { .. }, Op::Add, Kind::Text { .. }) => Ty::text(),
            (Kind::List(a), Op::Add, Kind::List(b)) => {
                let items = self.joined(
                    &a.items.ty(self.contracts),
                    &b.items.ty(self.contracts),
                    place,
                    "the elements",
                );
                let max = a.max.zip(b.max).and_then(|(a, b)| a.checked_add(b));
                let items = Element::Built(items.into());
                Kind::List(ListOf { items, min: a.min.saturating_add(b.min), max }).into()
            }
            (Kind::Moment, Op::Add | Op::Subtract, Kind::Duration)
            | (Kind::Duration, Op::Add, Kind::Moment) => Kind::Moment.into(),
            (Kind::Moment, Op::Subtract, Kind::Moment)
            | (Kind::Duration, Op::Add | Op::Subtract, Kind::Duration) => Kind::Duration.into(),
            _ => self.apart(
                operator,
                one,
                other,
                place,
                "both sides are of one type; a moment moves by a duration",
            ),
        }
    }

    fn integers(&mut self, operator: Op, one: Option<Unit>, other: Option<Unit>, place: Place) -> Ty<'c> {
        use Unit::{Count, Money, Quantity};
        let unit = match (operator, one, other) {
            (Op::Add | Op::Subtract, None, unit) | (Op::Add | Op::Subtract, unit, None) => unit,
            (Op::Add | Op::Subtract, Some(a), Some(b)) if a == b => Some(a),
            (Op::Multiply, None, unit) | (Op::Multiply, unit, None) => unit,
            (Op::Multiply, Some(Money), Some(Quantity | Count))
            | (Op::Multiply, Some(Quantity | Count), Some(Money)) => Some(Money),
            (Op::Multiply, Some(Count), Some(Count)) => Some(Count),
            (Op::Divide | Op::Remainder, Some(Money), _) => {
                return self.mixed(
                    operator,
                    one,
                    other,
                    place,
                    "money is split and rounded by a capability, which conserves the sum",
                );
            }
            (Op::Divide | Op::Remainder, unit, None) => unit,
            (Op::Divide, Some(a), Some(b)) if a == b => None,
            (Op::Remainder, Some(a), Some(b)) if a == b => Some(a),
            _ => {
                return self.mixed(
                    operator,
                    one,
                    other,
                    place,
                    "money goes with money, and is multiplied by a quantity or a count only",
                );
            }
        };
        Kind::Int(unit).into()
    }
}
