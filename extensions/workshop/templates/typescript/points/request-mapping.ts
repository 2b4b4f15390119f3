// A partner's cart, as the lines of a flow's input; for which flow is what the binding sets.
// It checks no item: the flow does.
import type * as mappingOf from "mortise:request-mapping/mapping@1.0.0";
import { configured } from "mortise";

type Config = { flow: string };
type Body = { cart?: { code: string; count: number }[] };

export const mapping: typeof mappingOf = {
  mapRequest: configured((config: Config, request: mappingOf.Request): mappingOf.Mapped | undefined => {
    const { cart } = JSON.parse(request.body) as Body;
    if (request.flow !== config.flow || cart === undefined) return undefined;
    const lines = cart.map((item) => ({ sku: item.code, quantity: item.count }));
    return { input: JSON.stringify({ lines }), reason: "a partner's cart" };
  }),
};
