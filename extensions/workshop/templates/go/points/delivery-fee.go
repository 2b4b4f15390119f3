// Package extension puts a surcharge on the fee of the shop's table, for one region: which, and how much, is what the binding
// sets. It names no fee where the table has none.
package extension

import (
	"fmt"
	"strings"

	"mortise"
	charging "wit_component/mortise_delivery_fee_charging"
)

// Config is what the binding sets.
type Config struct {
	Country      string `json:"country"`
	PostalPrefix string `json:"postal_prefix"`
	// Minor units.
	Surcharge int64 `json:"surcharge"`
}

// Charge answers the point.
var Charge = mortise.Configured(charge)

func charge(config Config, delivery charging.Delivery) ([]charging.Fee, error) {
	if delivery.Country != config.Country || !strings.HasPrefix(delivery.PostalCode, config.PostalPrefix) {
		return nil, nil
	}
	reason := fmt.Sprintf("surcharge for %s..", config.PostalPrefix)
	var fees []charging.Fee
	for _, consignment := range delivery.Consignments {
		if consignment.TableAmount.IsSome() {
			amount := consignment.TableAmount.Some() + config.Surcharge
			fees = append(fees, charging.Fee{FeeId: consignment.FeeId, Amount: amount, Reason: reason})
		}
	}
	return fees, nil
}
