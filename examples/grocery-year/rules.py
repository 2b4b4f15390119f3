"""What a week's till lines say about prices and discounts: pure decisions on integers.

Reads and writes nothing, needs no package. A rate is `(amount, per)`: so many cents for so many units, in lowest terms,
so that two lines agree exactly when their rates are equal. No float comes in here.
"""

from collections import defaultdict
from datetime import date, timedelta
from math import gcd
from typing import NamedTuple

SUMMER = (date(2017, 3, 12), date(2017, 11, 5))
"""Daylight saving time in New York in 2017, where the data's weeks begin on Monday at midnight."""

EXACT = "exact"
NOTHING_LEFT = "nothing_left"
REASONS = {
    EXACT: "one regular unit price and one discount for every product in it",
    NOTHING_LEFT: "only fuel or lines of quantity 0",
    "price_several": "a product sold at several unit prices in that store and week (mostly goods sold by weight)",
    "price_within_a_cent": "prices a cent apart: a price for N units, whose odd cent the till put on one line",
    "discount_card": "one discount, and some customers did not get it (no loyalty card)",
    "discount_match": "the store matched a maker's coupon in some baskets and not in others",
    "discount_within_a_cent": "discounts a cent apart: an amount off N units, whose odd cent the till put on one line",
    "discount_several": "several discounts on a product in that store and week",
}
"""Why a basket is or isn't priced, in order of precedence: a basket counts once, under the first that applies."""

PRECEDENCE = {reason: rank for rank, reason in enumerate(REASONS)}


class Line(NamedTuple):
    """One line of a till receipt. Amounts in cents, each for the line's whole quantity."""

    basket: int
    store: int
    household: int
    at: str
    sku: int
    quantity: int
    sales: int
    retail: int
    match: int
    department: int

    @property
    def regular(self):
        """The amount on the shelf: what was paid plus what the store took off."""
        return self.sales + self.retail + self.match

    @property
    def off(self):
        """What the store took off: its promotion, and its own share when it matches a maker's coupon.

        The maker's share (`coupon_disc`) is money that the maker pays at the till: a tender, no part of the price.
        """
        return self.retail + self.match


class Entry(NamedTuple):
    """The price of a product in a store and week, and what is taken off, each an amount per N units."""

    price: tuple
    off: tuple


def rate(amount, quantity):
    """The amount per units in lowest terms: `rate(1000, 6) == (500, 3)`."""
    divisor = gcd(amount, quantity)
    return amount // divisor, quantity // divisor


def extend(a_rate, quantity):
    """What `quantity` units come to, to the cent, half a cent upwards."""
    amount, per = a_rate
    return (2 * amount * quantity + per) // (2 * per)


def is_saleable(quantity, department):
    """Fuel and lines of quantity 0 (returns, deposits, coupons rung up as articles) have no price per unit."""
    return quantity > 0 and department != "FUEL"


def entry_of(lines):
    """The entry that all lines of a (product, store, week) agree on, and `exact`; or none, and the reason."""
    prices = {rate(line.regular, line.quantity) for line in lines}
    if len(prices) > 1:
        near = _within_a_cent(prices, [(line.regular, line.quantity) for line in lines])
        return None, "price_within_a_cent" if near else "price_several"
    offs = {rate(line.off, line.quantity) for line in lines}
    if len(offs) > 1:
        return None, _why_discounts_differ(offs, lines)
    return Entry(prices.pop(), offs.pop()), EXACT


def _why_discounts_differ(offs, lines):
    promotions = {rate(line.retail, line.quantity) for line in lines}
    if len(promotions) == 1:
        return "discount_match"
    if len(promotions) == 2 and (0, 1) in promotions and len(offs) == 2:
        return "discount_card"
    near = _within_a_cent(offs, [(line.off, line.quantity) for line in lines])
    return "discount_within_a_cent" if near else "discount_several"


def _within_a_cent(rates, observed):
    return any(
        all(abs(amount * quantity - seen * per) <= per for seen, quantity in observed) for amount, per in rates
    )


def by_key(lines):
    """Lines by (store, product); they are of one week."""
    keyed = defaultdict(list)
    for line in lines:
        keyed[line.store, line.sku].append(line)
    return keyed


def entries_of(lines):
    """For the lines of a week: the entries by (store, product), and the reason of each key that has none."""
    entries, reasons = {}, {}
    for key, of_key in sorted(by_key(lines).items()):
        entry, reason = entry_of(of_key)
        if entry:
            entries[key] = entry
        else:
            reasons[key] = reason
    return entries, reasons


def verdict_of(lines, reasons):
    """Whether a basket is exact, else the first reason that applies, and the products because of which."""
    found = {line.sku: reasons[line.store, line.sku] for line in lines if (line.store, line.sku) in reasons}
    if not found:
        return EXACT, []
    reason = min(found.values(), key=PRECEDENCE.__getitem__)
    return reason, sorted(sku for sku, its in found.items() if its == reason)


def learned_amount(line, learned):
    """What the entries learned from the even baskets make of a line of an odd one; none where they know nothing."""
    entry = learned.get((line.store, line.sku))
    if entry is None or line.basket % 2 == 0:
        return None
    return extend(entry.price, line.quantity) - extend(entry.off, line.quantity)


def week_period(week):
    """The half-open period of a week of the data, 1 to 53, as two instants in UTC."""
    monday = date(2016, 12, 26) + timedelta(weeks=week - 1)
    return _midnight(monday), _midnight(monday + timedelta(weeks=1))


def _midnight(day):
    hour = 4 if SUMMER[0] <= day < SUMMER[1] else 5
    return f"{day.isoformat()}T{hour:02}:00:00Z"
