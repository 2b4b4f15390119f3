// A lower unit price for the customers of one group: by how much, and for whom, is what the binding sets.
// It raises no price, and leaves alone what is already cheaper.
#include "mortise.h"

typedef exports_mortise_unit_price_pricing_order_t order_t;
typedef exports_mortise_unit_price_pricing_line_t line_t;
typedef exports_mortise_unit_price_pricing_offer_t offer_t;
typedef exports_mortise_unit_price_pricing_list_offer_t offers_t;

bool exports_mortise_unit_price_pricing_offer_prices(guest_string_t *config, order_t *order, offers_t *offers, guest_string_t *err) {
  guest_string_t group;
  int64_t rate_bp; // Off the list price, in basis points: 500 is 5%.
  if (!mortise_config_text(config, "customer_group", &group)) return mortise_decline(err, "config: customer_group is not set");
  if (!mortise_config_integer(config, "rate_bp", &rate_bp)) return mortise_decline(err, "config: rate_bp is not set");

  *offers = (offers_t){mortise_list(order->lines.len, sizeof(offer_t)), 0};
  if (!order->customer_group.is_some || !mortise_same(order->customer_group.val, group)) return true;

  guest_string_t percent = mortise_percent(rate_bp);
  for (size_t index = 0; index < order->lines.len; index++) {
    const line_t *line = &order->lines.ptr[index];
    mortise_price loyal = mortise_less((mortise_price){line->list_amount, line->list_per}, rate_bp);
    if (!mortise_is_below(loyal, (mortise_price){line->current_amount, line->current_per})) continue;
    offers->ptr[offers->len++] = (offer_t){
        .line_id = mortise_text("%.*s", (int)line->line_id.len, line->line_id.ptr),
        .amount = loyal.amount,
        .per = loyal.per,
        .reason = mortise_text("%.*s off for %.*s", (int)percent.len, percent.ptr, (int)group.len, group.ptr),
    };
  }
  return true;
}
