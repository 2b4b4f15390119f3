// So many units of an item in a basket, in one department: which, and how many, is what the binding sets.
// It counts the basket only; what was bought before is a limit of the shop's own.
import type * as limitingOf from "mortise:purchase-limit/limiting@1.0.0";
import { attribute, configured } from "mortise";

type Config = {
  department: string;
  /** Units of one item. */
  most: number;
};

export const limiting: typeof limitingOf = {
  object: configured((config: Config, basket: limitingOf.Basket): limitingOf.Objection[] => {
    const reason = `at most ${config.most} of an item of ${config.department}`;
    const units = new Map<string, number>();
    return basket.lines
      .filter((line) => attribute(line, "department") === config.department)
      .filter((line) => {
        const before = units.get(line.sku) ?? 0;
        units.set(line.sku, before + line.quantity);
        // Once an item: the line that goes beyond.
        return before <= config.most && before + line.quantity > config.most;
      })
      .map((line) => ({ lineId: line.lineId, reason }));
  }),
};
