// A lower unit price for the customers of one group: by how much, and for whom, is what the binding sets.
// It raises no price, and leaves alone what is already cheaper.
import type * as pricingOf from "mortise:unit-price/pricing@1.0.0";
import { configured, isBelow, less, percent } from "mortise";

type Config = {
  customer_group: string;
  /** Off the list price, in basis points: 500 is 5%. */
  rate_bp: number;
};

export const pricing: typeof pricingOf = {
  offerPrices: configured((config: Config, order: pricingOf.Order): pricingOf.Offer[] => {
    if (order.customerGroup !== config.customer_group) return [];
    const reason = `${percent(config.rate_bp)} off for ${config.customer_group}`;
    return order.lines.flatMap((line) => {
      const loyal = less({ amount: line.listAmount, per: line.listPer }, config.rate_bp);
      const current = { amount: line.currentAmount, per: line.currentPer };
      return isBelow(loyal, current) ? [{ lineId: line.lineId, ...loyal, reason }] : [];
    });
  }),
};
