// A surcharge on the fee of the shop's table, for one region: which, and how much, is what the binding sets.
// It names no fee where the table has none.
import type * as chargingOf from "mortise:delivery-fee/charging@1.0.0";
import { configured } from "mortise";

type Config = {
  country: string;
  postal_prefix: string;
  /** Minor units. */
  surcharge: number;
};

export const charging: typeof chargingOf = {
  charge: configured((config: Config, delivery: chargingOf.Delivery): chargingOf.Fee[] => {
    if (delivery.country !== config.country || !delivery.postalCode.startsWith(config.postal_prefix)) return [];
    const reason = `surcharge for ${config.postal_prefix}..`;
    return delivery.consignments.flatMap(({ feeId, tableAmount }) =>
      tableAmount == null ? [] : [{ feeId, amount: tableAmount + config.surcharge, reason }],
    );
  }),
};
