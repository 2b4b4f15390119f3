// An order comes from one location, if that has all of it: which, is what the binding sets.
// It has no opinion on an order of which a line names its own location.
#include "mortise.h"

typedef exports_mortise_allocation_allocating_order_t order_t;
typedef exports_mortise_allocation_allocating_line_t line_t;
typedef exports_mortise_allocation_allocating_stock_t stock_t;
typedef exports_mortise_allocation_allocating_take_t take_t;
typedef exports_mortise_allocation_allocating_option_proposal_t proposal_t;

// What of an item stands at a location, open to every line; none where there is nothing.
static stock_t *stock_at(order_t *order, guest_string_t sku, guest_string_t location) {
  for (size_t index = 0; index < order->stock.len; index++) {
    stock_t *stock = &order->stock.ptr[index];
    if (!stock->named_only && mortise_same(stock->sku, sku) && mortise_same(stock->location, location)) return stock;
  }
  return NULL;
}

bool exports_mortise_allocation_allocating_allocate(guest_string_t *config, order_t *order, proposal_t *proposal, guest_string_t *err) {
  guest_string_t location;
  if (!mortise_config_text(config, "location", &location)) return mortise_decline(err, "config: location is not set");

  *proposal = (proposal_t){.is_some = false};
  take_t *takes = mortise_list(order->lines.len, sizeof(take_t));
  for (size_t index = 0; index < order->lines.len; index++) {
    const line_t *line = &order->lines.ptr[index];
    stock_t *stock = stock_at(order, line->sku, location);
    if (line->location.is_some || !stock || stock->saleable < line->quantity) return true;
    stock->saleable -= line->quantity;
    takes[index] = (take_t){line->line_id, location, line->quantity};
  }
  proposal->is_some = true;
  proposal->val.takes.ptr = takes;
  proposal->val.takes.len = order->lines.len;
  proposal->val.reason = mortise_text("%.*s has all of it", (int)location.len, location.ptr);
  return true;
}
