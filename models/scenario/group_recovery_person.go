package scenario

import (
	"context"
	"errors"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// stalled is how many people's first processes may stall, the host's and a member's: what they have to do with each other is what all have.
const stalled = 2

// person is the host or a member: a user with an agent, in one process after the other.
type person[T group.Tx] struct {
	*recovery[T]
	number   int
	name     group.MemberID
	stores   Stores[T]
	crashed  *sched.Chan[struct{}] // gets an item for each crash
	finished *sched.Chan[struct{}] // gets an item when the user has done all that he does

	node       *sim.Node
	agent      *group.Agent[T] // nil while there is none
	small      *agent.Agent
	store      command.Store[T]
	invitation group.Invitation
	done       bool // the user of this process has done all that he does
	isInvited  bool
	isNot      bool // and never will be
}

func (p *person[T]) crash() {
	p.crashes++
	p.world.Effect("crash")
	p.world.Logf("%s crashes", p.name)
	p.node.Crash()
	p.agent, p.done = nil, false
	p.crashed.TrySend(struct{}{})
}

// keep keeps somebody's process running, until all is over.
func (p *person[T]) keep() {
	for first := true; ; first = false {
		node := p.world.Node(string(p.name))
		if first && p.number < stalled {
			node.Stalls(1)
		}
		p.world.Inline(func() { p.node = node })
		node.Go("main", func() { p.main(node) })
		p.crashed.Recv()
		over := false
		p.world.Inline(func() { over = p.over })
		if over {
			return
		}
		p.sleep(p.load.Down)
	}
}

// main is a process.
func (p *person[T]) main(n *sim.Node) {
	rest := func() { _ = n.Clock().Sleep(context.Background(), time.Second) }
	var kept command.Store[T]
	for {
		var err error
		if kept, err = p.stores(string(p.name), n); err == nil {
			break
		}
		p.world.Logf("%s: %v", p.name, err)
		rest()
	}
	var g *group.Agent[T]
	for {
		small, err := agent.New(agent.Environment{
			Scheduler: n.Scheduler(), Clock: n.Clock(), Dialer: p.network.Dialer(n), Observer: p.smallObserver(),
		}, p.load.Small)
		if err != nil {
			panic(err)
		}
		g, err = group.Start(group.Environment{
			Scheduler: n.Scheduler(), Clock: n.Clock(), Small: small, Observer: groupObserver[T]{p}, Connections: connectionObserver[T]{p}, Commands: commandObserver[T]{p},
		}, p.load.Config, kept)
		if err == nil {
			p.world.Inline(func() { p.agent, p.small, p.store = g, small, kept })
			break
		}
		p.world.Logf("%s: %v", p.name, err)
		small.Close()
		rest()
	}
	u := user[T]{p, n, g, kept}
	if p.number == 0 {
		u.host()
	} else {
		u.member()
	}
	p.world.Inline(func() { p.done = true })
	p.finished.TrySend(struct{}{})
}

// user is somebody's user in one process.
type user[T group.Tx] struct {
	*person[T]
	on    *sim.Node
	agent *group.Agent[T]
	kept  command.Store[T]
}

func (u user[T]) rest(d time.Duration) { _ = u.on.Clock().Sleep(context.Background(), d) }

// update asks for something, again and again while the store fails. What was asked for before a crash is there.
func (p user[T]) update(f func(*command.Change[T]) error) {
	for {
		switch err := p.agent.Update(f); {
		case err == nil, errors.Is(err, group.ErrKnown), errors.Is(err, group.ErrUnknownGroup), errors.Is(err, group.ErrUnknownMember):
			return
		default:
			p.world.Logf("%s: %v", p.name, err)
		}
		p.rest(time.Second)
	}
}

// host founds the group, invites its members and hands them their invitations.
func (p user[T]) host() {
	g := p.agent
	p.update(func(c *command.Change[T]) error { return g.Found(c, theGroup, p.name) })
	tasks := sched.NewWaitGroup(p.on)
	for i := range p.load.Members {
		m := p.people[i+1]
		given := false
		p.world.Inline(func() { given = m.isInvited || m.isNot })
		if given {
			continue
		}
		p.rest(p.load.Pauses[i])
		p.update(func(c *command.Change[T]) error { return g.Invite(c, theGroup, m.name) })
		tasks.Add(1)
		p.on.Go("courier", func() {
			defer tasks.Done()
			p.bring(m)
		})
	}
	if p.load.Intruder > 0 {
		p.loseInvitation()
	}
	for _, end := range p.load.Ends {
		if end.Removed {
			p.rest(end.After)
			p.update(func(c *command.Change[T]) error { return g.Remove(c, theGroup, p.people[end.Member].name) })
		}
	}
	tasks.Wait()
}

// bring brings somebody his invitation.
func (p user[T]) bring(to *person[T]) {
	i, found := p.invitationOf(to.name)
	p.world.Inline(func() { to.invitation, to.isInvited, to.isNot = i, found, !found })
}

// invitationOf waits for somebody's invitation. If it is not found there will be none.
func (p user[T]) invitationOf(id group.MemberID) (i group.Invitation, found bool) {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		ended := false
		err := p.kept.View(func(tx T) (err error) {
			if i, found, err = group.InvitationFor(tx, theGroup, id); err != nil {
				return err
			}
			m, _, err := tx.Member(theGroup, id)
			ended = m.Status.Ended() || m.Error != ""
			return err
		})
		switch {
		case err != nil:
			p.world.Logf("%s: %v", p.name, err)
		case found, ended:
			return i, found
		}
		p.rest(pause)
	}
}

// member joins the group as soon as he is invited, and perhaps leaves it.
func (p user[T]) member() {
	g := p.agent
	var i group.Invitation
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		is, isNot := false, false
		p.world.Inline(func() { i, is, isNot = p.invitation, p.isInvited, p.isNot })
		if isNot {
			return
		}
		if is {
			break
		}
		p.rest(pause)
	}
	p.update(func(c *command.Change[T]) error { return g.Accept(c, i) })
	for _, end := range p.load.Ends {
		if !end.Removed && end.Member == p.number {
			p.rest(end.After)
			p.update(func(c *command.Change[T]) error { return g.Leave(c, theGroup) })
		}
	}
}

// ask runs f in somebody's process, and answers where that is.
func (p *person[T]) ask(f func(command.Store[T], *agent.Agent, *group.Agent[T])) (n *sim.Node) {
	var run func()
	p.world.Inline(func() {
		kept, small, g := p.store, p.small, p.agent
		n, run = p.node, func() { f(kept, small, g) }
	})
	done := sched.NewChan[struct{}](p.world.Host(), 1)
	n.Go("asked", func() {
		run()
		done.TrySend(struct{}{})
	})
	done.Recv()
	return n
}
