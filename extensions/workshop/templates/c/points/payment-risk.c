// A score for whoever orders more often within an hour than is usual: how often that is, and the score, is what the
// binding sets. It never lowers the shop's own score.
#include "mortise.h"

typedef exports_mortise_payment_risk_scoring_order_t order_t;
typedef exports_mortise_payment_risk_scoring_assessment_t assessment_t;

bool exports_mortise_payment_risk_scoring_assess(guest_string_t *config, order_t *order, assessment_t *assessment, guest_string_t *err) {
  int64_t usual, score;
  if (!mortise_config_integer(config, "orders_an_hour", &usual)) return mortise_decline(err, "config: orders_an_hour is not set");
  if (!mortise_config_integer(config, "score", &score)) return mortise_decline(err, "config: score is not set");

  int64_t orders = order->last_hour.orders + 1;
  if (orders <= usual) {
    *assessment = (assessment_t){0, mortise_text("order %lld within an hour", (long long)orders)};
  } else {
    *assessment = (assessment_t){score, mortise_text("order %lld within an hour, %lld are usual", (long long)orders, (long long)usual)};
  }
  return true;
}
