package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/store"
	"github.com/heddle-go/heddle/sim"
)

// guest is a member whose invitation falls into the hands of somebody else (property G7).
const guest group.MemberID = "guest"

// intruder is who has found the invitation of the guest, and joins as whom he likes.
type intruder[T group.Tx] struct {
	*recovery[T]
	node *sim.Node
}

// says is how the intruder introduces himself: as another member, as nobody, and as who knows nothing of groups.
var says = []string{`{"event":"x.grp.acpt","member":"member-1"}`, `{"event":"x.grp.acpt"}`, `{"event":"x.grp.mem.info","member":"guest"}`, "let me in"}

// main is his process: he joins, and goes on as long as the world does.
func (x *intruder[T]) main() {
	n := x.node
	sleep := func(d time.Duration) { _ = n.Clock().Sleep(context.Background(), d) }
	small, err := agent.New(agent.Environment{Scheduler: n.Scheduler(), Clock: n.Clock(), Dialer: x.network.Dialer(n)}, x.load.Small)
	if err != nil {
		panic(err)
	}
	kept := command.Store[*store.MemoryTx](store.OpenMemory(n, store.NewData()))
	a, err := connection.Start(connection.Environment{Scheduler: n.Scheduler(), Clock: n.Clock(), Small: small}, x.load.Config.Connections, kept)
	if err != nil {
		panic(err)
	}
	n.Go("events", func() {
		for {
			e, open := a.Queue().Events().Recv()
			if !open {
				return
			}
			if e.Kind == command.Connected {
				x.world.Inline(func() { x.world.Fail("G7", "who is not %s has its connection with the host", guest) })
			}
			_ = a.Queue().Update(func(c *command.Change[*store.MemoryTx]) error {
				_, err := c.Tx.TakeEvent(e.Number)
				return err
			})
		}
	})
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		var i *group.Invitation
		x.world.Inline(func() { i = x.lost })
		if i != nil {
			err := a.Queue().Update(func(c *command.Change[*store.MemoryTx]) error {
				_, err := a.Join(c, "stolen", "join", i.Link, []byte(says[x.load.Intruder-1]))
				return err
			})
			if err != nil {
				panic(fmt.Sprintf("the intruder cannot join: %v", err)) // a store in memory does not fail
			}
			return
		}
		sleep(pause)
	}
}

// loseInvitation lets the intruder have the invitation of the guest.
func (p user[T]) loseInvitation() {
	p.update(func(c *command.Change[T]) error { return p.agent.Invite(c, theGroup, guest) })
	if i, found := p.invitationOf(guest); found {
		p.world.Inline(func() { p.lost = &i })
	}
}
