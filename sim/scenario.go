package sim

// Scenario is a named world with its workload, faults and checks.
type Scenario struct {
	Name    string
	Summary string // one line
	// Properties are those that the scenario checks, beside the built-in ones.
	Properties []Property
	// Sometimes are the ids that a good search must have seen; see World.Sometimes.
	Sometimes []string
	// Fails is the property that the scenario is built to violate; empty for one that must hold. A failing scenario runs only
	// by name.
	Fails string
	// Depth is the bug depth: how many ordering constraints suffice to make the bug show (Burckhardt et al. 2010). Share is the
	// share of its runs under the random strategy that fail.
	Depth int
	Share float64
	// Setup builds the world, outside any task, and answers the main task, which runs on the host. It must be a function of
	// the world's decisions alone, and may be called concurrently for different worlds.
	Setup func(w *World) (main func())
}

// Property is something that must hold.
type Property struct {
	ID        string `json:"id"`
	Statement string `json:"statement"`
}

// The properties that every run is checked for.
const (
	Deadlock = "deadlock"
	Leak     = "leak"
	Panic    = "panic"
	Steps    = "steps"
	Goexit   = "goexit"
	Livelock = "livelock"
)

// BuiltIn are the properties that every run is checked for, whatever its scenario.
func BuiltIn() []Property {
	return []Property{
		{Deadlock, "The main task returns: it never waits for something that nothing can bring about."},
		{Leak, "When the main task has returned, all other tasks end, within an hour of virtual time."},
		{Panic, "No task panics."},
		{Steps, "A run ends within its limit of steps."},
		{Goexit, "No task calls runtime.Goexit."},
		{Livelock, "With faults over and something still owed (World.Owes), the world does not go round in a loop."},
	}
}
