// What comes back late is worth a share of what was paid: from which day, and which share, is what the binding sets.
// It refuses nothing.
#include "mortise.h"

typedef exports_mortise_refund_check_returning_asked_t asked_t;
typedef exports_mortise_refund_check_returning_line_t line_t;
typedef exports_mortise_refund_check_returning_cap_t cap_t;
typedef exports_mortise_refund_check_returning_ruling_t ruling_t;

static const int64_t day_ms = 24 * 60 * 60 * 1000;

bool exports_mortise_refund_check_returning_rule(guest_string_t *config, asked_t *asked, ruling_t *ruling, guest_string_t *err) {
  int64_t most_days, share_bp; // Of what was paid, in basis points: 5000 is half.
  if (!mortise_config_integer(config, "days", &most_days)) return mortise_decline(err, "config: days is not set");
  if (!mortise_config_integer(config, "share_bp", &share_bp)) return mortise_decline(err, "config: share_bp is not set");

  *ruling = (ruling_t){.refusals = {mortise_list(0, 1), 0}, .caps = {mortise_list(asked->lines.len, sizeof(cap_t)), 0}};
  int64_t days = (asked->trade_time_ms - asked->returnable_from_ms) / day_ms;
  if (days <= most_days) return true;

  guest_string_t percent = mortise_percent(share_bp);
  for (size_t index = 0; index < asked->lines.len; index++) {
    const line_t *line = &asked->lines.ptr[index];
    ruling->caps.ptr[ruling->caps.len++] = (cap_t){
        .line_id = mortise_text("%.*s", (int)line->line_id.len, line->line_id.ptr),
        .at_most = mortise_rate_of(line->paid, share_bp),
        .reason = mortise_text("back after %lld days, %.*s of the price", (long long)days, (int)percent.len, percent.ptr),
    };
  }
  return true;
}
