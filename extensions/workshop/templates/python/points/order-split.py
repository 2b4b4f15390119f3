"""Goods of one storage class travel in parcels of their own: which class, is what the binding sets.
An order without any is nobody's here to split."""

from mortise import attribute, configured
from wit_world import exports
from wit_world.exports.splitting import Order, Parcel, Part, Plan


class Splitting(exports.Splitting):
    @configured
    def split(self, config: dict, order: Order) -> Plan | None:
        storage = config["storage"]
        parcels: dict[tuple[str, bool], Parcel] = {}
        for item in order.items:
            apart = attribute(item, "storage") == storage
            parcel = parcels.setdefault((item.location, apart), Parcel(item.location, []))
            parcel.parts.append(Part(item.line_id, item.quantity))
        if not any(apart for _, apart in parcels):
            return None
        return Plan(list(parcels.values()), f"{storage} travels apart")
