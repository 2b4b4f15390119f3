// A score for whoever orders more often within an hour than is usual: how often that is, and the score, is what the
// binding sets. It never lowers the shop's own score.
package extension

import (
	"fmt"

	"mortise"
	scoring "wit_component/mortise_payment_risk_scoring"
)

// Config is what the binding sets.
type Config struct {
	OrdersAnHour int64 `json:"orders_an_hour"`
	Score        int64 `json:"score"`
}

// Assess answers the point.
var Assess = mortise.Configured(assess)

func assess(config Config, order scoring.Order) (scoring.Assessment, error) {
	orders := order.LastHour.Orders + 1
	reason := fmt.Sprintf("order %d within an hour", orders)
	if orders <= config.OrdersAnHour {
		return scoring.Assessment{Score: 0, Reason: reason}, nil
	}
	reason = fmt.Sprintf("%s, %d are usual", reason, config.OrdersAnHour)
	return scoring.Assessment{Score: config.Score, Reason: reason}, nil
}
