// A bid is higher than the price by a least step, which the binding sets. A first bid, and a leader's own, are free.
// It says nothing against what the auction's rules refuse anyway.
import type * as biddingOf from "mortise:bid-check/bidding@1.0.0";
import { configured } from "mortise";

type Config = {
  /** Minor units. */
  step: number;
};

export const bidding: typeof biddingOf = {
  check: configured((config: Config, bid: biddingOf.Bid): biddingOf.Objection | undefined => {
    if (bid.price == null || bid.ownMaximum != null) return undefined;
    const atLeast = bid.price + config.step;
    if (bid.maximum >= atLeast) return undefined;
    return { atLeast, reason: `a bid is at least ${config.step} above the price` };
  }),
};
