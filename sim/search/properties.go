package search

import "github.com/heddle-go/heddle/sim"

// PropertiesOf are all properties that a search of the scenario judges: the built-in ones, [Sometimes], and its own.
func PropertiesOf(sc *sim.Scenario) []sim.Property {
	all := append(sim.BuiltIn(), sim.Property{ID: Sometimes, Statement: "A search of 10,000 runs or more sees everything that a good search must see."})
	return append(all, sc.Properties...)
}

// StatementOf is what a property of the scenario says in words; its own come before the built-in ones of that id. It is empty for one that
// there is not.
func StatementOf(sc *sim.Scenario, property string) (statement string) {
	for _, p := range PropertiesOf(sc) {
		if p.ID == property {
			statement = p.Statement
		}
	}
	return statement
}
