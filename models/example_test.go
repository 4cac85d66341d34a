package models_test

import (
	"fmt"

	"github.com/heddle-go/heddle/models"
)

// Two sessions ask a router for a queue at the same time, and both are granted it: the later one is its owner. Which one that was
// shows when a session is told that it has lost the queue. To tell both so is wrong, in whatever order they were granted it.
func ExampleNewHistory() {
	history := models.NewHistory(models.Ownership(), 64)
	queue := history.Key("1")
	ask := func(session string, granted bool) models.OwnerCall {
		return models.OwnerCall{Op: models.OwnerSubscribe, Session: session, Granted: granted, Known: granted}
	}
	first := history.Call(queue, 1, 10, ask("a", false)) // the answer is not known yet
	second := history.Call(queue, 2, 11, ask("b", false))
	history.Return(second, 14, ask("b", true))
	history.Return(first, 15, ask("a", true))

	history.Point(queue, 0, 20, models.OwnerCall{Op: models.OwnerEnd, Session: "a"})
	fmt.Printf("%q\n", history.Check(0).Illegal)
	history.Point(queue, 0, 21, models.OwnerCall{Op: models.OwnerEnd, Session: "b"})
	fmt.Println(history.Check(0).Story)
	// Output:
	// ""
	// owner of queue 1, first nobody: [10..15 by 1] subscribe(a) granted=true; [11..14 by 2] subscribe(b) granted=true; [20..20 by 0] END to a; [21..21 by 0] END to b
}
