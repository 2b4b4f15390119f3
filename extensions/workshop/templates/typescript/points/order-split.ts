// Goods of one storage class travel in parcels of their own: which class, is what the binding sets.
// An order without any is nobody's here to split.
import type * as splittingOf from "mortise:order-split/splitting@1.0.0";
import { attribute, configured } from "mortise";

type Config = {
  /** A value of the attribute `storage`. */
  storage: string;
};

export const splitting: typeof splittingOf = {
  split: configured(({ storage }: Config, order: splittingOf.Order): splittingOf.Plan | undefined => {
    const apart = (item: splittingOf.Item) => attribute(item, "storage") === storage;
    if (!order.items.some(apart)) return undefined;
    const parcels = new Map<string, splittingOf.Parcel>();
    for (const item of order.items) {
      const key = `${apart(item)} ${item.location}`;
      const parcel = parcels.get(key) ?? { location: item.location, parts: [] };
      parcel.parts.push({ lineId: item.lineId, quantity: item.quantity });
      parcels.set(key, parcel);
    }
    return { parcels: [...parcels.values()], reason: `${storage} travels apart` };
  }),
};
