// An order comes from one location, if that has all of it: which, is what the binding sets.
// It has no opinion on an order of which a line names its own location.
import type * as allocatingOf from "mortise:allocation/allocating@1.0.0";
import { configured } from "mortise";

type Config = { location: string };

export const allocating: typeof allocatingOf = {
  allocate: configured(({ location }: Config, order: allocatingOf.Order): allocatingOf.Proposal | undefined => {
    const open = order.stock.filter((stock) => stock.location === location && !stock.namedOnly);
    const left = new Map(open.map((stock) => [stock.sku, stock.saleable]));
    const takes: allocatingOf.Take[] = [];
    for (const { lineId, sku, quantity, location: named } of order.lines) {
      const there = left.get(sku) ?? 0;
      if (named != null || there < quantity) return undefined;
      left.set(sku, there - quantity);
      takes.push({ lineId, location, quantity });
    }
    return { takes, reason: `${location} has all of it` };
  }),
};
