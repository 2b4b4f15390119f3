// Package extension gives every so many units of the same item one free, in one department: which, and how many, is what
// the binding sets. It does not mix items, and gives no other discount.
package extension

import (
	"fmt"

	wit "go.bytecodealliance.org/pkg/wit/types"
	discounting "wit_component/mortise_discount_discounting"

	"mortise"
)

// Config is what the binding sets.
type Config struct {
	Department string `json:"department"`
	// 3 is "3 for 2".
	Every int64 `json:"every"`
}

// Propose answers the point.
var Propose = mortise.Configured(propose)

func propose(config Config, order discounting.Order) ([]discounting.Candidate, error) {
	reason := fmt.Sprintf("%d for %d on %s", config.Every, config.Every-1, config.Department)
	var candidates []discounting.Candidate
	for _, line := range order.Lines {
		amountOff := line.Quantity / config.Every * line.UnitAmount / line.UnitPer
		if department(line) != config.Department || amountOff == 0 {
			continue
		}
		candidates = append(candidates, discounting.Candidate{
			Lane:          "items",
			StackingGroup: wit.Some("multibuy"),
			Lines:         []string{line.LineId},
			AmountOff:     amountOff,
			Reason:        reason,
		})
	}
	return candidates, nil
}

func department(line discounting.Line) string {
	for _, attribute := range line.Attributes {
		if attribute.Name == "department" {
			return attribute.Value
		}
	}
	return ""
}
