package agent

import (
	"time"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// Observer is told of every transition of an agent, inside the critical section
// that commits it: what is told of one router, and of one session's requests, is
// in the order in which it happened. Applying the transitions in turn gives the
// state that Snapshot copies.
//
// Observe must not block, use a primitive of package sched, or call the agent. It
// is called by many tasks at once. It must not change what a transition points
// to, and may keep it. Without an observer nothing is built and nothing is spent.
type Observer interface {
	Observe(Transition)
}

// Transition is one of the types of this package that follow, by value.
type Transition interface{ transition() }

// Transitions of a router's session variable: properties S1, S3, S4, S12, S13, L5.
type (
	// ConnectStarted: the variable was empty, and is put; a task connects. It is
	// the start of an attempt, at At.
	ConnectStarted struct {
		Router protocol.Router
		Var    uint64
		At     time.Time
	}
	// ClientPublished: the variable is filled with a connected client, which is
	// the router's current one from now.
	ClientPublished struct {
		Router  protocol.Router
		Var     uint64
		Session net.SessionID
		Service *protocol.ServiceID
	}
	// ConnectFailed: the variable is filled with an error. Expiry is zero if it
	// is not kept (VariableRemoved follows).
	ConnectFailed struct {
		Router protocol.Router
		Var    uint64
		Err    error
		At     time.Time
		Expiry time.Time
	}
	// VariableRemoved: a holder of Var has removed it. Reason says who.
	VariableRemoved struct {
		Router protocol.Router
		Var    uint64
		Reason RemovalReason
	}
	// VariableKept: a holder of Var wanted to remove it, and found Current in its
	// place (0: none). Nothing changed.
	VariableKept struct {
		Router  protocol.Router
		Var     uint64
		Current uint64
		Reason  RemovalReason
	}
	// ErrorAnswered: at At a caller was answered with the stored error.
	ErrorAnswered struct {
		Router protocol.Router
		Var    uint64
		Expiry time.Time
		At     time.Time
	}
	// WaitStarted: a caller waits for the variable to be filled.
	WaitStarted struct {
		Router protocol.Router
		Var    uint64
	}
	// WaitEnded: it no longer waits.
	WaitEnded struct {
		Router  protocol.Router
		Var     uint64
		Outcome WaitOutcome
	}
	// LateDialClosed: a connection came after the agent was closed, and is closed.
	LateDialClosed struct {
		Router  protocol.Router
		Var     uint64
		Session net.SessionID
	}
	// SessionLost: the connection is gone, or closed by this side. The session is
	// no longer live, though its disconnect handler has yet to run.
	SessionLost struct {
		Router  protocol.Router
		Session net.SessionID
		Err     error
	}
)

// RemovalReason is why a session variable is removed.
type RemovalReason uint8

// The reasons.
const (
	// RemovedFailed: connecting failed and errors are not kept.
	RemovedFailed RemovalReason = iota + 1
	// RemovedExpired: the stored error was read at or after its expiry.
	RemovedExpired
	// RemovedLost: a caller found the client's connection lost.
	RemovedLost
	// RemovedDisconnected: the disconnect handler.
	RemovedDisconnected
	// RemovedClosed: the agent was closed.
	RemovedClosed
)

// WaitOutcome is how the wait for a session variable ended.
type WaitOutcome uint8

// The outcomes.
const (
	WaitFilled WaitOutcome = iota + 1
	WaitTimedOut
	WaitCancelled
	WaitClosed
)

// Transitions of subscriptions: properties S2, S5 to S11, S14 to S16, S18, L9.
type (
	// QueuesWanted: a call recorded queues as pending, whatever they were.
	// Figures is the active service's subscription afterwards if queues were
	// taken out of it, else nil.
	QueuesWanted struct {
		Router  protocol.Router
		Queues  []QueueSub
		Figures *protocol.ServiceSub
	}
	// QueuesRemoved: a call removed queues. Figures as above.
	QueuesRemoved struct {
		Router  protocol.Router
		Queues  []protocol.QueueID
		Figures *protocol.ServiceSub
	}
	// ResultsCommitted: answers to subscriptions, obtained on the session, were
	// applied. Figures is the active service's subscription afterwards if queues
	// were counted under it, else nil.
	ResultsCommitted struct {
		Router  protocol.Router
		Session net.SessionID
		Results []QueueResult
		Figures *protocol.ServiceSub
		Late    bool
	}
	// ResultsRefused: they were not, because the session is not the router's
	// current one. Service: the answer was one to a service subscription.
	ResultsRefused struct {
		Router  protocol.Router
		Session net.SessionID
		Queues  []protocol.QueueID
		Service *protocol.ServiceSub
	}
	// QueueEnded: the router ended a queue. Accepted says whether its
	// subscription or wish ended with that; if not, nothing changed.
	QueueEnded struct {
		Router   protocol.Router
		Session  net.SessionID
		Queue    protocol.QueueID
		Reason   EndReason
		Accepted bool
		Figures  *protocol.ServiceSub
	}
	// ServiceWanted: a call recorded a service as pending. Queues are those that
	// another pending service, now replaced, had covered: they are pending singly.
	ServiceWanted struct {
		Router protocol.Router
		Sub    protocol.ServiceSub
		Queues []protocol.QueueID
	}
	// ServiceCommitted: the answer to a service subscription for Wanted, obtained
	// on the session, was applied. Confirmed is the router's own figure for
	// SubActivated and SubRefreshed, Figures what is recorded with it; Counted are
	// the queues that were confirmed singly after it and stay counted. Queues are
	// those that the router's figures may not count, or, with SubFailed and
	// SubUnavailable, that were counted under it on this session all the same: they
	// are pending singly. Err is the answer's error. Correlation is that of the request; zero if it was not sent. Late: the answer
	// came after its timeout.
	ServiceCommitted struct {
		Router      protocol.Router
		Session     net.SessionID
		Correlation protocol.CorrelationID
		Wanted      protocol.ServiceSub
		Outcome     SubOutcome
		Confirmed   protocol.ServiceSub
		Figures     protocol.ServiceSub
		Counted     []protocol.QueueID
		Queues      []protocol.QueueID
		Err         *protocol.Error
		Late        bool
	}
	// ServiceDemoted: the service is no longer subscribed on its session. Pending:
	// it is now pending; else a newer one was pending, or has taken its place. If
	// that is another service, Queues are those that the demoted one had covered:
	// they are now pending singly.
	ServiceDemoted struct {
		Router  protocol.Router
		Session net.SessionID
		Sub     protocol.ServiceSub
		Pending bool
		Queues  []protocol.QueueID
	}
	// ServiceTaken: the router sent ENDS. Accepted says whether the active
	// subscription Sub ended with that; if not, nothing changed. The queues that the
	// service covered are no longer wanted, unless it is pending again.
	ServiceTaken struct {
		Router   protocol.Router
		Session  net.SessionID
		Accepted bool
		Sub      protocol.ServiceSub
	}
	// SessionEnded: the disconnect handler of a session has committed. Queues
	// were active under it and are now pending.
	SessionEnded struct {
		Router  protocol.Router
		Session net.SessionID
		Queues  []protocol.QueueID
	}
)

// QueueResult is what became of the answer to one queue's subscription. Correlation
// is that of its request; zero if the batch was cut before the request was sent.
type QueueResult struct {
	Queue       protocol.QueueID
	Key         protocol.AuthKey
	Correlation protocol.CorrelationID
	Outcome     SubOutcome
	Err         *protocol.Error
}

// SubOutcome is what became of an answer to a subscription.
type SubOutcome uint8

// The outcomes. All but the first six change nothing.
const (
	// SubActivated: it is active under the session.
	SubActivated SubOutcome = iota + 1
	// SubCounted: the queue is counted under the session's service.
	SubCounted
	// SubRefreshed: the service was active on the session already, and these are
	// newer figures; what is pending stays.
	SubRefreshed
	// SubFailed: a permanent error; no longer wanted, and with a service neither
	// are the queues that it covered. If it was active on this session it ends.
	SubFailed
	// SubEnded: confirmed, then ended by the router before this was committed.
	// Covered queues as with SubFailed.
	SubEnded
	// SubUnavailable: the session has no such service; no longer wanted. Covered
	// queues as with SubFailed.
	SubUnavailable
	// SubTemporary: a temporary error, or no answer; stays pending.
	SubTemporary
	// SubNotPending: it was not pending any more.
	SubNotPending
	// SubOutdated: what is pending is newer than the request: another key, another
	// service value, or wanted again since the router ended it; or figures of the
	// service came behind the answer, which may not count the queue.
	SubOutdated
)

// Transitions of a router's reconnect worker: properties L2, L3, S4, S17.
type (
	// WorkerPut: there was no worker and something is pending; a task is started.
	WorkerPut struct {
		Router protocol.Router
		Var    uint64
	}
	// WorkerAttempt: something is pending, and the worker begins its n-th attempt,
	// from 1.
	WorkerAttempt struct {
		Router  protocol.Router
		Var     uint64
		Attempt int
	}
	// WorkerConnected: it has a client, and asks first for what the RequestsBegun that
	// follows in the same critical section says.
	WorkerConnected struct {
		Router  protocol.Router
		Var     uint64
		Session net.SessionID
	}
	// WorkerSleep: it is about to sleep for Delay.
	WorkerSleep struct {
		Router protocol.Router
		Var    uint64
		Delay  time.Duration
	}
	// WorkerRemoved: it ends, and is removed. Idle: it found nothing pending, or
	// nothing that no call under way has taken on; else the agent is closed.
	WorkerRemoved struct {
		Router protocol.Router
		Var    uint64
		Idle   bool
	}
)

// Transitions of the requests of one session: S11, S12, L4, L8.
type (
	// RequestsBegun: a call or the worker is to ask for what is pending: one batch of
	// queues, or the service. RequestsSent follows for each block of Requests, which
	// then have their correlation ids, unless the session is lost before or has
	// another service.
	RequestsBegun struct {
		Router   protocol.Router
		Session  net.SessionID
		Requests []protocol.Request
	}
	// RequestsSent: requests are handed over in one block and wait for answers.
	RequestsSent struct {
		Router   protocol.Router
		Session  net.SessionID
		Requests []protocol.Request
	}
	// RequestAnswered: a request that waited has its answer.
	RequestAnswered struct {
		Router   protocol.Router
		Session  net.SessionID
		Response protocol.Response
	}
	// RequestsAbandoned: these no longer wait; Err says why: a timeout, the
	// caller's cancellation, the end of the connection.
	RequestsAbandoned struct {
		Router       protocol.Router
		Session      net.SessionID
		Correlations []protocol.CorrelationID
		Err          error
	}
	// LateResponse: a request that no longer waited has its answer.
	LateResponse struct {
		Router   protocol.Router
		Session  net.SessionID
		Request  protocol.Request
		Response protocol.Response
	}
	// StrayResponse: an answer that belongs to no request.
	StrayResponse struct {
		Router   protocol.Router
		Session  net.SessionID
		Response protocol.Response
	}
)

// Transitions of the agent: S10, S12, L6.
type (
	// EventQueued: an event is in the outbox, in the critical section of the
	// transition that it tells of.
	EventQueued struct{ Event Event }
	// EventDelivered: it is in Events. Events are delivered in the order queued.
	EventDelivered struct{ Event Event }
	// CloseBegan: Close was called for the first time.
	CloseBegan struct{}
	// CloseReturned: no task of the agent is left.
	CloseReturned struct{}
)

func (ConnectStarted) transition()    {}
func (ClientPublished) transition()   {}
func (ConnectFailed) transition()     {}
func (VariableRemoved) transition()   {}
func (VariableKept) transition()      {}
func (ErrorAnswered) transition()     {}
func (WaitStarted) transition()       {}
func (WaitEnded) transition()         {}
func (LateDialClosed) transition()    {}
func (SessionLost) transition()       {}
func (QueuesWanted) transition()      {}
func (QueuesRemoved) transition()     {}
func (ResultsCommitted) transition()  {}
func (ResultsRefused) transition()    {}
func (QueueEnded) transition()        {}
func (ServiceWanted) transition()     {}
func (ServiceCommitted) transition()  {}
func (ServiceDemoted) transition()    {}
func (ServiceTaken) transition()      {}
func (SessionEnded) transition()      {}
func (WorkerPut) transition()         {}
func (WorkerAttempt) transition()     {}
func (WorkerConnected) transition()   {}
func (WorkerSleep) transition()       {}
func (WorkerRemoved) transition()     {}
func (RequestsBegun) transition()     {}
func (RequestsSent) transition()      {}
func (RequestAnswered) transition()   {}
func (RequestsAbandoned) transition() {}
func (LateResponse) transition()      {}
func (StrayResponse) transition()     {}
func (EventQueued) transition()       {}
func (EventDelivered) transition()    {}
func (CloseBegan) transition()        {}
func (CloseReturned) transition()     {}
