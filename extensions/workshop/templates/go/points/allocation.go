// Package extension takes an order from one location, if that has all of it: which, is what the binding sets.
// It has no opinion on an order of which a line names its own location.
package extension

import (
	wit "go.bytecodealliance.org/pkg/wit/types"
	allocating "wit_component/mortise_allocation_allocating"

	"mortise"
)

// Config is what the binding sets.
type Config struct {
	Location string `json:"location"`
}

// Allocate answers the point.
var Allocate = mortise.Configured(allocate)

func allocate(config Config, order allocating.Order) (wit.Option[allocating.Proposal], error) {
	left := map[string]int64{}
	for _, stock := range order.Stock {
		if stock.Location == config.Location && !stock.NamedOnly {
			left[stock.Sku] = stock.Saleable
		}
	}
	var takes []allocating.Take
	for _, line := range order.Lines {
		if line.Location.IsSome() || left[line.Sku] < line.Quantity {
			return wit.None[allocating.Proposal](), nil
		}
		left[line.Sku] -= line.Quantity
		takes = append(takes, allocating.Take{LineId: line.LineId, Location: config.Location, Quantity: line.Quantity})
	}
	return wit.Some(allocating.Proposal{Takes: takes, Reason: config.Location + " has all of it"}), nil
}
