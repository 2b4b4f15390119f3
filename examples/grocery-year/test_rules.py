"""Tests of the rules by which prices are read out of receipts: `python3 -m unittest` in this folder, no package needed."""

import unittest

import rules
from rules import Entry, Line


def line(quantity, sales, retail=0, match=0, basket=2, store=1, sku=7):
    return Line(basket, store, 9, "2017-01-02T12:00:00Z", sku, quantity, sales, retail, match, 0)


class EntryOf(unittest.TestCase):
    def check(self, lines, entry, reason):
        self.assertEqual(rules.entry_of(lines), (entry, reason))

    def test_equal_unit_prices_agree_whatever_the_quantity(self):
        self.check([line(1, 50), line(4, 200)], Entry((50, 1), (0, 1)), "exact")

    def test_a_line_that_does_not_divide_is_a_price_for_n_units(self):
        self.check([line(3, 500), line(6, 1000)], Entry((500, 3), (0, 1)), "exact")

    def test_promotion_and_matched_coupon_are_both_taken_off_by_the_store(self):
        self.check([line(2, 355, retail=178, match=45)], Entry((289, 1), (223, 2)), "exact")

    def test_a_free_article_has_the_price_zero(self):
        self.check([line(2, 0)], Entry((0, 1), (0, 1)), "exact")

    def test_several_unit_prices(self):
        self.check([line(1, 188), line(1, 283)], None, "price_several")

    def test_three_for_five_gives_one_customer_the_odd_cent(self):
        self.check([line(3, 500), line(1, 167)], None, "price_within_a_cent")
        self.check([line(3, 500), line(1, 169)], None, "price_several")

    def test_a_customer_without_card(self):
        self.check([line(1, 269), line(1, 242, retail=27)], None, "discount_card")

    def test_a_coupon_that_only_one_customer_had(self):
        self.check([line(1, 100, retail=10), line(1, 60, retail=10, match=40)], None, "discount_match")

    def test_a_discount_whose_odd_cent_wanders(self):
        self.check([line(1, 333, retail=126), line(1, 334, retail=125)], None, "discount_within_a_cent")

    def test_several_discounts(self):
        self.check([line(1, 100, retail=99), line(1, 189, retail=10)], None, "discount_several")


class Baskets(unittest.TestCase):
    def test_a_basket_counts_under_its_first_reason(self):
        reasons = {(1, 7): "discount_card", (1, 8): "price_several", (1, 9): "price_several"}
        lines = [line(1, 1, sku=9), line(1, 1, sku=7), line(1, 1, sku=8)]
        self.assertEqual(rules.verdict_of(lines, reasons), ("price_several", [8, 9]))
        self.assertEqual(rules.verdict_of(lines[:1], {}), ("exact", []))

    def test_only_odd_baskets_are_priced_by_what_was_learned(self):
        learned = {(1, 7): Entry((500, 3), (100, 3))}
        self.assertEqual(rules.learned_amount(line(1, 0, basket=3), learned), 167 - 33)
        self.assertIsNone(rules.learned_amount(line(1, 0, basket=2), learned))
        self.assertIsNone(rules.learned_amount(line(1, 0, basket=3, sku=8), learned))


class Arithmetic(unittest.TestCase):
    def test_half_a_cent_goes_up(self):
        self.assertEqual([rules.extend((5, 2), q) for q in (1, 2, 3)], [3, 5, 8])

    def test_weeks_begin_on_monday_at_midnight_in_new_york(self):
        self.assertEqual(rules.week_period(1), ("2016-12-26T05:00:00Z", "2017-01-02T05:00:00Z"))
        self.assertEqual(rules.week_period(12), ("2017-03-13T04:00:00Z", "2017-03-20T04:00:00Z"))
        self.assertEqual(rules.week_period(45), ("2017-10-30T04:00:00Z", "2017-11-06T05:00:00Z"))

    def test_fuel_and_quantity_zero_are_not_for_sale(self):
        self.assertTrue(rules.is_saleable(1, "GROCERY"))
        self.assertFalse(rules.is_saleable(0, "GROCERY"))
        self.assertFalse(rules.is_saleable(1, "FUEL"))


if __name__ == "__main__":
    unittest.main()
