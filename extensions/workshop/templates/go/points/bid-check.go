// A bid is higher than the price by a least step, which the binding sets. A first bid, and a leader's own, are free.
// It says nothing against what the auction's rules refuse anyway.
package extension

import (
	"fmt"

	wit "go.bytecodealliance.org/pkg/wit/types"
	bidding "wit_component/mortise_bid_check_bidding"

	"mortise"
)

// Config is what the binding sets.
type Config struct {
	// Minor units.
	Step int64 `json:"step"`
}

// Check answers the point.
var Check = mortise.Configured(check)

func check(config Config, bid bidding.Bid) (wit.Option[bidding.Objection], error) {
	none := wit.None[bidding.Objection]()
	if bid.Price.IsNone() || bid.OwnMaximum.IsSome() {
		return none, nil
	}
	atLeast := bid.Price.Some() + config.Step
	if bid.Maximum >= atLeast {
		return none, nil
	}
	reason := fmt.Sprintf("a bid is at least %d above the price", config.Step)
	return wit.Some(bidding.Objection{AtLeast: wit.Some(atLeast), Reason: reason}), nil
}
