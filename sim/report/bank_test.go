package report_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/report"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
	"github.com/heddle-go/heddle/sim/strategy"
)

// hostile is what a program may say, and what must not become a part of the page.
const hostile = `</script><script>document.title="broken"</script><!-- <b onload=x> & "quoted"`

// bank answers each deposit with how much there is.
type bank struct {
	peers map[net.SessionID]net.Peer[string]
	sum   int
}

func (b *bank) Accept(id net.SessionID, _ string, p net.Peer[string]) (string, error) {
	b.peers[id] = p
	return "", nil
}

func (b *bank) Receive(id net.SessionID, amount int) {
	b.sum += amount
	b.peers[id].Send(fmt.Sprintf("there are %d", b.sum))
}

func (b *bank) Closed(id net.SessionID) { delete(b.peers, id) }

// deposits is a program of two tellers, each of whom asks a bank over a network so many times, reads an account, and writes it under another lock
// than that under which it was read: so a deposit can be lost.
func deposits(rounds int) *sim.Scenario {
	return &sim.Scenario{
		Name: "deposits", Summary: "two tellers and one account",
		Properties: []sim.Property{{ID: "kept", Statement: "No deposit is lost."}},
		Setup: func(w *sim.World) func() {
			network := sim.NewNetwork[int, string](w)
			network.Words(func(amount int) string { return fmt.Sprintf("deposits %d", amount) }, nil)
			b := &bank{peers: map[net.SessionID]net.Peer[string]{}}
			if err := network.Listen("bank", b); err != nil {
				panic(err)
			}
			node := w.Node("branch")
			s := node.Scheduler()
			lock, account, balance := sched.NewMutex(sched.Named(s, "account")), 0, 0
			w.OnState("account", func(set func(field, value string)) { set("balance", fmt.Sprint(balance)) })
			w.Exhibit("kept", "history.html", func() ([]byte, error) { return []byte("<h1>the history</h1>"), nil })
			done := sched.NewWaitGroup(w.Host())
			teller := func() {
				defer done.Done()
				conn, err := network.Dialer(node).Dial(context.Background(), "bank", "")
				if err != nil {
					return
				}
				for range rounds {
					if conn.Send(context.Background(), 1) != nil {
						return
					}
					if _, err := conn.Receive(); err != nil {
						return
					}
				}
				lock.Lock()
				read := account
				w.Logf("reads %d %s", read, hostile)
				lock.Unlock()
				lock.Lock()
				account = read + 1
				w.Observe(func() { balance = read + 1 })
				w.Logf("writes %d", account)
				lock.Unlock()
			}
			return func() {
				done.Add(2)
				node.Go("teller", teller)
				node.Go("teller", teller)
				done.Wait()
				if account != 2 {
					w.Fail("kept", "two deposits made %d %s", account, hostile)
				}
			}
		},
	}
}

// stuck is a program of two tasks that lock in opposite order.
func stuck() *sim.Scenario {
	return &sim.Scenario{Name: "stuck", Setup: func(w *sim.World) func() {
		s := w.Host().Scheduler()
		left, right := sched.NewMutex(sched.Named(s, "left")), sched.NewMutex(sched.Named(s, "right"))
		both := func(first, second *sched.Mutex) func() {
			return func() {
				first.Lock()
				second.Lock()
				second.Unlock()
				first.Unlock()
			}
		}
		done := sched.NewWaitGroup(s)
		return func() {
			done.Add(2)
			s.Go("one", func() { defer done.Done(); both(&left, &right)() })
			s.Go("two", func() { defer done.Done(); both(&right, &left)() })
			done.Wait()
		}
	}}
}

// found is a failure of a scenario, made small if it is to be explained.
func found(t testing.TB, sc *sim.Scenario, explained bool) report.Page {
	s, err := strategy.Parse("random")
	require.NoError(t, err)
	r, err := search.Run(t.Context(), search.Config{Scenarios: []*sim.Scenario{sc}, Seed: "1", Strategy: s, Runs: 2000, Workers: 1, Options: sim.Options{NoFaults: true}})
	require.NoError(t, err)
	require.NotEmpty(t, r.Failures(), "no run fails")
	f := r.Failures()[0]
	p := report.Page{Scenario: sc, Token: f.Full, Replay: "heddle replay heddle1_of_the_test"}
	for _, property := range append(sc.Properties, sim.BuiltIn()...) {
		if property.ID == f.Property {
			p.Statement = property.Statement
		}
	}
	if explained {
		small, _, err := shrink.Failure(t.Context(), sc, f.Full, shrink.Limits{})
		require.NoError(t, err)
		p.Token = small.Full
		p.Explanation, err = shrink.Explain(t.Context(), sc, small.Full, shrink.Limits{})
		require.NoError(t, err)
	}
	return p
}
