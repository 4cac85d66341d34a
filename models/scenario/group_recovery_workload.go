package scenario

import (
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/agent/retry"
	"github.com/heddle-go/heddle/sim"
)

// GroupWorkload is what the members of a group do, as plain data.
type GroupWorkload struct {
	Routers, Members int
	// Pauses are before each invitation. Faults go on until the last user has done what he does, or for Patience, and then for Linger.
	Pauses           []time.Duration
	Patience, Linger time.Duration
	// CrashAfter are the steps after which somebody crashes, beside those whom the fault crash strikes, at most Crashes times. Down is how long
	// each then stays away.
	CrashAfter []int64
	Crashes    int
	Down       time.Duration
	// Ends are those who leave or are removed, and when.
	Ends []GroupEnd
	// Intruder is who joins by the invitation of a further member: 0 for nobody, else how he introduces himself.
	Intruder int
	// Bound is for how long something may be left to do after the world has healed, where no fault makes it longer. 0: as long as it may take (G1).
	Bound  time.Duration
	Small  agent.Config
	Config group.Config
}

// GroupEnd is the end of a membership.
type GroupEnd struct {
	Member  int
	After   time.Duration // since the user of the member, or of the host, has begun
	Removed bool          // by the host; else it leaves
}

// drawGroup draws a workload.
func drawGroup(w *sim.World) GroupWorkload {
	l := GroupWorkload{Routers: 1 + w.Value("routers", 3), Members: []int{2, 3, 3, 4, 5, 8}[w.Value("members", 6)]}
	pauses := []time.Duration{0, 0, time.Second, 10 * time.Second, time.Minute}
	l.Patience = 2 * time.Minute
	for range l.Members {
		pause := pauses[w.Value("pause", len(pauses))]
		l.Pauses, l.Patience = append(l.Pauses, pause), l.Patience+pause
	}
	l.Linger = []time.Duration{0, time.Second, 10 * time.Second, 2 * time.Minute}[w.Value("linger", 4)]
	for range w.Value("crashes at steps", 4) {
		l.CrashAfter = append(l.CrashAfter, int64(w.Value("crash at step", 8000)))
	}
	l.Crashes = []int{1, 2, 4, 8}[w.Value("crashes", 4)]
	l.Down = []time.Duration{0, time.Second, time.Minute}[w.Value("down", 3)]
	if w.Value("ends", 4) == 3 {
		afters := []time.Duration{0, time.Second, 10 * time.Second, 2 * time.Minute, 10 * time.Minute}
		for range 1 + w.Value("how many end", 2) {
			l.Ends = append(l.Ends, GroupEnd{
				Member: 1 + w.Value("who ends", l.Members), After: afters[w.Value("end", len(afters))], Removed: w.Value("removed", 2) == 1,
			})
		}
	}
	if w.Value("intruder", 6) == 5 {
		l.Intruder = 1 + w.Value("intruder says", len(says))
	}
	small := agent.DefaultConfig(protocol.RecipientService)
	small.PersistError = []time.Duration{0, 30 * time.Second}[w.Value("persist-error", 2)]
	small.PingInterval, small.PingTimeouts, small.Silence = 2*time.Minute, 2, 4*time.Minute
	l.Small = small
	commands := command.DefaultConfig()
	commands.Retry = retry.Interval{Initial: 2 * time.Second, GrowAfter: 10 * time.Second, Max: 30 * time.Second}
	commands.Events = []int{2048, 0, 1}[w.Value("events", 3)]
	l.Config = group.Config{Connections: connection.Config{Commands: commands}, Timeout: time.Hour}
	for i := range l.Routers {
		l.Config.Connections.Routers = append(l.Config.Connections.Routers, routerName(i))
	}
	return l
}
