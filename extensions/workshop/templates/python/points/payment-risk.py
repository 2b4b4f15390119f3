"""A score for whoever orders more often within an hour than is usual: how often that is, and the score, is what the
binding sets. It never lowers the shop's own score."""

from mortise import configured
from wit_world import exports
from wit_world.exports.scoring import Assessment, Order


class Scoring(exports.Scoring):
    @configured
    def assess(self, config: dict, order: Order) -> Assessment:
        orders, usual = order.last_hour.orders + 1, config["orders_an_hour"]
        if orders <= usual:
            return Assessment(0, f"order {orders} within an hour")
        return Assessment(config["score"], f"order {orders} within an hour, {usual} are usual")
