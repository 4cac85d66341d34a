package sim_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/search"
)

// logged are the records of a steady run, each with its step, its virtual time and its task.
func logged(t *testing.T, main func(w *sim.World)) (lines []string) {
	sc := &sim.Scenario{Name: t.Name(), Setup: func(w *sim.World) func() { return func() { main(w) } }}
	_, err := search.Replay(sc, choice.Token{Scenario: sc.Name, Deviations: []choice.Deviation{}}, search.NewTracer(func(e search.Event) {
		if e.Log != nil {
			lines = append(lines, fmt.Sprintf("%d %s %s %s", e.Step, e.Time, e.Actor, search.LogText(e.Log)))
		}
	}).WithLog())
	require.NoError(t, err)
	return lines
}

func TestALogIsStampedWithStepTimeTaskAndNode(t *testing.T) {
	require.Equal(t, []string{
		"1 0s main main: INFO begins",
		"3 0s main/dialer client: DEBUG dials attempt=1",
		`8 3s main/dialer client: WARN refused\nagain error="no route" after=3s`,
	}, logged(t, func(w *sim.World) {
		n := w.Node("client")
		w.Host().Logger().Info("begins")
		n.Go("dialer", func() {
			log := n.Logger()
			log.Debug("dials", "attempt", 1)
			_ = n.Clock().Sleep(context.Background(), 3*time.Second)
			log.Warn("refused\nagain", "error", errors.New("no route"), "after", 3*time.Second)
		})
	}))
}

// price is a value that says itself what is to be logged of it.
type price int

func (p price) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("euros", int(p)/100), slog.Int("cents", int(p)%100))
}

func TestALogKeepsAttributesAndGroups(t *testing.T) {
	lines := logged(t, func(w *sim.World) {
		log := w.Host().Logger().With("shop", "corner").WithGroup("order").With(slog.Group("item", "name", "a lamp", "cost", price(1250)))
		log.WithGroup("").Error("cannot be delivered", "to", "", slog.Group("", slog.Bool("inlined", true)), slog.Group("empty"), slog.Attr{})
		log.Info("next", "where", &struct{ p *int }{new(int)})
	})
	require.Equal(t, []string{
		`main: ERROR cannot be delivered shop=corner order.item.name="a lamp" order.item.cost.euros=12 order.item.cost.cents=50 order.to="" order.inlined=true`,
		`main: INFO next shop=corner order.item.name="a lamp" order.item.cost.euros=12 order.item.cost.cents=50 order.where=&{p:0x...}`,
	}, []string{strings.TrimPrefix(lines[0], "1 0s main "), strings.TrimPrefix(lines[1], "1 0s main ")})
}

// TestALoggerIsASlogHandler: as package slog's own test wants one. It wants the time as well, which a simulation leaves out.
func TestALoggerIsASlogHandler(t *testing.T) {
	var records []map[string]any
	read := func(e search.Event) {
		if e.Log == nil {
			return
		}
		r := map[string]any{slog.LevelKey: e.Log.Level, slog.MessageKey: e.Log.Message, slog.TimeKey: "none"}
		for _, a := range e.Log.Attributes {
			at, keys := r, strings.Split(a.Key, ".")
			for _, group := range keys[:len(keys)-1] {
				if at[group] == nil {
					at[group] = map[string]any{}
				}
				at = at[group].(map[string]any)
			}
			at[keys[len(keys)-1]] = a.Value
		}
		records = append(records, r)
	}
	sc := &sim.Scenario{Name: "slogtest", Setup: func(w *sim.World) func() {
		return func() {
			err := slogtest.TestHandler(w.Host().Logger().Handler(), func() []map[string]any { return records })
			for line := range strings.Lines(fmt.Sprint(err)) {
				if !strings.Contains(line, `unexpected key "time"`) && err != nil {
					w.Fail("handler", "%s", line)
				}
			}
		}
	}}
	replayed, err := search.Replay(sc, choice.Token{Scenario: sc.Name, Deviations: []choice.Deviation{}}, search.NewTracer(read).WithLog())
	require.NoError(t, err)
	require.Nil(t, replayed.Failure)
	require.Greater(t, len(records), 10)
}

// nosy is a value that uses the program's primitives when it is logged.
type nosy struct {
	mutex *sched.Mutex
	count *sched.AtomicInt64
}

func (n nosy) LogValue() slog.Value {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return slog.Int64Value(n.count.Add(0))
}

// TestARunIsTheSameWhetherItsLogIsReadOrNot: also if to make a record takes a lock. Nobody asks for records that are not read.
func TestARunIsTheSameWhetherItsLogIsReadOrNot(t *testing.T) {
	made := 0
	sc := &sim.Scenario{Name: "nosy", Setup: func(w *sim.World) func() {
		return func() {
			s := w.Host().Scheduler()
			m, n := sched.NewMutex(s), sched.NewAtomicInt64(s, 1)
			for range 2 {
				s.Go("logs", func() {
					n.Add(1)
					w.Host().Logger().With("count", nosy{&m, n}).Info("counts", "again", nosy{&m, n})
					n.Add(1)
				})
			}
		}
	}}
	r := sim.NewRunner()
	defer r.Close()
	for seed := range uint64(20) {
		silent, err := r.Run(sc, sim.RunConfig{Source: seeded(seed)})
		require.NoError(t, err)
		traced, err := r.Run(sc, sim.RunConfig{Source: seeded(seed), Tracer: search.NewTracer(func(e search.Event) { require.Nil(t, e.Log) })})
		require.NoError(t, err)
		read, err := r.Run(sc, sim.RunConfig{Source: seeded(seed), Tracer: search.NewTracer(func(e search.Event) {
			if e.Log != nil {
				made++
			}
		}).WithLog()})
		require.NoError(t, err)
		require.Nil(t, read.Failure)
		require.Equal(t, silent.Hash, traced.Hash)
		require.Equal(t, silent.Hash, read.Hash)
		require.Equal(t, silent.Steps, read.Steps)
	}
	require.Equal(t, 40, made)
}

func TestWhatACrashedTaskLogsIsLost(t *testing.T) {
	require.Empty(t, logged(t, func(w *sim.World) {
		n := w.Node("victim")
		n.Go("holder", func() {
			defer n.Logger().Info("and good night")
			_ = n.Clock().Sleep(context.Background(), time.Hour)
		})
		sleep(w, time.Second)
		n.Crash()
	}))
}
