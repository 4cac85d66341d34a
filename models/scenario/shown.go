package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sim"
)

// What a picture of a failure shows of these worlds: what their connections carry, in words, and their state after each step.

// inWords names what the network carries.
func inWords(n *sim.Network[[]protocol.Request, []protocol.Response]) {
	n.Words(requests, responses)
}

// responses are answers and pushes, those of one kind together.
func responses(list []protocol.Response) string {
	var parts []string
	var ids []protocol.QueueID
	for i, r := range list {
		if r.Queue != (protocol.QueueID{}) {
			ids = append(ids, r.Queue)
		}
		if i+1 < len(list) && list[i+1].Kind == r.Kind && list[i+1].Err == nil && r.Err == nil {
			continue
		}
		part := string(r.Kind)
		if r.Err != nil {
			part += fmt.Sprintf(" (%v)", r.Err)
		}
		if len(ids) > 0 {
			part += " " + named(ids)
		}
		parts, ids = append(parts, part), nil
	}
	return strings.Join(parts, ", ")
}

func (s *smallAgent) show() {
	for _, p := range s.apps {
		s.world.OnState(p.node.Name(), func(set func(field, value string)) {
			p.monitor.Describe(func(q protocol.QueueID) string { return named([]protocol.QueueID{q}) }, set)
		})
	}
	for i, r := range s.routers {
		s.world.OnState(fmt.Sprintf("router %d", i), func(set func(field, value string)) {
			r.Owners(func(q router.QueueName, owner net.SessionID) {
				set(named([]protocol.QueueID{q.ID}), "subscribed on "+string(short(owner)))
			})
		})
	}
}

func (r *recovery[T]) show() {
	for _, p := range r.people {
		r.world.OnState(string(p.name), func(set func(field, value string)) {
			switch {
			case p.node == nil:
				return
			case p.node.Crashed():
				set("process", "crashed")
			case p.done:
				set("process", "its user has done all that it does")
			default:
				set("process", "runs")
			}
			var seen []memberSeen
			for k := range r.checks.statuses {
				if k.by == p.name {
					seen = append(seen, k)
				}
			}
			slices.SortFunc(seen, func(a, b memberSeen) int { return cmp.Compare(a.member, b.member) })
			for _, k := range seen {
				set(string(k.member), r.checks.statuses[k].String())
			}
		})
	}
}
