package models

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent"
)

func TestRefinementShowsWhereAStepHasLed(t *testing.T) {
	p := newPlay(t, refinementOnly)
	twoActive(p)
	p.lose(s1)
	p.see(agent.VariableRemoved{Router: home, Var: p.variable, Reason: agent.RemovedLost})
	p.connect(s2, nil)
	p.subscribe(s2, "k", 3)
	p.passes()

	p.disconnect(s1, 1, 3)
	p.m.Tick()

	require.Equal(t, []string{`refinement: router one.example.org: VariableRemoved, SessionEnded: the model does not allow Forget
  before: connected session2, handler of session1 due, 0 pending, 3 active, 0 counted, 0 included, queue 71010000 active on session1, queue 71030000 active on session2
  after:  empty, session2 live, 2 pending, 1 active, 0 counted, 0 included, queue 71010000 pending, queue 71030000 pending`}, p.w.messages)
}

func TestRefinementJudgesAStepAsAWhole(t *testing.T) {
	p := newPlay(t, refinementOnly)
	withService(p)
	p.count(s1, 1, sub(3).With(qid(1)))
	p.lose(s1)

	figures := sub(3).With(qid(1))
	p.see(agent.VariableRemoved{Router: home, Var: p.variable, Reason: agent.RemovedDisconnected},
		agent.ServiceDemoted{Router: home, Session: s1, Sub: figures, Pending: true}, agent.SessionEnded{Router: home, Session: s1})
	p.m.Tick()
	p.passes()

	p.see(agent.WorkerPut{Router: home, Var: 1}) // in a step of its own, before anything else
	p.m.Tick()
	p.passes()
	p.compare(agent.RouterSnapshot{
		Router: home, Worker: agent.WorkerAttempting, WorkerVar: 1, PendingService: &figures,
		Covered: []agent.ActiveQueue{{Queue: qid(1), Key: "k", Session: s1}},
	})
	p.passes()
}

func TestWhatChangesNothingIsNoAction(t *testing.T) {
	p := newPlay(t, refinementOnly)
	twoActive(p)
	p.m.Tick()
	before := p.m.router(home).refinement.abstract

	p.see(agent.VariableKept{Router: home, Var: 7, Current: p.variable, Reason: agent.RemovedLost})
	p.see(agent.ResultsRefused{Router: home, Session: s2, Queues: qids(1)})
	p.see(committed(s1, result(1, "k", p.ask(s1, "k", 1)[0], agent.SubNotPending)))
	p.m.Tick()

	p.passes()
	after := p.m.router(home).refinement.abstract
	require.Equal(t, before.describe(before.queues), after.describe(after.queues))
}
