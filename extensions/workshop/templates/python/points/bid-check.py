"""A bid is higher than the price by a least step, which the binding sets. A first bid, and a leader's own, are free.
It says nothing against what the auction's rules refuse anyway."""

from mortise import configured
from wit_world import exports
from wit_world.exports.bidding import Bid, Objection


class Bidding(exports.Bidding):
    @configured
    def check(self, config: dict, bid: Bid) -> Objection | None:
        if bid.price is None or bid.own_maximum is not None:
            return None
        at_least = bid.price + config["step"]
        if bid.maximum >= at_least:
            return None
        return Objection(at_least, f"a bid is at least {config['step']} above the price")
