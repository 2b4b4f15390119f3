// A partner's cart, as the lines of a flow's input; for which flow is what the binding sets.
// It checks no item: the flow does.
#include "mortise.h"

typedef exports_mortise_request_mapping_mapping_request_t request_t;
typedef exports_mortise_request_mapping_mapping_option_mapped_t mapped_t;

bool exports_mortise_request_mapping_mapping_map_request(guest_string_t *config, request_t *request, mapped_t *mapped, guest_string_t *err) {
  guest_string_t flow, cart, item;
  if (!mortise_config_text(config, "flow", &flow)) return mortise_decline(err, "config: flow is not set");

  *mapped = (mapped_t){.is_some = false};
  if (!mortise_same(request->flow, flow) || !mortise_json_member(request->body, "cart", &cart)) return true;

  guest_string_t lines = mortise_text("");
  while (mortise_json_item(&cart, &item)) {
    guest_string_t member, sku;
    int64_t quantity;
    if (!mortise_json_member(item, "code", &member) || !mortise_json_text(member, &sku)) return mortise_decline(err, "an item of the cart has no code");
    if (!mortise_json_member(item, "count", &member) || !mortise_json_integer(member, &quantity)) return mortise_decline(err, "an item of the cart has no count");
    sku = mortise_json_quoted(sku);
    lines = mortise_text("%.*s%s{\"sku\":%.*s,\"quantity\":%lld}", (int)lines.len, lines.ptr, lines.len ? "," : "", (int)sku.len, sku.ptr, (long long)quantity);
  }
  mapped->is_some = true;
  mapped->val.input = mortise_text("{\"lines\":[%.*s]}", (int)lines.len, lines.ptr);
  mapped->val.reason = mortise_text("a partner's cart");
  return true;
}
