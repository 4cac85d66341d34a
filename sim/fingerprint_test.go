package sim_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// fingerprintOf is the fingerprint of the state to which prepare leads, at the next rest.
func fingerprintOf(t *testing.T, seed uint64, prepare func(w *sim.World)) (fingerprint uint64) {
	taken := false
	resultOf(t, seed, func(w *sim.World) {
		prepare(w)
		w.AtNextRest(func(f uint64) { fingerprint, taken = f, true })
		sleep(w, time.Second)
	})
	require.True(t, taken)
	return fingerprint
}

// scene is a state of tasks, objects, timers and a model.
type scene struct {
	reader, writer string // names of two tasks
	writers        int
	full           int // values in the channel at which the writers wait
	shared         bool
	closes         bool          // and nobody waits at the reader's channel
	nap            time.Duration // of a task that sleeps
	timer          time.Duration // until something happens that no task waits for
	locked         bool          // a task waits for a mutex
	stalled        bool
	session        string // of the model
	pending        int
	expiry         time.Duration
}

var plain = scene{reader: "reader", writer: "writer", writers: 2, full: 1, nap: 3 * time.Second, timer: 7 * time.Second, session: "a", pending: 1, expiry: 9 * time.Second}

// set makes the scene, its tasks in either order.
func (s scene) set(w *sim.World, reversed bool) {
	node := w.Node("node")
	in, out := sched.NewChan[int](node, s.full), sched.NewChan[int](node, 0)
	for range s.full {
		in.Send(0)
	}
	mu := sched.NewMutex(node)
	mu.Lock()
	tasks := []func(){
		func() {
			if !s.closes {
				node.Go(s.reader, func() { out.Recv() })
			}
		},
		func() { node.Go("sleeper", func() { _ = node.Clock().Sleep(context.Background(), s.nap) }) },
		func() {
			if s.locked {
				node.Go("locker", mu.Lock)
			}
		},
	}
	for range s.writers {
		own := in
		if !s.shared && s.writers > 1 {
			own = sched.NewChan[int](node, s.full)
			for range s.full {
				own.Send(0)
			}
		}
		tasks = append(tasks, func() { node.Go(s.writer, func() { own.Send(1) }) })
	}
	for i := range tasks {
		if reversed {
			i = len(tasks) - 1 - i
		}
		tasks[i]()
	}
	sched.Yield(w.Host())
	w.After(s.timer, func() {})
	sleep(w, time.Millisecond) // all have come to where they wait
	if s.stalled {
		node.Stall(time.Minute)
	}
	expiry := w.Elapsed() + s.expiry
	w.OnFingerprint(func(f *sim.Fingerprint) {
		f.Name(s.session)
		f.Name("another")
		f.Name(s.session)
		f.Int(s.pending)
		f.Time(expiry)
	})
}

func TestTheFingerprintIsThatOfTheStateAndNotOfItsNumbers(t *testing.T) {
	want := fingerprintOf(t, 1, func(w *sim.World) { plain.set(w, false) })
	other := plain
	other.session = "b"
	for name, prepare := range map[string]func(w *sim.World){
		"again":          func(w *sim.World) { plain.set(w, false) },
		"other sessions": func(w *sim.World) { other.set(w, false) },
		"other order":    func(w *sim.World) { plain.set(w, true) },
		"later": func(w *sim.World) {
			sleep(w, time.Hour)
			plain.set(w, false)
		},
		"after objects and tasks that are gone": func(w *sim.World) {
			for range 5 {
				sched.NewChan[int](w.Host(), 3).Send(0)
				w.Node("gone").Go("gone", func() { sleep(w, time.Minute) })
			}
			sleep(w, time.Hour)
			plain.set(w, false)
		},
	} {
		for seed := range uint64(5) {
			require.Equal(t, want, fingerprintOf(t, seed, prepare), "%s, seed %d", name, seed)
		}
	}
}

func TestTheFingerprintTellsStatesApart(t *testing.T) {
	seen := map[uint64]string{fingerprintOf(t, 1, func(w *sim.World) { plain.set(w, false) }): "plain"}
	for name, change := range map[string]func(*scene){
		"another task":                    func(s *scene) { s.reader = "listener" },
		"more tasks":                      func(s *scene) { s.writers = 3 },
		"one channel for two":             func(s *scene) { s.shared = true },
		"more values in a channel":        func(s *scene) { s.full = 2 },
		"a task less":                     func(s *scene) { s.closes = true },
		"a task that sleeps longer":       func(s *scene) { s.nap += time.Millisecond },
		"a timer that fires later":        func(s *scene) { s.timer += time.Millisecond },
		"a task that waits for a lock":    func(s *scene) { s.locked = true },
		"a stalled node":                  func(s *scene) { s.stalled = true },
		"a model in which ids are shared": func(s *scene) { s.session = "another" },
		"a model with another number":     func(s *scene) { s.pending++ },
		"a model with another time":       func(s *scene) { s.expiry++ },
	} {
		changed := plain
		change(&changed)
		f := fingerprintOf(t, 1, func(w *sim.World) { changed.set(w, false) })
		require.NotContains(t, seen, f, "%s has the fingerprint of: %s", name, seen[f])
		seen[f] = name
	}
}

// silent is an acceptor that answers nothing.
type silent struct{ *echo }

func (silent) Receive(net.SessionID, string) {}

func TestTheFingerprintHasConnectionsAndWhatIsOnThem(t *testing.T) {
	seen := map[uint64]string{}
	for name, use := range map[string]func(w *sim.World, c net.Conn[string, string]){
		"open":   func(*sim.World, net.Conn[string, string]) {},
		"closed": func(_ *sim.World, c net.Conn[string, string]) { _ = c.Close() },
	} {
		for _, before := range []int{0, 3} { // sessions that were
			f := fingerprintOf(t, 1, func(w *sim.World) {
				w.Heal()
				n := sim.NewNetwork[string, string](w)
				require.NoError(t, n.Listen("router", silent{newEcho()}))
				d := n.Dialer(w.Node("client"))
				for range before {
					c, err := d.Dial(context.Background(), "router", "me")
					require.NoError(t, err)
					require.NoError(t, c.Close())
				}
				c, err := d.Dial(context.Background(), "router", "me")
				require.NoError(t, err)
				use(w, c)
			})
			if before > 0 {
				require.Equal(t, name, seen[f], "after %d sessions", before)
			}
			seen[f] = name
		}
	}
	require.Len(t, seen, 2, fmt.Sprint(seen))
}

func TestAFingerprintOfAModel(t *testing.T) {
	make := func(now time.Duration, add func(f *sim.Fingerprint)) uint64 {
		var f sim.Fingerprint
		f.Begin(now)
		add(&f)
		return f.Sum()
	}
	base := make(time.Minute, func(f *sim.Fingerprint) {
		f.Name("a")
		f.Flags(true, false)
		f.Since(0, time.Second)
		f.Time(2 * time.Minute)
	})
	require.Equal(t, base, make(time.Hour, func(f *sim.Fingerprint) {
		f.Name("b")
		f.Flags(true, false)
		f.Since(time.Minute, time.Second)
		f.Time(time.Hour + time.Minute)
	}))
	for name, add := range map[string]func(f *sim.Fingerprint){
		"no id": func(f *sim.Fingerprint) {
			f.Name("")
			f.Flags(true, false)
			f.Since(0, time.Second)
			f.Time(2 * time.Minute)
		},
		"other flags": func(f *sim.Fingerprint) {
			f.Name("a")
			f.Flags(false, true)
			f.Since(0, time.Second)
			f.Time(2 * time.Minute)
		},
		"more flags": func(f *sim.Fingerprint) {
			f.Name("a")
			f.Flags(false, true, false)
			f.Since(0, time.Second)
			f.Time(2 * time.Minute)
		},
		"less long ago": func(f *sim.Fingerprint) {
			f.Name("a")
			f.Flags(true, false)
			f.Since(time.Minute-time.Millisecond, time.Second)
			f.Time(2 * time.Minute)
		},
	} {
		require.NotEqual(t, base, make(time.Minute, add), name)
	}
}
