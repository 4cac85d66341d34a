package report

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
)

// The live page: an HTML, a style and a script that are always the same, and a stream of events, each a JSON object with all that the page
// shows. A failure is a page of its own, made when it is asked for.
var (
	//go:embed live.html
	liveHTML string
	//go:embed live.css
	liveCSS string
	//go:embed live.js
	liveScript string
)

// Policies of content: the live page loads only what it is served with, and the page of a failure nothing at all.
const (
	closedPolicy  = "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	livePolicy    = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:" + closedPolicy
	failurePolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:" + closedPolicy
)

// closingTakes is how long at most the end waits until the browsers have read the last event.
const closingTakes = time.Second

// States of a search.
const (
	Searching = "searching"
	Shrinking = "shrinking" // making smaller what was found
	Ended     = "ended"
)

// Live serves a page that shows a search while it goes on, to browsers of this machine. It is for whoever has its URL, which holds a random
// token: who asks without it, or under the name of another host, as a page that has rebound its own name would, is answered nothing.
type Live struct {
	// URL is where the page is.
	URL string

	config  search.Config
	page    func(sc *sim.Scenario, f *search.Failure) Page
	token   string
	hosts   []string
	server  *http.Server
	drawing sync.Mutex // one page of a failure is made at a time

	mu       sync.Mutex
	event    []byte // the last one
	ended    bool   // there will be no other
	changed  chan struct{}
	failures [][]search.Failure // by scenario
}

// NewLive serves the page of a search at a listener, until Close. page says what the page of a failure is made of, but for Smaller.
func NewLive(listener net.Listener, config search.Config, page func(sc *sim.Scenario, f *search.Failure) Page) *Live {
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	l := &Live{
		config: config, page: page, token: rand.Text(), changed: make(chan struct{}),
		hosts: []string{listener.Addr().String(), net.JoinHostPort("localhost", port)},
	}
	if port == "80" { // which browsers leave out
		for _, host := range l.hosts {
			l.hosts = append(l.hosts, strings.TrimSuffix(host, ":80"))
		}
	}
	l.URL = "http://" + l.hosts[0] + "/" + l.token + "/"
	var none search.Progress
	for _, sc := range config.Scenarios {
		none.Scenarios = append(none.Scenarios, &search.ScenarioReport{Name: sc.Name})
	}
	l.Show(none)
	l.server = &http.Server{Handler: l, ReadHeaderTimeout: 5 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go l.server.Serve(listener) // its error is that of Close
	return l
}

// Show shows how far the search is. It is made to be called by the search, as its Progress.
func (l *Live) Show(p search.Progress) {
	l.set(liveEvent{State: Searching, Seconds: p.Elapsed.Seconds(), Runs: p.Runs, Steps: p.Steps, Current: p.Current}, p.Scenarios)
}

// ShowReport shows what the search came to, in the state Shrinking or Ended. After Ended the page does not change any more.
func (l *Live) ShowReport(state string, r *search.Report, failed error) {
	e := liveEvent{State: state, Current: -1, Seconds: r.Elapsed.Seconds(), Runs: r.Runs(), Interrupted: r.Interrupted}
	for _, s := range r.Scenarios {
		e.Steps += s.Steps
	}
	if failed != nil {
		e.Error, _, _ = strings.Cut(failed.Error(), "\n")
	}
	l.set(e, r.Scenarios)
}

// Close ends the serving, once the browsers have read the last event or have had time for it.
func (l *Live) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closingTakes)
	defer cancel()
	if l.server.Shutdown(ctx) != nil {
		l.server.Close()
	}
}

// liveEvent is all that the page shows.
type liveEvent struct {
	State       string         `json:"state"`
	Seed        string         `json:"seed"`
	Strategy    string         `json:"strategy"`
	Workers     int            `json:"workers"`
	Only        string         `json:"only"`
	NoFaults    bool           `json:"no_faults"`
	MostRuns    int64          `json:"most_runs"`    // the budget, of all scenarios; 0: it is a duration
	MostSeconds float64        `json:"most_seconds"` // the budget
	Seconds     float64        `json:"seconds"`
	Runs        int64          `json:"runs"`
	Steps       int64          `json:"steps"`
	Current     int            `json:"current"` // the scenario whose runs are being made; -1: none
	Interrupted bool           `json:"interrupted"`
	Error       string         `json:"error"`
	Scenarios   []liveScenario `json:"scenarios"`
}

// liveScenario is what the page shows of a scenario. Failures hide those of the report.
type liveScenario struct {
	*search.ScenarioReport
	Summary    string         `json:"summary"`
	Properties []liveProperty `json:"properties"`
	Failures   []liveFailure  `json:"failures"`
}

type liveProperty struct {
	ID        string `json:"id"`
	Statement string `json:"statement"`
	Judged    bool   `json:"judged"`
	Failures  int    `json:"failures"`
}

type liveFailure struct {
	Property string       `json:"property"`
	Message  string       `json:"message"`
	Replay   string       `json:"replay"`
	Run      int64        `json:"run"`
	Runs     int64        `json:"runs"`
	Steps    int64        `json:"steps"`
	Page     string       `json:"page"` // empty: there is none, since no single run failed
	Smaller  *liveSmaller `json:"smaller"`
}

type liveSmaller struct {
	Steps int64  `json:"steps"`
	Page  string `json:"page"`
}

// set makes an event the last one.
func (l *Live) set(e liveEvent, scenarios []*search.ScenarioReport) {
	c := l.config
	e.Seed, e.Strategy, e.Workers, e.Only, e.NoFaults = c.Seed, c.Strategy.Name(), c.Workers, c.Options.Only, c.Options.NoFaults
	e.MostRuns, e.MostSeconds = c.Runs*int64(len(c.Scenarios)), c.Duration.Seconds()
	failures := make([][]search.Failure, len(scenarios))
	for i, r := range scenarios {
		e.Scenarios = append(e.Scenarios, l.scenario(i, r))
		for _, f := range r.Failures {
			failures[i] = append(failures[i], *f)
		}
	}
	content, err := json.Marshal(e)
	if err != nil {
		panic(err) // nothing of it can fail
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.event, l.ended, l.failures = content, e.State == Ended, failures
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Live) scenario(i int, r *search.ScenarioReport) liveScenario {
	sc, only := l.config.Scenarios[i], l.config.Options.Only
	s := liveScenario{ScenarioReport: r, Summary: sc.Summary, Failures: []liveFailure{}}
	violated := map[string]int{}
	for j, f := range r.Failures {
		violated[f.Property]++
		shown := liveFailure{Property: f.Property, Message: f.Message, Replay: f.Replay, Run: f.Run, Runs: f.Runs, Steps: f.Steps}
		if f.Token != "" {
			shown.Page = fmt.Sprintf("failure/%d/%d", i, j)
		}
		if small := smaller(f); small != nil {
			shown.Smaller = &liveSmaller{small.Steps, shown.Page + smallerPage}
		}
		s.Failures = append(s.Failures, shown)
	}
	for _, p := range append(append([]sim.Property{}, sc.Properties...), sim.BuiltIn()...) {
		s.Properties = append(s.Properties, liveProperty{p.ID, p.Statement, only == "" || only == p.ID, violated[p.ID]})
	}
	return s
}

// smallerPage ends the name of the page of the smaller version of a failure.
const smallerPage = "-smaller"

// smaller is the smaller version of a failure; nil if there is none, or if it is the same run.
func smaller(f *search.Failure) *search.Failure {
	if f.Shrunk == nil || f.Shrunk.Hash == f.Hash {
		return nil
	}
	return f.Shrunk.Failure
}

// ServeHTTP answers those who know the token, and nobody else.
func (l *Live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", livePolicy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	token, path, isFolder := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case !l.isOwn(r.Host):
		w.WriteHeader(http.StatusForbidden)
		return
	case subtle.ConstantTimeCompare([]byte(token), []byte(l.token)) != 1:
		w.WriteHeader(http.StatusNotFound)
		return
	case r.Method != http.MethodGet:
		h.Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	switch {
	case !isFolder:
		http.Redirect(w, r, l.URL, http.StatusTemporaryRedirect)
	case path == "":
		l.answer(w, "text/html", liveHTML)
	case path == "live.css":
		l.answer(w, "text/css", themeCSS+liveCSS)
	case path == "live.js":
		l.answer(w, "text/javascript", liveScript)
	case path == "events":
		l.events(w, r)
	case strings.HasPrefix(path, "failure/"):
		l.failure(w, path)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// isOwn says whether a request names this server as its host.
func (l *Live) isOwn(host string) bool {
	for _, own := range l.hosts {
		if host == own {
			return true
		}
	}
	return false
}

func (l *Live) answer(w http.ResponseWriter, kind, content string) {
	w.Header().Set("Content-Type", kind+"; charset=utf-8")
	io.WriteString(w, content)
}

// events streams what the page shows, each time that it changes, until the search has ended. Who reads slowly misses some.
func (l *Live) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		l.mu.Lock()
		event, ended, changed := l.event, l.ended, l.changed
		l.mu.Unlock()
		if _, err := fmt.Fprintf(w, "data: %s\n\n", event); err != nil {
			return
		}
		if http.NewResponseController(w).Flush() != nil || ended {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

// failure makes the page of a failure. It is made each time that somebody asks: that takes a moment, and a search may find smaller ones.
func (l *Live) failure(w http.ResponseWriter, path string) {
	sc, f := l.find(path)
	if f == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	p := l.page(sc, f)
	if smaller(f) != nil {
		p.Smaller = path[strings.LastIndex(path, "/")+1:] + smallerPage
	}
	l.drawing.Lock()
	defer l.drawing.Unlock()
	content, err := p.HTML()
	if err != nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "There is no page of this failure: %v\n", err)
		return
	}
	w.Header().Set("Content-Security-Policy", failurePolicy)
	l.answer(w, "text/html", string(content))
}

// find is the failure of failure/SCENARIO/FAILURE, or its smaller version, which is its own explanation; nil if there is none.
func (l *Live) find(path string) (*sim.Scenario, *search.Failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	path, small := strings.CutSuffix(strings.TrimPrefix(path, "failure/"), smallerPage)
	first, second, _ := strings.Cut(path, "/")
	i, err := strconv.Atoi(first)
	j, err2 := strconv.Atoi(second)
	if cmp.Or(err, err2) != nil || i < 0 || i >= len(l.failures) || j < 0 || j >= len(l.failures[i]) {
		return nil, nil
	}
	f := &l.failures[i][j]
	if small {
		if smaller(f) == nil {
			return nil, nil
		}
		explained := *f.Shrunk.Failure
		explained.Shrunk = f.Shrunk
		f = &explained
	}
	if f.Full.Scenario == "" {
		return nil, nil // of the search as a whole
	}
	return l.config.Scenarios[i], f
}
