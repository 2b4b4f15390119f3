// Package extension gives the customers of one group a lower unit price: by how much, and to whom, is what the binding
// sets. It raises no price, and leaves alone what is already cheaper.
package extension

import (
	"fmt"

	"mortise"
	pricing "wit_component/mortise_unit_price_pricing"
)

// Config is what the binding sets.
type Config struct {
	CustomerGroup string `json:"customer_group"`
	// Off the list price, in basis points: 500 is 5%.
	RateBp int64 `json:"rate_bp"`
}

// OfferPrices answers the point.
var OfferPrices = mortise.Configured(offerPrices)

func offerPrices(config Config, order pricing.Order) ([]pricing.Offer, error) {
	if order.CustomerGroup.SomeOr("") != config.CustomerGroup {
		return nil, nil
	}
	reason := fmt.Sprintf("%s off for %s", mortise.Percent(config.RateBp), config.CustomerGroup)
	var offers []pricing.Offer
	for _, line := range order.Lines {
		loyal := mortise.Price{Amount: line.ListAmount, Per: line.ListPer}.Less(config.RateBp)
		if loyal.IsBelow(mortise.Price{Amount: line.CurrentAmount, Per: line.CurrentPer}) {
			offers = append(offers, pricing.Offer{LineId: line.LineId, Amount: loyal.Amount, Per: loyal.Per, Reason: reason})
		}
	}
	return offers, nil
}
