"""An order comes from one location, if that has all of it: which, is what the binding sets.
It has no opinion on an order of which a line names its own location."""

from mortise import configured
from wit_world import exports
from wit_world.exports.allocating import Order, Proposal, Take


class Allocating(exports.Allocating):
    @configured
    def allocate(self, config: dict, order: Order) -> Proposal | None:
        location = config["location"]
        open_here = [stock for stock in order.stock if stock.location == location and not stock.named_only]
        left = {stock.sku: stock.saleable for stock in open_here}
        takes = []
        for line in order.lines:
            there = left.get(line.sku, 0)
            if line.location is not None or there < line.quantity:
                return None
            left[line.sku] = there - line.quantity
            takes.append(Take(line.line_id, location, line.quantity))
        return Proposal(takes, f"{location} has all of it")
