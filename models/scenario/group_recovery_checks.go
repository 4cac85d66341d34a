package scenario

import (
	"fmt"
	"strings"
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/group"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/sim"
)

// groupProperties are what a run of a group is judged by. Where a check looks is said at its function.
func groupProperties() []sim.Property {
	return []sim.Property{
		{ID: "G1", Statement: "For each pair of members: in the end both connected; or each side that began is told of an error, the other by its own stated timeout."},
		{ID: "G2", Statement: "At most one connection of each kind for a pair at each side; exactly one when connected, with one queue on each side."},
		{ID: "G3", Statement: "A member's status only moves forward."},
		{ID: "G4", Statement: "A message delivered again, and a crash between any two steps, change nothing: where nothing has failed for good, nothing is refused."},
		{ID: "G5", Statement: "No event arrives for a connection or a member that is unknown."},
		{ID: "G6", Statement: "The host forwards an introduction once."},
		{ID: "G7", Statement: "The member id in a confirmation is the expected one, or the connection is refused."},
		{ID: "Q2", Statement: "One effective continuation for each correlation id; none is left in the end."},
		{ID: "Q7", Statement: "Retry is idempotent: no router has a queue that belongs to no connection."},
		{ID: "Q10", Statement: "After a restart each unfinished command is run in the end."},
		{ID: "Q12", Statement: "No worker of the queue of commands panics."},
		{ID: "Q15", Statement: "A continuation consumes only the response kind it expects, on its own connection, or an error."},
		{ID: "S12", Statement: "After close has returned no task of the agent is left."},
	}
}

// groupSometimes are what a good search must have seen.
func groupSometimes() []string {
	return []string{
		"all-connected", "connected-after-a-crash", "continued-with-an-error", "message-repeated", "member-late", "member-failed", "removed", "left",
		"refused-for-good", "intruder-refused",
	}
}

// groupChecks is what observers have told.
type groupChecks struct {
	statuses  map[memberSeen]group.Status
	continued map[command.Correlation]int
}

type memberSeen struct {
	by     group.MemberID
	member group.MemberID
}

func newGroupChecks() groupChecks {
	return groupChecks{statuses: map[memberSeen]group.Status{}, continued: map[command.Correlation]int{}}
}

// groupObserver is what somebody's agent tells.
type groupObserver[T group.Tx] struct{ *person[T] }

func (o groupObserver[T]) Observe(t group.Transition) {
	o.world.Inline(func() { o.observe(t) })
}

func (o groupObserver[T]) observe(t group.Transition) {
	w := o.world
	switch t := t.(type) {
	case group.Advanced:
		w.Logf("%s: %s is %s", o.name, t.Member, t.Status)
		seen := memberSeen{o.name, t.Member}
		if was := o.checks.statuses[seen]; t.Status <= was {
			w.Fail("G3", "%s: %s is %s, after it was %s", o.name, t.Member, t.Status, was)
		}
		o.checks.statuses[seen] = t.Status
		if t.Member == guest && t.Status != group.Invited {
			w.Fail("G7", "%s: %s is %s, but whoever joins does so under another name", o.name, t.Member, t.Status)
		}
	case group.Failed:
		w.Logf("%s: something is wrong with %s: %s", o.name, t.Member, t.Why)
		w.Sometimes("member-failed")
		if t.Member == guest {
			return
		}
		o.mustNot("G1", "%s: something is wrong with %s, though nothing has failed for good: %s", o.name, t.Member, t.Why)
	case group.Late:
		w.Logf("%s: %s is late", o.name, t.Member)
		w.Sometimes("member-late")
	case group.Continued:
		w.Logf("%s: %s answers %s: %s for %s", o.name, t.Event.Kind, t.Event.Command, t.Continuation.Kind, t.Continuation.Member)
		if t.Event.Kind == command.Error {
			w.Sometimes("continued-with-an-error")
		}
		if o.checks.continued[t.Event.Correlation]++; o.checks.continued[t.Event.Correlation] > 1 {
			w.Fail("Q2", "%s: what was to be done under %s (%s for %s) is done a second time", o.name, t.Event.Correlation, t.Continuation.Kind, t.Continuation.Member)
		}
		if t.Event.Kind != t.Continuation.Expects && t.Event.Kind != command.Error || t.Event.Connection != t.Continuation.Connection {
			w.Fail("Q15", "%s: %s of %s runs what waits for %s of %s", o.name, t.Event.Kind, t.Event.Connection, t.Continuation.Expects, t.Continuation.Connection)
		}
	case group.Refused:
		w.Logf("%s: refuses %s of %s: %s", o.name, t.Event.Kind, t.Event.Connection, t.Why)
		w.Sometimes("refused-for-good")
		if t.Event.Connection == group.ConnectionOf(theGroup, guest, group.InGroup) {
			w.Sometimes("intruder-refused")
			return
		}
		property := "G4"
		switch {
		case strings.Contains(t.Why, "unknown"):
			property = "G5"
		case strings.Contains(string(t.Event.Body), "x.grp.mem.fwd"):
			property = "G6"
		}
		o.mustNot(property, "%s refuses something, though nobody leaves and nothing has failed for good: %s", o.name, t.Why)
	}
}

// commandObserver is what his queue of commands tells.
type commandObserver[T group.Tx] struct{ *person[T] }

func (o commandObserver[T]) Observe(t command.Transition) {
	o.world.Inline(func() {
		switch t := t.(type) {
		case command.Executing:
			o.world.Logf("%s: carries out %s of %s", o.name, t.Command.Kind, t.Command.Key)
		case command.Paused:
			o.world.Logf("%s: %s of %s is to be carried out again after %v: %v", o.name, t.Command.Kind, t.Key, t.Delay, t.Err)
		case command.WorkerPanicked:
			o.world.Fail("Q12", "%s: the worker of %s has panicked: %v", o.name, t.Key, t.Cause)
		}
	})
}

// smallObserver tells what somebody's small agent does, while somebody reads the trace; nil: nobody does.
func (p *person[T]) smallObserver() agent.Observer {
	if !p.world.Tracing() {
		return nil
	}
	return smallObserver{p.world, string(p.name)}
}

type smallObserver struct {
	world *sim.World
	name  string
}

func (o smallObserver) Observe(t agent.Transition) { tell(o.world, o.name, t) }

// connectionObserver is what his connections tell.
type connectionObserver[T group.Tx] struct{ *person[T] }

func (o connectionObserver[T]) Observe(t connection.Transition) {
	o.world.Inline(func() {
		switch t := t.(type) {
		case connection.Advanced:
			o.world.Logf("%s: the connection %s is %s", o.name, t.Connection, t.Status)
		case connection.Repeated:
			o.world.Logf("%s: message %d of the connection %s came again", o.name, t.Number, t.Connection)
			o.world.Sometimes("message-repeated")
		case connection.Refused:
			o.world.Logf("%s: a message of the connection %s is refused: %s", o.name, t.Connection, t.Why)
			o.mustNot("G4", "%s refuses a message, though nobody leaves and nothing has failed for good: %s", o.name, t.Why)
		}
	})
}

// mustNot fails a run in which nothing has failed for good and nobody leaves: what is on its way when somebody does finds the group as it is.
func (r *recovery[T]) mustNot(property, format string, arguments ...any) {
	if r.mustConnect() {
		r.world.Fail(property, format, arguments...)
	}
}

// seen is what somebody's store holds.
type seen struct {
	group    group.Group
	found    bool
	members  map[group.MemberID]group.Member
	order    []group.MemberID
	work     string // that is left to do; empty: none
	keys     []protocol.AuthKey
	made     map[group.MemberID][2]bool // which connections there are
	inactive []command.Connection
	waiting  []group.Continuation
}

// look reads somebody's store, in his process.
func (p *person[T]) look() (s seen, err error) {
	p.ask(func(kept command.Store[T], _ *agent.Agent, _ *group.Agent[T]) {
		err = kept.View(func(tx T) error {
			s = seen{members: map[group.MemberID]group.Member{}, made: map[group.MemberID][2]bool{}}
			keys, err := tx.Keys()
			if err != nil {
				return err
			}
			if len(keys) > 0 {
				c, _, err := tx.FirstCommand(keys[0])
				if err != nil {
					return err
				}
				s.work = fmt.Sprintf("%d queues of commands, first %s of %s", len(keys), c.Kind, c.Key)
			}
			events, err := tx.NextEvents(0, 1)
			if err != nil {
				return err
			}
			for _, e := range events {
				s.work += fmt.Sprintf(" the event %d, %s of %s", e.Number, e.Kind, e.Connection)
			}
			if s.group, s.found, err = tx.Group(theGroup); err != nil {
				return err
			}
			for last := int64(0); ; {
				m, found, err := tx.NextMember(theGroup, last)
				if err != nil || !found {
					return err
				}
				last = m.Row
				s.members[m.ID], s.order = m, append(s.order, m.ID)
				for _, which := range []group.Which{group.InGroup, group.Direct} {
					id := group.ConnectionOf(theGroup, m.ID, which)
					x, found, err := tx.Connection(id)
					if err != nil {
						return err
					}
					made := s.made[m.ID]
					made[which] = found
					s.made[m.ID] = made
					if found {
						s.keys = append(s.keys, x.Key)
						if m.ID != guest && x.Status != connection.Active {
							s.inactive = append(s.inactive, id)
						}
					}
					waiting, err := tx.ContinuationsOf(id)
					if err != nil {
						return err
					}
					s.waiting = append(s.waiting, waiting...)
				}
			}
		})
	})
	return s, err
}

// settle waits, less and less often, until nothing is left to do and everybody is connected or has been told why not, for as long as that may take; then
// it judges what there is.
func (r *recovery[T]) settle() {
	start, bound := r.world.Elapsed(), r.bound()
	for pause := time.Second; ; pause = min(2*pause, 5*time.Minute) {
		all := make([]seen, len(r.people))
		property, open := "", ""
		stored, before := r.underWay()
		for i, p := range r.people {
			up := false
			r.world.Inline(func() { up = p.agent != nil && p.done })
			if !up {
				property, open = "Q10", fmt.Sprintf("%s has not started again, or its user is not done", p.name)
				break
			}
			var err error
			if all[i], err = p.look(); err != nil {
				property, open = "Q10", fmt.Sprintf("%s: %v", p.name, err)
			} else if all[i].work != "" {
				property, open = "Q10", fmt.Sprintf("%s has still to do: %s", p.name, all[i].work)
			}
		}
		now, after := r.underWay()
		switch {
		case open != "":
		case after != "":
			property, open = "G1", after
		case before != "" || now != stored:
			property, open = "G1", "messages were sent while this was looked at"
		default:
			r.world.Inline(func() {
				if property, open = r.unconnected(all); open == "" {
					r.judge(all)
				}
			})
		}
		if open == "" {
			return
		}
		if d := r.world.Elapsed() - start; d > bound {
			r.world.Fail(property, "%v after the world has healed (bound %v): %s", d, bound, open)
			return
		}
		r.sleep(pause)
	}
}

// mustConnect says whether all are to be connected: nothing has failed for good, and nobody leaves.
func (r *recovery[T]) mustConnect() bool { return !r.broken && len(r.load.Ends) == 0 }

// underWay is how many messages were ever sent, and which are still to be taken; empty for none. Unless all are to be connected, some never are.
func (r *recovery[T]) underWay() (sent uint64, what string) {
	r.world.Inline(func() {
		for i, x := range r.routers {
			x.EachMailbox(func(m router.Mailbox) {
				sent += m.Stored
				if r.mustConnect() && !m.Deleted && m.Messages > 0 {
					what = fmt.Sprintf("router %d has %d messages in the queue %v", i, m.Messages, m.Recipient)
				}
			})
		}
	})
	return sent, what
}

// bound is G1's: the timeout after which a member is late, and what it may take until it is heard of again and what is under way is done.
func (r *recovery[T]) bound() time.Duration {
	if r.load.Bound > 0 {
		return r.load.Bound
	}
	small, commands := r.load.Small, r.load.Config.Connections.Commands
	once := small.SubscribeBound(4*r.load.Members) + commands.Retry.Max + small.RPCTimeout
	return r.load.Config.Timeout + time.Duration(10+4*r.load.Members)*once
}

// unconnected says which pair is not connected though it is to be, and was not told why not; empty for none.
func (r *recovery[T]) unconnected(all []seen) (property, what string) {
	for i, a := range all {
		if !a.found || a.group.Status.Ended() {
			if a.found && a.group.Status != group.Gone {
				return "Q2", fmt.Sprintf("%s is %s, but the group is not deleted there", r.people[i].name, a.group.Status)
			}
			continue
		}
		for j, b := range all {
			if i == j || !b.found || b.group.Status.Ended() || all[0].members[r.people[i].name].Status.Ended() || all[0].members[r.people[j].name].Status.Ended() {
				continue
			}
			m, known := a.members[r.people[j].name]
			switch {
			case known && m.Status >= group.Connected:
			case known && m.Status == group.Invited && r.broken: // nobody has begun: that an invitation is never used is no error
			case !known && r.mustConnect():
				return "G1", fmt.Sprintf("%s does not know %s", r.people[i].name, r.people[j].name)
			case known && (m.Error == "" || r.mustConnect()):
				return "G1", fmt.Sprintf("%s is not connected with %s, which is %s (%s)", r.people[i].name, r.people[j].name, m.Status, m.Error)
			}
		}
	}
	return "", ""
}

// judge holds what there is in the end against what there should be.
func (r *recovery[T]) judge(all []seen) {
	connected := true
	keys := map[protocol.AuthKey]bool{}
	for i, a := range all {
		name := r.people[i].name
		for _, k := range a.keys {
			keys[k] = true
		}
		if len(a.waiting) > 0 {
			r.world.Fail("Q2", "%s: nothing is left to do, but %s for %s still waits for %s of %s", name, a.waiting[0].Kind, a.waiting[0].Member, a.waiting[0].Expects, a.waiting[0].Connection)
		}
		for _, id := range a.order {
			m := a.members[id]
			if id == guest {
				if made := a.made[id]; m.Error != "" && made != [2]bool{} && !r.broken {
					r.world.Fail("G7", "%s: who joined as %s was refused (%s), but the connection is there", name, id, m.Error)
				}
				continue
			}
			connected = connected && m.Status >= group.Connected && !m.Status.Ended()
			wants := [2]bool{true, i > 0 && id != "host"}
			switch made := a.made[id]; {
			case m.Status.Ended() && made != [2]bool{} && !r.broken:
				r.world.Fail("G2", "%s: %s is %s, but there are connections with it: %v", name, id, m.Status, made)
			case !m.Status.Ended() && m.Status >= group.Connected && made != wants && !r.broken:
				r.world.Fail("G2", "%s: %s is %s; the group and the direct connection are there: %v; want %v", name, id, m.Status, made, wants)
			case i == 0 && m.Status == group.Connected && r.mustConnect():
				r.world.Fail("G1", "the host does not know that %s is connected with all: with %d of %d", id, m.Met, m.Introduced)
			}
		}
		if r.mustConnect() && len(a.inactive) > 0 {
			r.world.Fail("G1", "%s: the connection %s is not active", name, a.inactive[0])
		}
	}
	if !r.broken && r.load.Intruder == 0 { // who has a queue too
		for i, x := range r.routers {
			x.EachMailbox(func(m router.Mailbox) {
				if !m.Deleted && !keys[m.Key] {
					r.world.Fail("Q7", "router %d has the queue %v, which belongs to no connection", i, m.Recipient)
				}
			})
		}
	}
	if connected {
		r.world.Sometimes("all-connected")
		if r.crashes > 0 {
			r.world.Sometimes("connected-after-a-crash")
		}
	}
	for _, end := range r.load.Ends {
		switch all[0].members[r.people[end.Member].name].Status {
		case group.Removed:
			r.world.Sometimes("removed")
		case group.Left:
			r.world.Sometimes("left")
		}
	}
}
