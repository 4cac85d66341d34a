package scenario_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/heddle-go/heddle/models/scenario"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/strategy"
)

// The scenarios have names. Here a search is made of a small one that is built to fail, and of its mended twin.
func ExampleAll() {
	mix, err := strategy.Parse(strategy.Default)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, sc := range scenario.All() {
		if !strings.HasPrefix(sc.Name, "litmus/dining-philosophers") {
			continue
		}
		report, err := search.Run(context.Background(), search.Config{Scenarios: []*sim.Scenario{sc}, Seed: "1", Strategy: mix, Runs: 300})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(sc.Name, "- failures:", len(report.Failures()))
		for _, f := range report.Failures() {
			fmt.Println("violated:", f.Property, "- built to violate:", sc.Fails)
		}
	}
	// Output:
	// litmus/dining-philosophers - failures: 1
	// violated: deadlock - built to violate: deadlock
	// litmus/dining-philosophers-fixed - failures: 0
}
