package models

import "github.com/heddle-go/heddle/sim"

// Properties are what a Monitor checks, in the order of their ids. Where a check looks is said at its function, which is named
// after the property: s1SessionGated, l5NobodyFills.
func Properties() []sim.Property {
	return []sim.Property{
		{ID: "S1", Statement: "Session-gated commit: a subscription result is committed only if its session is the router's current one in that very step."},
		{ID: "S2", Statement: "Ownership: the disconnect handler of a session demotes only what is active under that session, and puts nothing in the place of something newer."},
		{ID: "S3", Statement: "Compare-and-remove: a session variable is removed only by a holder of the same variable id."},
		{ID: "S4", Statement: "Uniqueness: at most one client, one reconnect worker and one live connection for a router."},
		{ID: "S5", Statement: "No lost subscription: a wanted queue is pending, or active or counted under a live session, or covered by the service, or held by a subscribe call."},
		{ID: "S6", Statement: "No ghost: once the disconnect handler of a session has finished, nothing is recorded under it."},
		{ID: "S7", Statement: "One service subscription for a router: what is pending clears only through a result for that same value, is never overwritten by an older one, and never shrinks on disconnect."},
		{ID: "S8", Statement: "Exact service accounting: count and hash are the session's last SOKS figures plus each queue singly confirmed on it afterwards, once."},
		{ID: "S9", Statement: "Classification: a temporary error leaves a queue pending, without an event; a permanent one for its current key ends it, with exactly one event; success confirms it."},
		{ID: "S10", Statement: "Event fidelity: each transition has exactly one event, in order; folding the events gives the agent's state; Connected and Disconnected enclose the other events of their session."},
		{ID: "S11", Statement: "Alignment: an answer is that of its own request, whatever else a list of answers holds."},
		{ID: "S12", Statement: "Shutdown: after close has returned nothing connects or commits, and no session or worker is left."},
		{ID: "S13", Statement: "Persisted errors: the next attempt starts no sooner than the interval after a failed one, and no read at or after expiry is answered with the error; with interval 0 the variable is gone after the failure."},
		{ID: "S14", Statement: "Removal: after remove has returned, and with no later subscribe, the queue is never recorded again and no event says that it is subscribed."},
		{ID: "S15", Statement: "Newest key wins: the key recorded for a queue is the one of its last subscribe."},
		{ID: "S16", Statement: "Active and pending are disjoint."},
		{ID: "S17", Statement: "Retry schedule: the first attempt is immediate and the requested sleeps are exactly those of the schedule."},
		{ID: "S18", Statement: "END counts only from the current session, DELD always; both end the subscription. A router sends no END to a session that owns the queue again."},
		{ID: "L1", Statement: "A wanted queue is subscribed, at the agent and at the router, or its permanent error reported, within the bound after healing."},
		{ID: "L2", Statement: "Nothing pending is forgotten: while something is pending a worker exists, or a call or request in flight will start one."},
		{ID: "L3", Statement: "A worker ends when nothing is pending, and never iterates without its sleep, nor without a request, a connect attempt or an unexpired stored error."},
		{ID: "L4", Statement: "Every wait, request and call returns within its bound."},
		{ID: "L5", Statement: "No session variable stays unfilled beyond the bound of an attempt to connect."},
		{ID: "L6", Statement: "Events never get stuck: what is queued is delivered while its consumer takes what there is."},
		{ID: "L7", Statement: "A peer that is silent for longer than the stated bound, while its session is needed, is noticed."},
		{ID: "L8", Statement: "Bounded: at rest tasks, connections, sessions and request records are those of the live sessions alone."},
		{ID: "L9", Statement: "Service fallback completes: after service unavailable every queue of that service is subscribed on its own."},
		{ID: "snapshot", Statement: "Applying the transitions in turn gives the state that a snapshot copies."},
		{ID: "refinement", Statement: "Each step of the agent is a sequence of the actions of the abstract model, or changes nothing of it; a snapshot is the state that they have led to."},
		{ID: "linearizable", Statement: "The queue registers, the service registers, the session variables and the routers' ownership registers are linearizable."},
	}
}

// Sometimes are what a good search must have seen and only a Monitor can see.
func Sometimes() []string {
	return []string{
		"late-answer", "late-answer-of-replaced-session", "answer-after-disconnect", "demotion-while-newer-session",
		"stale-removal-refused", "commit-refused", "worker-found-nothing-left", "queue-added-while-worker-ended",
		"persisted-error-answered", "persisted-error-expired", "waiter-timed-out", "waiter-cancelled", "lost-right-after-connecting",
		"service-id-changed", "service-unavailable", "service-figures-merged", "end-of-old-session", "second-key-in-flight",
		"removed-during-request", "closed-during-connect", "closed-during-request", "closed-during-backoff", "batch-cut",
		"ended-before-commit", "duplicate-answer", "late-dial-closed", "figures-in-doubt", "service-refreshed", "worker-left-it-to-calls",
	}
}
