// So many units of an item in a basket, in one department: which, and how many, is what the binding sets.
// It counts the basket only; what was bought before is a limit of the shop's own.
#include "mortise.h"

typedef exports_mortise_purchase_limit_limiting_basket_t basket_t;
typedef exports_mortise_purchase_limit_limiting_line_t line_t;
typedef exports_mortise_purchase_limit_limiting_objection_t objection_t;
typedef exports_mortise_purchase_limit_limiting_list_objection_t objections_t;

static bool is_of(const line_t *line, guest_string_t department) {
  guest_string_t found;
  return mortise_attribute(line->attributes.ptr, line->attributes.len, "department", &found) && mortise_same(found, department);
}

bool exports_mortise_purchase_limit_limiting_object(guest_string_t *config, basket_t *basket, objections_t *objections, guest_string_t *err) {
  guest_string_t department;
  int64_t most; // Units of one item.
  if (!mortise_config_text(config, "department", &department)) return mortise_decline(err, "config: department is not set");
  if (!mortise_config_integer(config, "most", &most)) return mortise_decline(err, "config: most is not set");

  *objections = (objections_t){mortise_list(basket->lines.len, sizeof(objection_t)), 0};
  for (size_t index = 0; index < basket->lines.len; index++) {
    const line_t *line = &basket->lines.ptr[index];
    if (!is_of(line, department)) continue;
    int64_t before = 0;
    for (size_t earlier = 0; earlier < index; earlier++) {
      const line_t *other = &basket->lines.ptr[earlier];
      if (is_of(other, department) && mortise_same(other->sku, line->sku)) before += other->quantity;
    }
    // Once an item: the line that goes beyond.
    if (before > most || before + line->quantity <= most) continue;
    objections->ptr[objections->len++] = (objection_t){
        .line_id = {true, line->line_id},
        .reason = mortise_text("at most %lld of an item of %.*s", (long long)most, (int)department.len, department.ptr),
    };
  }
  return true;
}
