"""Every so many units of the same item one is free, in one department: which, and how many, is what the binding sets.
It does not mix items, and gives no other discount."""

from mortise import attribute, configured
from wit_world import exports
from wit_world.exports.discounting import Candidate, Order


class Discounting(exports.Discounting):
    @configured
    def propose(self, config: dict, order: Order) -> list[Candidate]:
        department, every = config["department"], config["every"]
        reason = f"{every} for {every - 1} on {department}"
        candidates = []
        for line in order.lines:
            if attribute(line, "department") != department:
                continue
            amount_off = line.quantity // every * line.unit_amount // line.unit_per
            if amount_off > 0:
                candidates.append(Candidate("items", "multibuy", [line.line_id], amount_off, reason))
        return candidates
