package scenario

import "github.com/heddle-go/heddle/sim"

// litmusTest is a classic concurrency bug as a small program, with the smallest change that mends it.
type litmusTest struct {
	name      string
	summary   string
	property  string // what the bug violates
	statement string // the property in words
	// depth is the least D for which pct:D finds the bug: how many ordering constraints make it (Burckhardt et al., "A
	// randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010).
	depth int
	// share is the chance that a run fails in which each decision is drawn uniformly, to five digits after the point.
	share   float64
	program func(w *sim.World, fixed bool) func()
}

// litmusTests are in the order in which they are listed: updates first, then deadlocks, then time and loops. A test makes every
// schedule of every one of them, and of its mended twin, and holds the shares.
var litmusTests = [...]litmusTest{
	{
		name: "lost-update", property: "lost-update", depth: 2, share: 0.39062,
		summary:   "two deposits read the balance in one critical section and write it in another",
		statement: "every deposit is in the balance",
		program:   lostUpdate,
	},
	{
		name: "lost-update-atomic", property: "lost-update", depth: 2, share: 0.3125,
		summary:   "two tasks count with a load and a store, each atomic, instead of one addition",
		statement: "every hit is counted",
		program:   lostUpdateAtomic,
	},
	{
		name: "lost-update-semaphore", property: "lost-update", depth: 2, share: 0.39062,
		summary:   "a channel of capacity 1 guards the read and the write of a stock, but not both together",
		statement: "the stock is what was there minus what was taken",
		program:   lostUpdateSemaphore,
	},
	{
		name: "double-checked-initialisation", property: "half-initialised", depth: 2, share: 0.05469,
		summary:   "a lazily made value is published before it is filled, and the fast path takes no lock",
		statement: "nobody sees the settings before they are filled",
		program:   doubleCheckedInitialisation,
	},
	{
		name: "aba", property: "block-in-use", depth: 2, share: 0.00671,
		summary:   "a lock-free free list compares the index of its head but not how often it has changed",
		statement: "a block that is in use is never handed out",
		program:   aba,
	},
	{
		name: "ab-ba-deadlock", property: "deadlock", depth: 2, share: 0.00952,
		summary:   "two transfers in opposite directions lock the payer first, one of them after booking its entries",
		statement: "both transfers end",
		program:   abBaDeadlock,
	},
	{
		name: "lost-wake-up", property: "deadlock", depth: 2, share: 0.01427,
		summary:   "a loader signals only those who wait already; a reader that has looked and not yet waited sleeps for ever",
		statement: "the reader is woken",
		program:   lostWakeUp,
	},
	{
		name: "full-queue-deadlock", property: "deadlock", depth: 1, share: 0.75,
		summary:   "a consumer puts what failed back into the queue that it alone empties, of capacity 1",
		statement: "every job is done",
		program:   fullQueueDeadlock,
	},
	{
		name: "dining-philosophers", property: "deadlock", depth: 2, share: 0.12811,
		summary:   "three philosophers take the left fork first",
		statement: "everybody eats",
		program:   diningPhilosophers,
	},
	{
		name: "timer-stop", property: "lease-lost", depth: 1, share: 0.3125,
		summary:   "a lease is renewed at the moment of its expiry, and nobody asks whether the timer was stopped in time",
		statement: "a lease that was renewed is held",
		program:   timerStop,
	},
	{
		name: "livelock", property: sim.Livelock, depth: 1, share: 0.65625,
		summary:   "two diners with one spoon offer it to each other for ever, each because the other is hungry",
		statement: "both eat",
		program:   livelock,
	},
}

// litmus are the litmus programs, each followed by its mended twin.
func litmus() []*sim.Scenario {
	var all []*sim.Scenario
	for _, l := range litmusTests {
		properties := []sim.Property{{ID: l.property, Statement: l.statement}}
		all = append(all,
			&sim.Scenario{
				Name: "litmus/" + l.name, Summary: l.summary, Properties: properties,
				Fails: l.property, Depth: l.depth, Share: l.share,
				Setup: func(w *sim.World) func() { return l.program(w, false) },
			},
			&sim.Scenario{
				Name: "litmus/" + l.name + "-fixed", Summary: "mended: " + l.summary, Properties: properties,
				Setup: func(w *sim.World) func() { return l.program(w, true) },
			})
	}
	return all
}
