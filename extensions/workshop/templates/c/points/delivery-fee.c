// A surcharge on the fee of the shop's table, for one region: which, and how much, is what the binding sets.
// It names no fee where the table has none.
#include <string.h>

#include "mortise.h"

typedef exports_mortise_delivery_fee_charging_delivery_t delivery_t;
typedef exports_mortise_delivery_fee_charging_consignment_t consignment_t;
typedef exports_mortise_delivery_fee_charging_fee_t fee_t;
typedef exports_mortise_delivery_fee_charging_list_fee_t fees_t;

bool exports_mortise_delivery_fee_charging_charge(guest_string_t *config, delivery_t *delivery, fees_t *fees, guest_string_t *err) {
  guest_string_t country, prefix;
  int64_t surcharge; // Minor units.
  if (!mortise_config_text(config, "country", &country)) return mortise_decline(err, "config: country is not set");
  if (!mortise_config_text(config, "postal_prefix", &prefix)) return mortise_decline(err, "config: postal_prefix is not set");
  if (!mortise_config_integer(config, "surcharge", &surcharge)) return mortise_decline(err, "config: surcharge is not set");

  *fees = (fees_t){mortise_list(delivery->consignments.len, sizeof(fee_t)), 0};
  bool begins = delivery->postal_code.len >= prefix.len && memcmp(delivery->postal_code.ptr, prefix.ptr, prefix.len) == 0;
  if (!begins || !mortise_same(delivery->country, country)) return true;

  for (size_t index = 0; index < delivery->consignments.len; index++) {
    const consignment_t *consignment = &delivery->consignments.ptr[index];
    if (!consignment->table_amount.is_some) continue;
    fees->ptr[fees->len++] = (fee_t){
        .fee_id = consignment->fee_id,
        .amount = consignment->table_amount.val + surcharge,
        .reason = mortise_text("surcharge for %.*s..", (int)prefix.len, prefix.ptr),
    };
  }
  return true;
}
