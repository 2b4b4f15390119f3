"""A partner's cart, as the lines of a flow's input; for which flow is what the binding sets.
It checks no item: the flow does."""

import json

from mortise import configured
from wit_world import exports
from wit_world.exports.mapping import Mapped, Request


class Mapping(exports.Mapping):
    @configured
    def map_request(self, config: dict, request: Request) -> Mapped | None:
        cart = json.loads(request.body).get("cart")
        if request.flow != config["flow"] or cart is None:
            return None
        lines = [{"sku": item["code"], "quantity": item["count"]} for item in cart]
        return Mapped(json.dumps({"lines": lines}, separators=(",", ":")), "a partner's cart")
