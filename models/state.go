package models

import (
	"time"

	"github.com/heddle-go/heddle/agent"
	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// The shadow of one agent, built from what it tells (package agent's transitions), what its network carries and what the
// application calls. Nothing in it is read from the agent.

// clientState is that of a router's session variable.
type clientState uint8

const (
	noClient clientState = iota
	connecting
	connected
	failed
)

// router is the shadow of one router.
type router struct {
	id      protocol.Router
	name    string
	version uint64 // counts transitions, to tell whether a snapshot is of the present
	shaped  uint64 // its shape after the last transition

	// The session variable.
	variable, lastVariable uint64
	client                 clientState
	current                *session // if connected
	startedAt              time.Duration
	waits                  []wait // callers that wait for the variable to be filled

	// The last failed attempt, for S13.
	failedAt, expiry time.Time
	everFailed       bool
	failedSince      time.Duration // failedAt, by the world's clock
	dialFailed       time.Duration // when the network refused; -1 if it did not
	owesRemoval      uint64        // with interval 0: the variable that must go in the current step

	worker      workerShadow
	sessions    []*session // published, their disconnect handler not finished, oldest first
	opened      []*session // connections that the agent has been given and has not closed, whoever ended them
	queues      map[protocol.QueueID]*queue
	order       []*queue
	in          [places]int // queues in each place
	calls       []*Call     // under way
	waiting     int         // requests that wait for an answer
	blocks      []block     // those requests, as sent
	service     serviceShadow
	lastGrant   *protocol.ServiceID // of the last session that had one
	needed      time.Duration       // since when something is pending or subscribed; -1 if nothing is
	idleVersion uint64              // the version at which L2's condition was last seen to hold; 0 if it did not

	owed     []owedEvent // by the critical section of the current step
	fold     foldedService
	history  Key // of the session variable
	services Key // of the service register

	refinement refinement
}

// place is where a queue is recorded.
type place uint8

const (
	absent place = iota
	pending
	active
	counted  // singly confirmed under the active service, beyond its SOKS figures
	included // singly confirmed under the service before its SOKS figures, which include it, or on an earlier session
	places
)

func (p place) String() string {
	return [...]string{"nowhere", "pending", "active", "counted", "included"}[p]
}

// queue is the shadow of one queue of a router.
type queue struct {
	id      protocol.QueueID
	name    string
	router  *router
	place   place
	session *session // of active, counted, included
	key     protocol.AuthKey
	service protocol.ServiceID // of counted, included
	wanted  bool
	removed bool  // what ended it last was a remove call
	wishAt  int64 // the Monitor's time when it was last wanted
	wished  time.Duration
	at      int64 // the Monitor's time of the answer that made it active or counted
	doubted int64 // the Monitor's time of the figures that made it pending; 0 if something else did
	owes    agent.EventKind
	owesErr *protocol.Error
	hash    protocol.IDsHash
	hashed  bool

	requests []*request    // of sessions whose handler has not finished, oldest first
	pushes   []push        // END and DELD that the network carried, likewise
	calls    int           // subscribe calls that have not yet recorded it
	handed   bool          // the application has handed it over to the service
	fellBack time.Duration // when that was
	fallback bool          // L9: its service became unavailable, and it is to be subscribed on its own

	fold        place // as the events and calls say; counted is any of the service's
	foldSession *session
	foldService protocol.ServiceID

	register, ownership Key // histories
}

func (q *queue) md5() protocol.IDsHash {
	if !q.hashed {
		q.hash, q.hashed = protocol.HashOf(q.id), true
	}
	return q.hash
}

// push is an END or DELD as the network carried it.
type push struct {
	session *session
	kind    protocol.Kind
	at      int64
	told    bool // the agent has said what it made of it
	taken   bool // and accepted it
}

// session is the shadow of one session, and of its connection.
type session struct {
	id     net.SessionID
	router *router

	// As the network has it.
	grant    *protocol.ServiceID
	closed   bool // by the agent, or by an error that the agent has been given
	heard    time.Duration
	requests map[protocol.CorrelationID]*request
	services []*request // service subscriptions, oldest first
	taken    []push     // ENDS
	figures  int64      // the Monitor's time of the last SOKS that the agent has told of, whatever became of it; 0: there was none
	answers  int
	asked    []batch // of which not all is sent yet

	// As the agent has it.
	variable  uint64
	published bool
	lost      bool
	ended     bool // its disconnect handler has finished
	held      int  // queues active or counted under it
	begun     bool // Connected was queued
	finished  bool // Disconnected was queued
}

// request is one request as the network and the agent's transitions tell of it.
type request struct {
	session *session
	queue   *queue // nil for others than SUB and NSUB
	key     protocol.AuthKey
	service protocol.ServiceSub
	command protocol.Command
	begunAt int64         // when it was decided on: it is for what was pending then
	answer  protocol.Kind // as the network carried it; empty while there is none
	err     *protocol.Error
	sok     *protocol.ServiceID
	count   int64
	hash    protocol.IDsHash
	at      int64 // the Monitor's time of the answer
	state   requestState
	block   int64
	asked   CallID // in the ownership's history
	isAsked bool
	late    bool    // its answer came when it no longer waited
	commits [2]int8 // of its answer, or of there being none, in time; and of its late answer
}

// batch is requests that are to be sent, block by block.
type batch struct {
	requests []protocol.Request
	left     int // not yet sent
	at       int64
}

type requestState uint8

const (
	waiting requestState = iota
	answered
	abandoned
)

// class is what an answer to a subscription means.
type class uint8

const (
	unanswered class = iota
	success
	serviceSuccess
	temporaryError
	permanentError
	serviceError
)

// class judges the answer that the network carried, by the tables of the reference.
func (q *request) class() class {
	single := q.command == protocol.SUB || q.command == protocol.NSUB
	switch q.answer {
	case "":
		return unanswered
	case protocol.OK, protocol.SOK, protocol.MSG:
		switch {
		case !single, q.answer == protocol.MSG && q.command != protocol.SUB:
			return permanentError
		case q.answer == protocol.SOK && q.sok != nil && q.session.grant != nil && *q.sok == *q.session.grant:
			return serviceSuccess
		}
		return success
	case protocol.SOKS:
		if single {
			return permanentError
		}
		return success
	case protocol.ERR:
		if q.err == nil {
			return permanentError
		}
		switch q.err.Kind {
		case protocol.Network, protocol.Timeout, protocol.IO:
			return temporaryError
		case protocol.NoService:
			return serviceError
		case protocol.Protocol:
			if q.err.Code == protocol.CodeService {
				return serviceError
			}
		case protocol.Broker:
			if q.err.Code == protocol.CodeNoService {
				return serviceError
			}
		}
		return permanentError
	}
	return permanentError
}

// serviceShadow is a router's service subscription.
type serviceShadow struct {
	pending   protocol.ServiceSub
	isPending bool
	wishAt    int64 // the Monitor's time when it was last wanted
	wished    time.Duration

	isActive bool
	session  *session
	figures  protocol.ServiceSub // of the last SOKS and of what was counted since
	at       int64               // the Monitor's time of that SOKS; 0: there was none
}

// wait is a caller that waits for a session variable.
type wait struct {
	variable uint64
	since    time.Duration
}

// block is requests that were sent at once and of which some wait.
type block struct {
	session *session
	number  int64
	left    int
	total   int
	since   time.Duration
}

// workerShadow is a router's reconnect worker.
type workerShadow struct {
	variable, last uint64
	phase          workerPhase
	attempt        int
	session        *session      // that the attempt under way has connected to
	tried          bool          // the attempt under way has connected, waited, asked or met an unexpired error
	delay, elapsed time.Duration // of the schedule
	connectedStep  int64         // the step of the attempt's WorkerConnected; -1 if there was none yet
	sleptAt, sleep time.Duration
	endedAt        time.Duration // when the last worker ended; -1
}

type workerPhase uint8

const (
	noWorker workerPhase = iota
	workerPut
	workerAttempting
	workerSleeping
)
