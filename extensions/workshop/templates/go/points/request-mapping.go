// A partner's cart, as the lines of a flow's input; for which flow is what the binding sets.
// It checks no item: the flow does.
package extension

import (
	"encoding/json"

	wit "go.bytecodealliance.org/pkg/wit/types"
	mapping "wit_component/mortise_request_mapping_mapping"

	"mortise"
)

// Config is what the binding sets.
type Config struct {
	Flow string `json:"flow"`
}

type body struct {
	Cart *[]struct {
		Code  string `json:"code"`
		Count int64  `json:"count"`
	} `json:"cart"`
}

type line struct {
	Sku      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// MapRequest answers the point.
var MapRequest = mortise.Configured(mapRequest)

func mapRequest(config Config, request mapping.Request) (wit.Option[mapping.Mapped], error) {
	none := wit.None[mapping.Mapped]()
	var sent body
	if err := json.Unmarshal([]byte(request.Body), &sent); err != nil {
		return none, err
	}
	if request.Flow != config.Flow || sent.Cart == nil {
		return none, nil
	}
	lines := []line{}
	for _, item := range *sent.Cart {
		lines = append(lines, line{item.Code, item.Count})
	}
	input, err := json.Marshal(map[string][]line{"lines": lines})
	if err != nil {
		return none, err
	}
	return wit.Some(mapping.Mapped{Input: string(input), Reason: "a partner's cart"}), nil
}
