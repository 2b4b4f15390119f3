// Package extension holds a basket to so many units of an item, in one department: which, and how many, is what the binding
// sets. It counts the basket only; what was bought before is a limit of the shop's own.
package extension

import (
	"fmt"

	wit "go.bytecodealliance.org/pkg/wit/types"
	limiting "wit_component/mortise_purchase_limit_limiting"

	"mortise"
)

// Config is what the binding sets.
type Config struct {
	Department string `json:"department"`
	// Units of one item.
	Most int64 `json:"most"`
}

// Object answers the point.
var Object = mortise.Configured(object)

func object(config Config, basket limiting.Basket) ([]limiting.Objection, error) {
	reason := fmt.Sprintf("at most %d of an item of %s", config.Most, config.Department)
	units := map[string]int64{}
	var objections []limiting.Objection
	for _, line := range basket.Lines {
		if department(line) != config.Department {
			continue
		}
		before := units[line.Sku]
		units[line.Sku] = before + line.Quantity
		// Once an item: the line that goes beyond.
		if before <= config.Most && before+line.Quantity > config.Most {
			objections = append(objections, limiting.Objection{LineId: wit.Some(line.LineId), Reason: reason})
		}
	}
	return objections, nil
}

func department(line limiting.Line) string {
	for _, attribute := range line.Attributes {
		if attribute.Name == "department" {
			return attribute.Value
		}
	}
	return ""
}
