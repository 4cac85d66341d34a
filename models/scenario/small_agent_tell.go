package scenario

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/sim"
)

// tell adds a transition of somebody's agent to the trace: what a step meant for its state. It is called only while somebody reads the trace.
func tell(w *sim.World, name string, t agent.Transition) {
	if said, r := said(t), routerOf(t); r != nil && said != "" {
		w.Logf("%s, router %d: %s", name, routerIndex(*r), said)
	} else if said != "" {
		w.Logf("%s: %s", name, said)
	}
}

// said is a transition in words; empty for one that changes nothing, or nothing that the next one does not tell.
func said(t agent.Transition) string {
	switch t := t.(type) {
	case agent.ConnectStarted:
		return fmt.Sprintf("connects, session variable %d", t.Var)
	case agent.ClientPublished:
		return fmt.Sprintf("connected: session %s is the current one, in variable %d", short(t.Session), t.Var)
	case agent.ConnectFailed:
		if t.Expiry.IsZero() {
			return fmt.Sprintf("connecting failed: %v", t.Err)
		}
		return fmt.Sprintf("connecting failed: %v; variable %d keeps the error for %v", t.Err, t.Var, t.Expiry.Sub(t.At))
	case agent.VariableRemoved:
		return fmt.Sprintf("variable %d is removed, %s", t.Var, removals[t.Reason])
	case agent.VariableKept:
		return fmt.Sprintf("variable %d is no longer there to be removed, %s", t.Var, removals[t.Reason])
	case agent.ErrorAnswered:
		return fmt.Sprintf("a caller is given the error of variable %d", t.Var)
	case agent.LateDialClosed:
		return fmt.Sprintf("session %s came too late and is closed", short(t.Session))
	case agent.SessionLost:
		return fmt.Sprintf("session %s is lost", short(t.Session))
	case agent.SessionEnded:
		return fmt.Sprintf("disconnect handler of session %s: %s are pending again", short(t.Session), named(t.Queues))
	case agent.QueuesWanted:
		return subscribed(t.Queues) + " wanted, and pending"
	case agent.QueuesRemoved:
		return named(t.Queues) + " removed"
	case agent.ResultsCommitted:
		return fmt.Sprintf("answers of session %s are taken: %s%s", short(t.Session), results(t.Results), late(t.Late))
	case agent.ResultsRefused:
		return fmt.Sprintf("answers of session %s are refused, since it is not the current one: %s", short(t.Session), named(t.Queues))
	case agent.QueueEnded:
		if t.Accepted {
			return fmt.Sprintf("%s on session %s ends the subscription of %s", t.Reason, short(t.Session), named([]protocol.QueueID{t.Queue}))
		}
		return fmt.Sprintf("%s on session %s changes nothing for %s", t.Reason, short(t.Session), named([]protocol.QueueID{t.Queue}))
	default:
		return saidOfService(t)
	}
}

// saidOfService is said for services, workers, requests and events.
func saidOfService(t agent.Transition) string {
	switch t := t.(type) {
	case agent.ServiceWanted:
		return fmt.Sprintf("service wanted, with %d queues%s", t.Sub.Count, andPending(t.Queues))
	case agent.ServiceCommitted:
		return fmt.Sprintf("answer for the service on session %s: %s%s%s", short(t.Session), outcomes[t.Outcome], andPending(t.Queues), late(t.Late))
	case agent.ServiceDemoted:
		if t.Pending {
			return fmt.Sprintf("service no longer active on session %s, and pending%s", short(t.Session), andPending(t.Queues))
		}
		return fmt.Sprintf("service no longer active on session %s%s", short(t.Session), andPending(t.Queues))
	case agent.ServiceTaken:
		if t.Accepted {
			return fmt.Sprintf("ENDS on session %s ends the service", short(t.Session))
		}
		return fmt.Sprintf("ENDS on session %s changes nothing", short(t.Session))
	case agent.WorkerPut:
		return fmt.Sprintf("worker %d is started", t.Var)
	case agent.WorkerSleep:
		return fmt.Sprintf("worker %d sleeps for %v", t.Var, t.Delay)
	case agent.WorkerRemoved:
		if t.Idle {
			return fmt.Sprintf("worker %d ends: there is nothing for it to do", t.Var)
		}
		return fmt.Sprintf("worker %d ends: the agent is closed", t.Var)
	case agent.RequestsSent:
		return fmt.Sprintf("sent on session %s: %s", short(t.Session), requests(t.Requests))
	case agent.RequestsAbandoned:
		return fmt.Sprintf("session %s: %d answers are no longer waited for: %v", short(t.Session), len(t.Correlations), t.Err)
	case agent.LateResponse:
		return fmt.Sprintf("late answer on session %s: %s", short(t.Session), t.Response.Kind)
	case agent.EventQueued:
		return "event for the application: " + event(&t.Event)
	case agent.CloseBegan:
		return "is being closed"
	case agent.CloseReturned:
		return "is closed"
	default:
		return ""
	}
}

// removals say why a session variable is removed.
var removals = [...]string{
	agent.RemovedFailed: "connecting having failed", agent.RemovedExpired: "its error having expired", agent.RemovedLost: "its connection being lost",
	agent.RemovedDisconnected: "by the disconnect handler", agent.RemovedClosed: "the agent being closed",
}

// outcomes say what became of an answer to a subscription.
var outcomes = [...]string{
	agent.SubActivated: "active", agent.SubCounted: "active under the service", agent.SubRefreshed: "newer figures of what is active",
	agent.SubFailed: "failed for good", agent.SubEnded: "already ended", agent.SubUnavailable: "unavailable",
	agent.SubTemporary: "still pending", agent.SubNotPending: "was no longer pending", agent.SubOutdated: "answers an older wish",
}

func late(is bool) string {
	if is {
		return " (late)"
	}
	return ""
}

// named are queues by their numbers.
func named(queues []protocol.QueueID) string {
	if len(queues) == 0 {
		return "no queues"
	}
	numbers := make([]string, len(queues))
	for i, q := range queues {
		numbers[i] = fmt.Sprint(queueIndex(q))
	}
	if len(queues) == 1 {
		return "queue " + numbers[0]
	}
	return "queues " + strings.Join(numbers, " ")
}

func subscribed(queues []agent.QueueSub) string {
	ids := make([]protocol.QueueID, len(queues))
	for i, q := range queues {
		ids[i] = q.Queue
	}
	return named(ids)
}

func andPending(queues []protocol.QueueID) string {
	if len(queues) == 0 {
		return ""
	}
	return "; " + named(queues) + " pending singly"
}

// results are answers, those with the same outcome together.
func results(list []agent.QueueResult) string {
	var parts []string
	for o := range outcomes {
		var ids []protocol.QueueID
		for _, r := range list {
			if int(r.Outcome) == o {
				ids = append(ids, r.Queue)
			}
		}
		if len(ids) > 0 {
			parts = append(parts, named(ids)+" "+outcomes[o])
		}
	}
	return strings.Join(parts, ", ")
}

// requests are those of one command together.
func requests(list []protocol.Request) string {
	var parts []string
	var ids []protocol.QueueID
	for i, r := range list {
		if r.Queue != (protocol.QueueID{}) {
			ids = append(ids, r.Queue)
		}
		if i+1 < len(list) && list[i+1].Command == r.Command {
			continue
		}
		part := string(r.Command)
		if len(ids) > 0 {
			part += " " + named(ids)
		}
		parts, ids = append(parts, part), nil
	}
	return strings.Join(parts, ", ")
}

func event(e *agent.Event) string {
	queues := append([]protocol.QueueID(nil), e.Queues...)
	for _, q := range e.Errors {
		queues = append(queues, q.Queue)
	}
	text := e.Kind.String()
	if len(queues) > 0 {
		text += ", " + named(queues)
	}
	if e.Reason != "" {
		text += fmt.Sprintf(" (%s)", e.Reason)
	}
	return text
}

// routerOf is the router that a transition is about; nil for none. Nearly all have it in a field of that name.
func routerOf(t agent.Transition) *protocol.Router {
	if e, ok := t.(agent.EventQueued); ok {
		return &e.Event.Router
	}
	if field := reflect.ValueOf(t).FieldByName("Router"); field.IsValid() {
		r := field.Interface().(protocol.Router)
		return &r
	}
	return nil
}

// tell adds the workload to the trace, a line for each part of it.
func (l *Workload) tell(logf func(format string, args ...any)) {
	logf("routers: %d; queues of each: %d, and %d of a service; faults strike until %v after the applications' last operation",
		l.Routers, l.Queues, l.ServiceQueues, l.Linger)
	for i, a := range l.Applications {
		c := a.Config
		logf("application %d: %v, events taken %v, messages %v, errors kept for %v, answers awaited for %v, connections for %v",
			i, c.Credential.Role, a.Events, a.Messages, c.PersistError, c.RPCTimeout, c.ConnectTimeout)
		logf("application %d: at most %d queues in a batch, %d in a block; room for %d events, %d messages, %d blocks to send; a ping every %v",
			i, c.BatchSize, c.BlockSize, c.EventQueue, c.MessageQueue, c.SendQueue, c.PingInterval)
		if a.CloseAt > 0 {
			logf("application %d: closes the agent at event %d", i, a.CloseAt)
		}
		for j, ops := range a.Tasks {
			said := make([]string, len(ops))
			for k, op := range ops {
				said[k] = op.String()
			}
			logf("application %d, task %d: %s", i, j+1, strings.Join(said, "; "))
		}
	}
}
