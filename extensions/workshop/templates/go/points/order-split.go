// Package extension lets goods of one storage class travel in parcels of their own: which class, is what the binding sets.
// An order without any is nobody's here to split.
package extension

import (
	wit "go.bytecodealliance.org/pkg/wit/types"
	splitting "wit_component/mortise_order_split_splitting"

	"mortise"
)

// Config is what the binding sets.
type Config struct {
	// A value of the attribute `storage`.
	Storage string `json:"storage"`
}

type group struct {
	location string
	apart    bool
}

// Split answers the point.
var Split = mortise.Configured(split)

func split(config Config, order splitting.Order) (wit.Option[splitting.Plan], error) {
	var parcels []splitting.Parcel
	at, anyApart := map[group]int{}, false
	for _, item := range order.Items {
		key := group{item.Location, storage(item) == config.Storage}
		anyApart = anyApart || key.apart
		index, known := at[key]
		if !known {
			index = len(parcels)
			at[key] = index
			parcels = append(parcels, splitting.Parcel{Location: item.Location})
		}
		part := splitting.Part{LineId: item.LineId, Quantity: item.Quantity}
		parcels[index].Parts = append(parcels[index].Parts, part)
	}
	if !anyApart {
		return wit.None[splitting.Plan](), nil
	}
	return wit.Some(splitting.Plan{Parcels: parcels, Reason: config.Storage + " travels apart"}), nil
}

func storage(item splitting.Item) string {
	for _, attribute := range item.Attributes {
		if attribute.Name == "storage" {
			return attribute.Value
		}
	}
	return ""
}
