package heddle

import (
	"fmt"
	"slices"
	"strings"
)

// stores are what can keep what survives a crash. The scenarios on the first are named without it.
var stores = []string{"memory", "sqlite"}

// stored are the names of the same scenarios on a store; without names, of all that can be on it.
func (a *app) stored(names []string, store string) ([]string, error) {
	switch {
	case store == "" || store == stores[0]:
		return names, nil
	case !slices.Contains(stores, store):
		return nil, fmt.Errorf("unknown store %q: there are %s", store, strings.Join(stores, " and "))
	}
	var on []string
	for _, sc := range a.scenarios {
		if name, is := strings.CutSuffix(sc.Name, "/"+store); is {
			on = append(on, name)
		}
	}
	if len(on) == 0 {
		return nil, fmt.Errorf("no scenario of this program is on %s: its name would end with /%s", store, store)
	}
	if len(names) == 0 {
		names = on
	}
	var selected []string
	for _, name := range names {
		name = strings.TrimSuffix(name, "/"+store)
		if !slices.Contains(on, name) {
			if _, err := a.scenario(name); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("scenario %s has no store %s: %s has", name, store, strings.Join(on, ", "))
		}
		selected = append(selected, name+"/"+store)
	}
	return selected, nil
}
