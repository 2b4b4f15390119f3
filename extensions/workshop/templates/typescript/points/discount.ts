// Every so many units of the same item one is free, in one department: which, and how many, is what the binding sets.
// It does not mix items, and gives no other discount.
import type * as discountingOf from "mortise:discount/discounting@1.1.0";
import { attribute, configured, costOf } from "mortise";

type Config = {
  department: string;
  /** 3 is "3 for 2". */
  every: number;
};

export const discounting: typeof discountingOf = {
  propose: configured((config: Config, order: discountingOf.Order): discountingOf.Candidate[] => {
    const reason = `${config.every} for ${config.every - 1} on ${config.department}`;
    return order.lines
      .filter((line) => attribute(line, "department") === config.department)
      .map((line) => ({
        lane: "items",
        stackingGroup: "multibuy",
        lines: [line.lineId],
        amountOff: costOf(
          { amount: line.unitAmount, per: line.unitPer },
          Math.floor(line.quantity / config.every),
        ),
        reason,
      }))
      .filter((candidate) => candidate.amountOff > 0);
  }),
};
