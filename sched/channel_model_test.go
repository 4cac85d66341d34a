package sched_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/internal/conformance"
	"github.com/heddle-go/heddle/sched"
)

// chanModel is what a Go channel is to one task: a queue that may be closed.
type chanModel struct {
	capacity int
	queue    []int
	closed   bool
}

func (m *chanModel) canSend() bool { return m.closed || len(m.queue) < m.capacity }
func (m *chanModel) canRecv() bool { return m.closed || len(m.queue) > 0 }

func (m *chanModel) send(v int) string {
	if m.closed {
		return "send on closed channel"
	}
	m.queue = append(m.queue, v)
	return "sent"
}

func (m *chanModel) recv() string {
	if len(m.queue) == 0 {
		return "0 false"
	}
	v := m.queue[0]
	m.queue = m.queue[1:]
	return fmt.Sprint(v, true)
}

// chanCommand is one operation that the model and a channel do. The channel's answer is text, a panic's included; an
// operation that would block is not done.
type chanCommand struct {
	name  string
	v     int
	model func(m *chanModel, v int) string
	chan_ func(c *sched.Chan[int], v int) string
}

const notReady = "not ready"

var chanCommands = []chanCommand{
	{
		name: "Send",
		model: func(m *chanModel, v int) string {
			if !m.canSend() {
				return notReady
			}
			return m.send(v)
		},
		chan_: func(c *sched.Chan[int], v int) string {
			c.Send(v)
			return "sent"
		},
	},
	{
		name: "Recv",
		model: func(m *chanModel, _ int) string {
			if !m.canRecv() {
				return notReady
			}
			return m.recv()
		},
		chan_: func(c *sched.Chan[int], _ int) string { return fmt.Sprint(c.Recv()) },
	},
	{
		name: "TrySend",
		model: func(m *chanModel, v int) string {
			if !m.canSend() {
				return "false"
			}
			m.send(v)
			if m.closed {
				return "send on closed channel"
			}
			return "true"
		},
		chan_: func(c *sched.Chan[int], v int) string { return fmt.Sprint(c.TrySend(v)) },
	},
	{
		name: "TryRecv",
		model: func(m *chanModel, _ int) string {
			if !m.canRecv() {
				return "0 false false"
			}
			return m.recv() + " true"
		},
		chan_: func(c *sched.Chan[int], _ int) string { return fmt.Sprint(c.TryRecv()) },
	},
	{
		name: "TrySelect2 receiving",
		model: func(m *chanModel, _ int) string {
			if !m.canRecv() {
				return "-1"
			}
			return "1 " + m.recv()
		},
		chan_: func(c *sched.Chan[int], _ int) string {
			other, recv := sched.Recv[string](nil), sched.Recv(c)
			if chosen := sched.TrySelect2(&other, &recv); chosen != 1 {
				return fmt.Sprint(chosen)
			}
			return fmt.Sprint(1, recv.Value, recv.OK)
		},
	},
	{
		name: "Select2 sending",
		model: func(m *chanModel, v int) string {
			if !m.canSend() {
				return notReady
			}
			return m.send(v)
		},
		chan_: func(c *sched.Chan[int], v int) string {
			send, other := sched.Send(c, v), sched.Recv[string](nil)
			if sched.Select2(&send, &other) != 0 {
				return "another arm"
			}
			return "sent"
		},
	},
	{
		name: "Close",
		model: func(m *chanModel, _ int) string {
			if m.closed {
				return "close of closed channel"
			}
			m.closed = true
			return "closed"
		},
		chan_: func(c *sched.Chan[int], _ int) string {
			c.Close()
			return "closed"
		},
	},
	{
		name:  "Len",
		model: func(m *chanModel, _ int) string { return fmt.Sprint(len(m.queue), m.capacity) },
		chan_: func(c *sched.Chan[int], _ int) string { return fmt.Sprint(c.Len(), c.Cap()) },
	},
}

// answer does the operation, a panic being an answer too.
func (c chanCommand) answer(ch *sched.Chan[int]) (text string) {
	if panicked := conformance.Panic(func() { text = c.chan_(ch, c.v) }); panicked != "" {
		return panicked
	}
	return text
}

func TestChanIsAsItsModel(t *testing.T) {
	commands := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chanCommand {
		// Closing ends most of what can happen: it is drawn less often.
		kinds := append(chanCommands[:len(chanCommands):len(chanCommands)], chanCommands...)
		for i := range kinds[:len(chanCommands)] {
			if kinds[i].name == "Close" {
				kinds[i] = chanCommands[0]
			}
		}
		c := rapid.SampledFrom(kinds).Draw(t, "command")
		c.v = rapid.IntRange(1, 9).Draw(t, "value")
		return c
	}), 1, 40)
	for name, side := range map[string]func(conformance.T, func(*conformance.Side)){
		"native": conformance.Native, "simulated": func(t conformance.T, f func(*conformance.Side)) { conformance.Schedules(t, 1, f) },
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				capacity := rapid.IntRange(0, 20).Draw(rt, "capacity")
				program := commands.Draw(rt, "program")
				side(rt, func(e *conformance.Side) {
					c, m := sched.NewChan[int](e.Scheduler, capacity), &chanModel{capacity: capacity}
					for i, command := range program {
						want := command.model(m, command.v)
						if want == notReady {
							continue
						}
						require.Equal(e, want, command.answer(c), "capacity %d, operation %d of %v", capacity, i, names(program))
					}
				})
			})
		})
	}
}

func names(program []chanCommand) (all []string) {
	for _, c := range program {
		all = append(all, fmt.Sprintf("%s(%d)", c.name, c.v))
	}
	return all
}

// TestChanCarriesEachValueOnce lets several tasks send, receive, select and close as rapid has drawn: every value that was
// sent is received once, and in the order of its sender if there is one receiver.
func TestChanCarriesEachValueOnce(t *testing.T) {
	for name, side := range map[string]func(conformance.T, func(*conformance.Side)){
		"native": conformance.Native, "simulated": func(t conformance.T, f func(*conformance.Side)) { conformance.Schedules(t, 4, f) },
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				capacity := rapid.IntRange(0, 3).Draw(rt, "capacity")
				senders := rapid.IntRange(1, 3).Draw(rt, "senders")
				receivers := rapid.IntRange(1, 3).Draw(rt, "receivers")
				each := rapid.IntRange(1, 5).Draw(rt, "values of a sender")
				waysToSend := rapid.SliceOfN(rapid.IntRange(0, 2), senders, senders).Draw(rt, "ways to send")
				waysToReceive := rapid.SliceOfN(rapid.IntRange(0, 2), receivers, receivers).Draw(rt, "ways to receive")
				side(rt, func(e *conformance.Side) {
					c := sched.NewChan[int](e.Scheduler, capacity)
					sent, received := sched.NewWaitGroup(e.Scheduler), sched.NewChan[[]int](e.Scheduler, receivers)
					sent.Add(senders)
					for i, way := range waysToSend {
						e.Go(func() {
							defer sent.Done()
							for n := range each {
								sendInOneWay(e, c, 100*i+n, way)
							}
						})
					}
					for _, way := range waysToReceive {
						e.Go(func() {
							var mine []int
							for {
								v, ok := receiveInOneWay(e, c, way)
								if !ok {
									received.Send(mine)
									return
								}
								mine = append(mine, v)
							}
						})
					}
					sent.Wait()
					c.Close()
					counts := map[int]int{}
					for range receivers {
						mine, _ := received.Recv()
						last := map[int]int{}
						for _, v := range mine {
							counts[v]++
							if before, ok := last[v/100]; ok {
								require.Less(e, before, v, "a receiver got the values of a sender out of order: %v", mine)
							}
							last[v/100] = v
						}
					}
					require.Len(e, counts, senders*each)
					for v, n := range counts {
						require.Equal(e, 1, n, "value %d was received %d times", v, n)
					}
					e.Join()
				})
			})
		})
	}
}

func sendInOneWay(e *conformance.Side, c *sched.Chan[int], v, way int) {
	switch {
	case way == 0:
		c.Send(v)
	case way == 1 && c.Cap() > 0: // at an unbuffered channel one who only tries never meets another
		e.Until(func() bool { return c.TrySend(v) })
	default:
		send, other := sched.Send(c, v), sched.Recv[int](nil)
		require.Equal(e, 0, sched.Select2(&send, &other))
	}
}

func receiveInOneWay(e *conformance.Side, c *sched.Chan[int], way int) (v int, ok bool) {
	switch way {
	case 0:
		return c.Recv()
	case 1:
		e.Until(func() (received bool) {
			v, ok, received = c.TryRecv()
			return received
		})
		return v, ok
	default:
		other, recv := sched.Recv[int](nil), sched.Recv(c)
		require.Equal(e, 1, sched.Select2(&other, &recv))
		return recv.Value, recv.OK
	}
}
