package search

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/strategy"
)

// Difference is the first run that did not repeat, and where it went another way.
type Difference struct {
	Condition string     `json:"condition"` // under which it was repeated
	Run       int64      `json:"run"`
	Seed      string     `json:"seed"`
	Strategy  string     `json:"strategy"`
	First     AuditedRun `json:"first"`
	Second    AuditedRun `json:"second"`
	Replay    string     `json:"replay"` // the run by its seed

	// The first event that is another one when the run is made twice more, with a tracer. One of them is nil where a trace ends.
	Step   int64  `json:"step,omitempty"` // 0: none was found
	Here   *Event `json:"here,omitempty"`
	There  *Event `json:"there,omitempty"`
	Remark string `json:"remark,omitempty"` // what else is known of it
}

// retraces is how often a run is made with a tracer to see it differ once more: what is drawn by chance may come to the same.
const retraces = 20

// difference looks for the step at which run i of two passes parts.
func (a *auditor) difference(sc *sim.Scenario, condition string, i int, first pass, second []AuditedRun) (*Difference, error) {
	token := first.token(sc, i)
	d := &Difference{
		Condition: condition, Run: int64(i), Seed: seedText(token.Seed), Strategy: token.Strategy,
		First: first.runs[i], Second: AuditedRun{Error: "was not made"}, Replay: "heddle replay " + token.String(),
	}
	if i < len(second) {
		d.Second = second[i]
	}
	here, _, err := traceOf(sc, token)
	for n := 0; n < retraces && err == nil; n++ {
		var there []Event
		there, d.Remark, err = a.traceUnder(condition, sc, token)
		if err == nil && d.locate(here, there) {
			return d, nil
		}
	}
	var stuck *StuckError
	switch {
	case a.ctx.Err() != nil || errors.As(err, &stuck):
		return d, err
	case err != nil: // of the set-up
		d.Remark = err.Error()
	case condition == ConditionTraced || condition == ConditionReplayed:
		d.Remark = "traced runs are alike: it matters to the run whether it is traced"
	default:
		d.Remark = fmt.Sprintf("%d more runs had the same trace: the difference is rare, or not seen while a tracer looks", retraces)
	}
	return d, nil
}

// token is run i by its seed.
func (p pass) token(sc *sim.Scenario, i int) choice.Token {
	o := outcome{plan: p.plans[i], attempt: attempt{scenario: sc, seed: p.plans[i].seed}}
	token := o.token(nil)
	token.Property = p.runs[i].Property
	token.Hash, _ = strconv.ParseUint(p.runs[i].Hash, 16, 64) // of seedText
	return token
}

// traceUnder makes the run of a token by seed with a tracer, under a condition. remark is what the replay of its decisions noticed.
func (a *auditor) traceUnder(condition string, sc *sim.Scenario, token choice.Token) (events []Event, remark string, err error) {
	switch condition {
	case ConditionFresh:
		events, err = a.Process.Trace(a.ctx, token)
		return withoutNotes(events), "", err
	case ConditionOneCore:
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	case ConditionReplayed:
		if token, err = addressed(sc, token); err != nil {
			return nil, "", err
		}
	}
	return traceOf(sc, token)
}

// addressed is the token of the same run by its decisions.
func addressed(sc *sim.Scenario, token choice.Token) (choice.Token, error) {
	s, err := strategy.Parse(token.Strategy)
	if err != nil {
		return token, err
	}
	known, err := s.Decode(token.Learnt)
	if err != nil {
		return token, err
	}
	o := outcome{plan: plan{strategy: s, seed: token.Seed, length: token.Length, known: known}, attempt: attempt{scenario: sc, seed: token.Seed}}
	c := newCrew(1)
	defer c.watch(stuckAfter, func() {})()
	err = c.one(func(w *worker) {
		w.recorder.Begin(w.source(o.plan, nil), nil)
		w.run(sc, &o, sim.RunConfig{Source: &w.recorder, Tracer: w.recorder.Tracer(), DataSeed: token.DataSeed})
		token.Deviations = append([]choice.Deviation{}, w.recorder.Deviations()...)
	})
	if err != nil {
		return token, err // stuck
	}
	c.close()
	return token, o.err
}

// traceOf makes the run of a token with a tracer.
func traceOf(sc *sim.Scenario, token choice.Token) (events []Event, remark string, err error) {
	replayed, err := Replay(sc, token, NewTracer(func(e Event) { events = append(events, e) }))
	if replayed.Fit != nil {
		remark = replayed.Fit.Diverged
	}
	return withoutNotes(events), remark, err
}

// locate finds the first event that differs.
func (d *Difference) locate(here, there []Event) bool {
	i := 0
	for i < len(here) && i < len(there) && here[i] == there[i] {
		i++
	}
	if i < len(there) {
		d.There, d.Step = &there[i], there[i].Step
	}
	if i < len(here) {
		d.Here, d.Step = &here[i], here[i].Step
	}
	return d.Here != nil || d.There != nil
}
