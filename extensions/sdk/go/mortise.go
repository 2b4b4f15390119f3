// Package mortise is what a Mortise extension in Go shares: the binding's config, SKU attributes, and integer money. The
// types of a point are those that wit-bindgen makes of its WIT, such as wit_component/mortise_unit_price_pricing.
package mortise

import (
	"encoding/json"
	"fmt"
	"math/bits"

	wit "go.bytecodealliance.org/pkg/wit/types"
)

// Configured makes a point's function of one that takes the binding's config as a value of its own type. An error becomes
// its answer "none, for this reason"; the binding says whether the trade is then refused or goes on without it.
func Configured[Config, Question, Answer any](
	answer func(Config, Question) (Answer, error),
) func(string, Question) wit.Result[Answer, string] {
	return func(text string, question Question) wit.Result[Answer, string] {
		var config Config
		if text != "" {
			if err := json.Unmarshal([]byte(text), &config); err != nil {
				return wit.Err[Answer, string](fmt.Sprintf("config: %v", err))
			}
		}
		found, err := answer(config, question)
		if err != nil {
			return wit.Err[Answer, string](err.Error())
		}
		return wit.Ok[Answer, string](found)
	}
}

// Price is an amount in minor units for so many units: "3 for 5.00" is Price{500, 3}.
type Price struct{ Amount, Per int64 }

// Less is this price less a rate in basis points (500 is 5%), to the nearest minor unit, halves up.
func (p Price) Less(rateBp int64) Price { return Price{RateOf(p.Amount, 10_000-rateBp), p.Per} }

// IsBelow says whether it is cheaper for each unit than the other, exactly: 500 for 3 is below 167 for 1. Both are prices
// of a point, so neither amount is negative.
func (p Price) IsBelow(other Price) bool {
	high, low := bits.Mul64(uint64(p.Amount), uint64(other.Per))
	otherHigh, otherLow := bits.Mul64(uint64(other.Amount), uint64(p.Per))
	return high < otherHigh || high == otherHigh && low < otherLow
}

// RateOf is a rate in basis points of an amount, rounded half up (away from zero for negative amounts). The amount is
// within the bounds of a point, so its product has room.
func RateOf(amount, rateBp int64) int64 {
	product := amount * rateBp
	if product < 0 {
		return -((-product + 5_000) / 10_000)
	}
	return (product + 5_000) / 10_000
}

// Percent is a rate as people write it: 500 is "5%", 1250 is "12.5%".
func Percent(rateBp int64) string {
	whole, rest := rateBp/100, rateBp%100
	if rest < 0 {
		rest = -rest
	}
	switch {
	case rest == 0:
		return fmt.Sprintf("%d%%", whole)
	case rest%10 == 0:
		return fmt.Sprintf("%d.%d%%", whole, rest/10)
	default:
		return fmt.Sprintf("%d.%02d%%", whole, rest)
	}
}
