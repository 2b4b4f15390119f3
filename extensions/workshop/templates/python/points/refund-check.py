"""What comes back late is worth a share of what was paid: from which day, and which share, is what the binding sets.
It refuses nothing."""

from mortise import configured, percent, rate_of
from wit_world import exports
from wit_world.exports.returning import Asked, Cap, Ruling

DAY_MS = 24 * 60 * 60 * 1000


class Returning(exports.Returning):
    @configured
    def rule(self, config: dict, asked: Asked) -> Ruling:
        days, share_bp = (asked.trade_time_ms - asked.returnable_from_ms) // DAY_MS, config["share_bp"]
        if days <= config["days"]:
            return Ruling([], [])
        reason = f"back after {days} days, {percent(share_bp)} of the price"
        return Ruling([], [Cap(line.line_id, rate_of(line.paid, share_bp), reason) for line in asked.lines])
