package search

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/choice"
	"github.com/heddle-go/heddle/sim/strategy"
)

// The conditions under which an audit repeats its runs. What a run comes to must depend on none of them.
const (
	ConditionAgain    = "again"         // in the same process
	ConditionOneCore  = "one core"      // by one worker, with GOMAXPROCS 1
	ConditionTraced   = "traced"        // recorded, with a tracer
	ConditionReplayed = "from token"    // decided by what was recorded, after a way through the text of a token
	ConditionFresh    = "fresh process" // with other seeds of maps, other addresses, and a collector that runs more often
)

// AuditConfig says which runs to audit.
type AuditConfig struct {
	Scenarios []*sim.Scenario
	Seed      string // any text
	Strategy  strategy.Strategy
	Runs      int64   // of each scenario
	Workers   int     // 0: one for each core
	Process   Process // nil: the condition ConditionFresh is left out

	// Progress, if not nil, is called before the runs of a scenario are made under a condition, which is empty for the first time.
	Progress func(scenario, condition string)
}

// Process makes runs in another process, of the same program.
type Process interface {
	// Runs makes the runs of the audit, as AuditedRuns does.
	Runs(ctx context.Context, sc *sim.Scenario) ([]AuditedRun, error)
	// Trace makes the run of a token.
	Trace(ctx context.Context, token choice.Token) ([]Event, error)
}

// AuditedRun is what a run came to: all that must be the same under every condition.
type AuditedRun struct {
	Steps    int64         `json:"steps"`
	Elapsed  time.Duration `json:"elapsed_ns"` // virtual
	Property string        `json:"property,omitempty"`
	Hash     string        `json:"trace_hash"`
	Error    string        `json:"error,omitempty"` // of the set-up
}

// String says what the run came to, in a few words.
func (r AuditedRun) String() string {
	switch {
	case r.Error != "":
		return r.Error
	case r.Property == "":
		return fmt.Sprintf("no failure (%d steps in %s, trace %s)", r.Steps, r.Elapsed, r.Hash)
	}
	return fmt.Sprintf("%s (%d steps in %s, trace %s)", r.Property, r.Steps, r.Elapsed, r.Hash)
}

// AuditReport is what an audit came to in one scenario.
type AuditReport struct {
	Scenario   string      `json:"scenario"`
	Runs       int64       `json:"runs"`
	Steps      int64       `json:"steps"`      // of the runs, made once
	Failed     int64       `json:"failed"`     // of the runs, which is no matter here
	TraceHash  string      `json:"trace_hash"` // over all runs, as that of a search that keeps going
	Conditions []string    `json:"conditions"` // under which all runs were the same
	Seconds    float64     `json:"seconds"`
	Difference *Difference `json:"difference"` // nil if there is none
}

// Audit makes the runs of each scenario once, and again under every condition, and compares what they come to. A scenario that differs is
// not repeated further; the others are.
//
// While it repeats runs on one core, GOMAXPROCS is 1 for the whole process. The error is a failure of a scenario's set-up, of the other
// process, a [StuckError], or that of ctx; the reports are those that were finished before.
func Audit(ctx context.Context, config AuditConfig) (reports []*AuditReport, err error) {
	a := newAuditor(ctx, config)
	defer func() { a.close(err) }()
	for _, sc := range config.Scenarios {
		report, err := a.scenario(sc)
		if err != nil {
			return reports, err
		}
		reports = append(reports, report)
	}
	return reports, nil
}

// AuditedRuns makes the runs of an audit of one scenario, once: what a [Process] does.
func AuditedRuns(ctx context.Context, config AuditConfig, sc *sim.Scenario) (runs []AuditedRun, err error) {
	a := newAuditor(ctx, config)
	defer func() { a.close(err) }()
	p, err := a.pass(sc, len(a.crew.workers), (*worker).make)
	return p.runs, err
}

type auditor struct {
	AuditConfig
	ctx      context.Context
	crew     *crew
	endWatch func()
}

func newAuditor(ctx context.Context, config AuditConfig) *auditor {
	if config.Workers <= 0 {
		config.Workers = runtime.GOMAXPROCS(0)
	}
	a := &auditor{AuditConfig: config, ctx: ctx, crew: newCrew(config.Workers)}
	a.endWatch = a.crew.watch(stuckAfter, func() {})
	return a
}

func (a *auditor) close(err error) {
	a.endWatch()
	var stuck *StuckError
	if !errors.As(err, &stuck) {
		a.crew.close()
	}
}

// pass is what the runs of a scenario came to, made once.
type pass struct {
	runs  []AuditedRun
	plans []plan
	lane  *lane
}

// pass makes the runs of a scenario. job makes one, and finishes it.
func (a *auditor) pass(sc *sim.Scenario, workers int, job func(*worker, *batch, *outcome)) (p pass, err error) {
	p.lane = newLane(sc, Config{Seed: a.Seed, Strategy: a.Strategy})
	for n := p.lane.chunk(a.Runs); n > 0; n = p.lane.chunk(a.Runs) {
		b := p.lane.batch(n, func(*sim.Failure) bool { return false })
		err := a.crew.do(a.crew.workers[:workers], func(w *worker) {
			w.begin(b)
			for o := b.claim(a.ctx); o != nil; o = b.claim(a.ctx) {
				job(w, b, o)
			}
		})
		if err != nil {
			b.limit.Store(0) // for the workers that are not stuck
			return p, err
		}
		for i := range b.outcomes[:b.completed()] {
			o := &b.outcomes[i]
			p.runs, p.plans = append(p.runs, o.audited()), append(p.plans, o.plan)
			if o.err != nil {
				return p, nil // where the others must end as well
			}
			p.lane.merge(o)
		}
		p.lane.learn(a.crew)
		if a.ctx.Err() != nil {
			return p, context.Cause(a.ctx)
		}
	}
	p.lane.finish()
	return p, nil
}

func (o *outcome) audited() AuditedRun {
	if o.err != nil {
		return AuditedRun{Error: o.err.Error()}
	}
	return AuditedRun{Steps: o.steps, Elapsed: o.elapsed, Property: o.property(), Hash: seedText(o.hash)}
}

// scenario audits one scenario.
func (a *auditor) scenario(sc *sim.Scenario) (*AuditReport, error) {
	begun := time.Now()
	all := len(a.crew.workers)
	a.progress(sc, "")
	first, err := a.pass(sc, all, (*worker).make)
	if err != nil {
		return nil, err
	}
	last := len(first.runs) - 1
	if first.runs[last].Error != "" {
		return nil, fmt.Errorf("%s (run %d, seed %s)", first.runs[last].Error, last, seedText(first.plans[last].seed))
	}
	l := first.lane.report
	report := &AuditReport{Scenario: sc.Name, Runs: l.Runs, Steps: l.Steps, Failed: l.Failed, TraceHash: l.TraceHash, Conditions: []string{}}

	var replayed []AuditedRun
	for _, c := range []struct {
		name string
		runs func() ([]AuditedRun, error)
	}{
		{ConditionAgain, func() ([]AuditedRun, error) { return a.repeat(sc, all, (*worker).make) }},
		{ConditionOneCore, func() ([]AuditedRun, error) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			return a.repeat(sc, 1, (*worker).make)
		}},
		{ConditionTraced, func() ([]AuditedRun, error) {
			replayed = make([]AuditedRun, a.Runs)
			return a.repeat(sc, all, func(w *worker, b *batch, o *outcome) {
				again := w.recordAndReplay(b.scenario, o)
				replayed[b.first+o.index] = again.audited()
				b.finish(o)
			})
		}},
		{ConditionReplayed, func() ([]AuditedRun, error) { return replayed, nil }}, // with those before
		{ConditionFresh, func() ([]AuditedRun, error) { return a.Process.Runs(a.ctx, sc) }},
	} {
		if c.name == ConditionFresh && a.Process == nil {
			continue
		}
		a.progress(sc, c.name)
		second, err := c.runs()
		if err != nil {
			return nil, err
		}
		if i := firstDifference(first.runs, second); i >= 0 {
			d, err := a.difference(sc, c.name, i, first, second)
			report.Difference = d
			report.Seconds = time.Since(begun).Seconds()
			return report, err
		}
		report.Conditions = append(report.Conditions, c.name)
	}
	report.Seconds = time.Since(begun).Seconds()
	return report, nil
}

func (a *auditor) progress(sc *sim.Scenario, condition string) {
	if a.Progress != nil {
		a.Progress(sc.Name, condition)
	}
}

func (a *auditor) repeat(sc *sim.Scenario, workers int, job func(*worker, *batch, *outcome)) ([]AuditedRun, error) {
	p, err := a.pass(sc, workers, job)
	return p.runs, err
}

// firstDifference is the index of the first run that differs, -1 if there is none.
func firstDifference(first, second []AuditedRun) int {
	for i := range first {
		if i >= len(second) || first[i] != second[i] {
			return i
		}
	}
	return -1
}

// recordAndReplay makes the run that o plans, recorded and traced, and then the same from the token of what was recorded.
func (w *worker) recordAndReplay(sc *sim.Scenario, o *outcome) (replayed outcome) {
	source := w.source(o.plan, w.lessons)
	w.recorder.Begin(source, NewTracer(func(Event) {}))
	w.run(sc, o, sim.RunConfig{Source: &w.recorder, Tracer: w.recorder.Tracer(), DataSeed: dataSeed(o.plan.seed)})
	o.choices = source.Choices()

	replayed = outcome{plan: o.plan, attempt: o.attempt}
	token := o.token(w.recorder.Deviations())
	if token.Deviations == nil {
		token.Deviations = []choice.Deviation{} // addressed all the same
	}
	if token, replayed.err = choice.ParseToken(token.String()); replayed.err == nil {
		w.replay.Begin(token.Deviations, nil)
		w.run(sc, &replayed, sim.RunConfig{Source: &w.replay, Tracer: w.replay.Tracer(), DataSeed: token.DataSeed})
	}
	return replayed
}
