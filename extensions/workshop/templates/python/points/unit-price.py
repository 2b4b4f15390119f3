"""A lower unit price for the customers of one group: by how much, and for whom, is what the binding sets.
It raises no price, and leaves alone what is already cheaper."""

from mortise import Price, configured, percent
from wit_world import exports
from wit_world.exports.pricing import Offer, Order


class Pricing(exports.Pricing):
    @configured
    def offer_prices(self, config: dict, order: Order) -> list[Offer]:
        group, rate_bp = config["customer_group"], config["rate_bp"]
        if order.customer_group != group:
            return []
        reason = f"{percent(rate_bp)} off for {group}"
        offers = []
        for line in order.lines:
            loyal = Price(line.list_amount, line.list_per).less(rate_bp)
            if loyal.is_below(Price(line.current_amount, line.current_per)):
                offers.append(Offer(line.line_id, loyal.amount, loyal.per, reason))
        return offers
