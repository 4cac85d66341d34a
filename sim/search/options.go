package search

import (
	"fmt"
	"strconv"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
)

// The options of a token.
const (
	optionOnly     = "only"
	optionNoFaults = "no-faults"
)

// TokenOptions is how a token holds the options of its run.
func TokenOptions(o sim.Options) (list []choice.Option) {
	if o.Only != "" {
		list = append(list, choice.Option{Name: optionOnly, Value: o.Only})
	}
	if o.NoFaults {
		list = append(list, choice.Option{Name: optionNoFaults, Value: strconv.FormatBool(true)})
	}
	return list
}

// OptionsOf are the options of the token's run. The error, one line, names an option that this build does not know.
func OptionsOf(t choice.Token) (o sim.Options, err error) {
	for _, option := range t.Options {
		switch option.Name {
		case optionOnly:
			o.Only = option.Value
		case optionNoFaults:
			o.NoFaults = option.Value == strconv.FormatBool(true)
		default:
			return o, fmt.Errorf("the token sets option %q, which scenario %s of this build does not have", option.Name, t.Scenario)
		}
	}
	return o, nil
}
