"""So many units of an item in a basket, in one department: which, and how many, is what the binding sets.
It counts the basket only; what was bought before is a limit of the shop's own."""

from mortise import attribute, configured
from wit_world import exports
from wit_world.exports.limiting import Basket, Objection


class Limiting(exports.Limiting):
    @configured
    def object(self, config: dict, basket: Basket) -> list[Objection]:
        department, most = config["department"], config["most"]
        units: dict[str, int] = {}
        objections = []
        for line in basket.lines:
            if attribute(line, "department") != department:
                continue
            before = units.get(line.sku, 0)
            units[line.sku] = before + line.quantity
            # Once an item: the line that goes beyond.
            if before <= most < before + line.quantity:
                objections.append(Objection(line.line_id, f"at most {most} of an item of {department}"))
        return objections
