package group

import (
	"container/heap"
	"fmt"
	"time"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/sched"
)

type deadline struct {
	at     int64
	group  ID
	member MemberID
}

// deadlines is a heap: the earliest is the first.
type deadlines []deadline

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].at < d[j].at }
func (d deadlines) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *deadlines) Push(x any)        { *d = append(*d, x.(deadline)) }

func (d *deadlines) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

// deadline is when somebody of whom is heard now is late.
func (g *Agent[T]) deadline() int64 { return g.env.Clock.Now().Add(g.config.Timeout).UnixNano() }

// reminded lets watch know of a member's deadline, once that is stored.
func (g *Agent[T]) reminded(c *command.Change[T], m Member) {
	if d := (deadline{m.Deadline, m.Group, m.ID}); d.at != 0 {
		c.After(func() { g.remind(d) })
	}
}

// remind lets watch know of a deadline. Those that are read after a start come in any order.
func (g *Agent[T]) remind(d deadline) {
	g.mu.Lock()
	heap.Push(&g.deadlines, d)
	sooner := g.deadlines[0] == d
	g.mu.Unlock()
	if sooner {
		g.sooner.TrySend(struct{}{})
	}
}

// takeDue answers the first deadline, if there is one, and how long that still lasts: it is taken if it has passed.
func (g *Agent[T]) takeDue() (first deadline, left time.Duration) {
	now := g.env.Clock.Now().UnixNano()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.deadlines) == 0 {
		return deadline{}, 0
	}
	first = g.deadlines[0]
	if first.at <= now {
		heap.Pop(&g.deadlines)
	}
	return first, time.Duration(first.at - now)
}

// watch tells of members that are late.
func (g *Agent[T]) watch() {
	for g.ctx.Err() == nil {
		d, left := g.takeDue()
		if d == (deadline{}) || left > 0 {
			g.wait(left)
			continue
		}
		if err := g.Update(func(c *command.Change[T]) error { return g.late(c, d) }); err != nil {
			g.remind(d)
			_ = g.env.Clock.Sleep(g.ctx, g.config.Connections.Commands.Retry.Initial) // its error is that of an agent which is closed
		}
	}
}

// wait waits until another deadline is the first, or the agent is closed, or for so long, if that is not 0.
func (g *Agent[T]) wait(left time.Duration) {
	sooner, closing := sched.Recv(g.sooner), sched.Recv(sched.Done(g.ctx))
	if left == 0 {
		sched.Select2(&sooner, &closing)
		return
	}
	timer := g.env.Clock.NewTimer(left)
	defer timer.Stop()
	due := sched.Recv(timer.C)
	sched.Select3(&due, &sooner, &closing)
}

func (g *Agent[T]) late(c *command.Change[T], d deadline) error {
	m, found, err := c.Tx.Member(d.group, d.member)
	if err != nil || !found || m.Deadline != d.at {
		return err
	}
	m.Deadline, m.Error = 0, fmt.Sprintf("it was not connected within %v", g.config.Timeout)
	g.observe(c, Late{m.Group, m.ID})
	_, err = c.Tx.PutMember(m)
	return err
}
