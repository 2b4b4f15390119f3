"""A surcharge on the fee of the shop's table, for one region: which, and how much, is what the binding sets.
It names no fee where the table has none."""

from mortise import configured
from wit_world import exports
from wit_world.exports.charging import Delivery, Fee


class Charging(exports.Charging):
    @configured
    def charge(self, config: dict, delivery: Delivery) -> list[Fee]:
        prefix, surcharge = config["postal_prefix"], config["surcharge"]
        if delivery.country != config["country"] or not delivery.postal_code.startswith(prefix):
            return []
        return [
            Fee(consignment.fee_id, consignment.table_amount + surcharge, f"surcharge for {prefix}..")
            for consignment in delivery.consignments
            if consignment.table_amount is not None
        ]
