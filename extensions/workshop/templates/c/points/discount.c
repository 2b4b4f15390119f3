// Every so many units of the same item one is free, in one department: which, and how many, is what the binding sets.
// It does not mix items, and gives no other discount.
#include "mortise.h"

typedef exports_mortise_discount_discounting_order_t order_t;
typedef exports_mortise_discount_discounting_line_t line_t;
typedef exports_mortise_discount_discounting_candidate_t candidate_t;
typedef exports_mortise_discount_discounting_list_candidate_t candidates_t;

bool exports_mortise_discount_discounting_propose(guest_string_t *config, order_t *order, candidates_t *candidates, guest_string_t *err) {
  guest_string_t wanted, department;
  int64_t every; // 3 is "3 for 2".
  if (!mortise_config_text(config, "department", &wanted)) return mortise_decline(err, "config: department is not set");
  if (!mortise_config_integer(config, "every", &every) || every < 2) return mortise_decline(err, "config: every is not set");

  *candidates = (candidates_t){mortise_list(order->lines.len, sizeof(candidate_t)), 0};
  for (size_t index = 0; index < order->lines.len; index++) {
    const line_t *line = &order->lines.ptr[index];
    int64_t amount_off = line->quantity / every * line->unit_amount / line->unit_per;
    bool there = mortise_attribute(line->attributes.ptr, line->attributes.len, "department", &department);
    if (!there || !mortise_same(department, wanted) || amount_off == 0) continue;

    guest_string_t *lines = mortise_list(1, sizeof(guest_string_t));
    lines[0] = mortise_text("%.*s", (int)line->line_id.len, line->line_id.ptr);
    candidates->ptr[candidates->len++] = (candidate_t){
        .lane = mortise_text("items"),
        .stacking_group = {true, mortise_text("multibuy")},
        .lines = {lines, 1},
        .amount_off = amount_off,
        .reason = mortise_text("%lld for %lld on %.*s", (long long)every, (long long)every - 1, (int)wanted.len, wanted.ptr),
    };
  }
  return true;
}
