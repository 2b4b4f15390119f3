// A score for whoever orders more often within an hour than is usual: how often that is, and the score, is what the
// binding sets. It never lowers the shop's own score.
import type * as scoringOf from "mortise:payment-risk/scoring@1.0.0";
import { configured } from "mortise";

type Config = { orders_an_hour: number; score: number };

export const scoring: typeof scoringOf = {
  assess: configured((config: Config, order: scoringOf.Order): scoringOf.Assessment => {
    const orders = order.lastHour.orders + 1;
    if (orders <= config.orders_an_hour) return { score: 0, reason: `order ${orders} within an hour` };
    return {
      score: config.score,
      reason: `order ${orders} within an hour, ${config.orders_an_hour} are usual`,
    };
  }),
};
