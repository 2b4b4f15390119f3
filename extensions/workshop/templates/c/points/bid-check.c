// A bid is higher than the price by a least step, which the binding sets. A first bid, and a leader's own, are free.
// It says nothing against what the auction's rules refuse anyway.
#include "mortise.h"

typedef exports_mortise_bid_check_bidding_bid_t bid_t;
typedef exports_mortise_bid_check_bidding_option_objection_t objection_t;

bool exports_mortise_bid_check_bidding_check(guest_string_t *config, bid_t *bid, objection_t *objection, guest_string_t *err) {
  int64_t step; // Minor units.
  if (!mortise_config_integer(config, "step", &step)) return mortise_decline(err, "config: step is not set");

  *objection = (objection_t){.is_some = false};
  int64_t at_least = bid->price.val + step;
  if (!bid->price.is_some || bid->own_maximum.is_some || bid->maximum >= at_least) return true;

  objection->is_some = true;
  objection->val.at_least.is_some = true;
  objection->val.at_least.val = at_least;
  objection->val.reason = mortise_text("a bid is at least %lld above the price", (long long)step);
  return true;
}
