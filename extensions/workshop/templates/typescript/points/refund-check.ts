// What comes back late is worth a share of what was paid: from which day, and which share, is what the binding sets.
// It refuses nothing.
import type * as returningOf from "mortise:refund-check/returning@1.0.0";
import { configured, percent, rateOf } from "mortise";

type Config = {
  days: number;
  /** Of what was paid, in basis points: 5000 is half. */
  share_bp: number;
};

const DAY_MS = 24 * 60 * 60 * 1000;

export const returning: typeof returningOf = {
  rule: configured((config: Config, asked: returningOf.Asked): returningOf.Ruling => {
    const days = Math.trunc((asked.tradeTimeMs - asked.returnableFromMs) / DAY_MS);
    const reason = `back after ${days} days, ${percent(config.share_bp)} of the price`;
    const late = days > config.days ? asked.lines : [];
    const caps = late.map((line) => ({ lineId: line.lineId, atMost: rateOf(line.paid, config.share_bp), reason }));
    return { refusals: [], caps };
  }),
};
