// Goods of one storage class travel in parcels of their own: which class, is what the binding sets.
// An order without any is nobody's here to split.
#include "mortise.h"

typedef exports_mortise_order_split_splitting_order_t order_t;
typedef exports_mortise_order_split_splitting_item_t item_t;
typedef exports_mortise_order_split_splitting_parcel_t parcel_t;
typedef exports_mortise_order_split_splitting_part_t part_t;
typedef exports_mortise_order_split_splitting_option_plan_t plan_t;

static bool is_of(const item_t *item, guest_string_t storage) {
  guest_string_t found;
  return mortise_attribute(item->attributes.ptr, item->attributes.len, "storage", &found) && mortise_same(found, storage);
}

bool exports_mortise_order_split_splitting_split(guest_string_t *config, order_t *order, plan_t *plan, guest_string_t *err) {
  guest_string_t storage; // A value of the attribute `storage`.
  if (!mortise_config_text(config, "storage", &storage)) return mortise_decline(err, "config: storage is not set");

  size_t items = order->items.len, parcels = 0;
  parcel_t *parcel = mortise_list(items, sizeof(parcel_t));
  bool *apart = mortise_list(items, sizeof(bool)); // Of a parcel.
  *plan = (plan_t){.is_some = false};
  for (size_t index = 0; index < items; index++) {
    const item_t *item = &order->items.ptr[index];
    bool is_apart = is_of(item, storage);
    plan->is_some = plan->is_some || is_apart;
    size_t at = 0;
    while (at < parcels && !(apart[at] == is_apart && mortise_same(parcel[at].location, item->location))) at++;
    if (at == parcels) {
      apart[parcels] = is_apart;
      parcel[parcels].location = item->location;
      parcel[parcels++].parts.ptr = mortise_list(items, sizeof(part_t));
    }
    parcel[at].parts.ptr[parcel[at].parts.len++] = (part_t){item->line_id, item->quantity};
  }
  plan->val.parcels.ptr = parcel;
  plan->val.parcels.len = parcels;
  plan->val.reason = mortise_text("%.*s travels apart", (int)storage.len, storage.ptr);
  return true;
}
