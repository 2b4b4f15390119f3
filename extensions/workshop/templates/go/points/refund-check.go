// What comes back late is worth a share of what was paid: from which day, and which share, is what the binding sets.
// It refuses nothing.
package extension

import (
	"fmt"

	"mortise"
	returning "wit_component/mortise_refund_check_returning"
)

const dayMs = 24 * 60 * 60 * 1000

// Config is what the binding sets.
type Config struct {
	Days int64 `json:"days"`
	// Of what was paid, in basis points: 5000 is half.
	ShareBp int64 `json:"share_bp"`
}

// Rule answers the point.
var Rule = mortise.Configured(rule)

func rule(config Config, asked returning.Asked) (returning.Ruling, error) {
	days := (asked.TradeTimeMs - asked.ReturnableFromMs) / dayMs
	if days <= config.Days {
		return returning.Ruling{}, nil
	}
	reason := fmt.Sprintf("back after %d days, %s of the price", days, mortise.Percent(config.ShareBp))
	var caps []returning.Cap
	for _, line := range asked.Lines {
		atMost := mortise.RateOf(line.Paid, config.ShareBp)
		caps = append(caps, returning.Cap{LineId: line.LineId, AtMost: atMost, Reason: reason})
	}
	return returning.Ruling{Caps: caps}, nil
}
