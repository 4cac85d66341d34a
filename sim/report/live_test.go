package report_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/report"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
	"github.com/heddle-go/heddle/sim/strategy"
)

// searchOf is a search of the scenarios that goes on after a failure.
func searchOf(t testing.TB, runs int64, scenarios ...*sim.Scenario) search.Config {
	s, err := strategy.Parse("mix")
	require.NoError(t, err)
	return search.Config{Scenarios: scenarios, Seed: "live", Strategy: s, Runs: runs, Workers: 1, KeepGoing: true, Options: sim.Options{NoFaults: true}}
}

// served is the live page of a search, which nobody has begun.
func served(t testing.TB, config search.Config) *report.Live {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := report.NewLive(listener, config, func(sc *sim.Scenario, f *search.Failure) report.Page {
		p := report.Page{Scenario: sc, Token: f.Full, Replay: f.Replay}
		if f.Shrunk != nil && f.Shrunk.Hash == f.Hash {
			p.Explanation, _ = f.Shrunk.Explanation.(*shrink.Explanation)
		}
		return p
	})
	t.Cleanup(l.Close)
	return l
}

// asked is the answer to a request, which change has changed before it was sent.
func asked(t testing.TB, url string, change func(*http.Request)) (*http.Response, string) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if change != nil {
		change(request)
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer, string(body)
}

func TestTheLivePageIsForWhoeverHasItsToken(t *testing.T) {
	l := served(t, searchOf(t, 100, deposits(2)))
	report, err := search.Run(t.Context(), l.Config())
	require.NoError(t, err)
	l.ShowReport("ended", report, nil)

	paths := []string{"", "live.css", "live.js", "events", "failure/0/0"}
	for _, path := range paths {
		answer, body := asked(t, l.URL+path, nil)
		require.Equal(t, http.StatusOK, answer.StatusCode, path)
		require.NotEmpty(t, body)
		for header, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
			"Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			require.Equal(t, want, answer.Header.Get(header), "%s of %q", header, path)
		}
		require.Regexp(t, `^default-src 'none';.* frame-ancestors 'none'$`, answer.Header.Get("Content-Security-Policy"))
		require.Empty(t, answer.Header.Get("Access-Control-Allow-Origin"))
	}

	host := strings.TrimPrefix(strings.Split(l.URL, "/")[2], "127.0.0.1")
	token := strings.Split(l.URL, "/")[3]
	require.Len(t, token, 26, "130 bits")
	without := strings.TrimSuffix(l.URL, token+"/")
	for _, c := range []struct {
		what, url string
		change    func(*http.Request)
		status    int
	}{
		{"no token", without, nil, http.StatusNotFound},
		{"no token, a file", without + "live.js", nil, http.StatusNotFound},
		{"no token, the events", without + "events", nil, http.StatusNotFound},
		{"an empty token", without + "/events", nil, http.StatusNotFound},
		{"another token", without + strings.Repeat("A", 26) + "/", nil, http.StatusNotFound},
		{"a part of the token", without + token[:25] + "/", nil, http.StatusNotFound},
		{"more than the token", without + token + "A/", nil, http.StatusNotFound},
		{"the token as a query", without + "?" + token, nil, http.StatusNotFound},
		{"a page that there is not", l.URL + "passwd", nil, http.StatusNotFound},
		{"a path out of it", l.URL + "../" + token, nil, http.StatusNotFound},
		{"a failure that there is not", l.URL + "failure/0/7", nil, http.StatusNotFound},
		{"a scenario that there is not", l.URL + "failure/-1/0", nil, http.StatusNotFound},
		{"no number", l.URL + "failure/a/b", nil, http.StatusNotFound},
		{"a smaller one that there is not", l.URL + "failure/0/0-smaller", nil, http.StatusNotFound},
		{"the name of another host", l.URL, func(r *http.Request) { r.Host = "evil.example" + host }, http.StatusForbidden},
		{"another host that begins alike", l.URL, func(r *http.Request) { r.Host = "127.0.0.1.evil.example" + host }, http.StatusForbidden},
		{"another port", l.URL, func(r *http.Request) { r.Host = "127.0.0.1:1" }, http.StatusForbidden},
		{"another host without a token", without, func(r *http.Request) { r.Host = "evil.example" }, http.StatusForbidden},
		{"POST", l.URL, func(r *http.Request) { r.Method = http.MethodPost }, http.StatusMethodNotAllowed},
		{"HEAD", l.URL, func(r *http.Request) { r.Method = http.MethodHead }, http.StatusMethodNotAllowed},
		{"POST without a token", without, func(r *http.Request) { r.Method = http.MethodPost }, http.StatusNotFound},
	} {
		answer, body := asked(t, c.url, c.change)
		require.Equal(t, c.status, answer.StatusCode, c.what)
		require.Empty(t, body, c.what)
	}

	answer, _ := asked(t, l.URL, func(r *http.Request) { r.Host = "localhost" + host })
	require.Equal(t, http.StatusOK, answer.StatusCode, "this machine by its other name")
	require.NotEqual(t, l.URL, served(t, searchOf(t, 1, deposits(2))).URL)
}

func TestTheEventsOfTheLivePageEndWithTheSearch(t *testing.T) {
	l := served(t, searchOf(t, 100, deposits(2)))
	answer, err := http.Get(l.URL + "events")
	require.NoError(t, err)
	defer answer.Body.Close()
	events := bufio.NewReader(answer.Body)
	first, err := events.ReadString('\n')
	require.NoError(t, err)
	require.Regexp(t, `^data: \{"state":"searching".*"runs":0,`, first)

	for range 3 {
		l.Show(search.Progress{Elapsed: time.Second, Runs: 7, Scenarios: []*search.ScenarioReport{{Name: "deposits"}}})
	}
	r, err := search.Run(t.Context(), l.Config())
	require.NoError(t, err)
	l.ShowReport(report.Ended, r, nil)
	rest, err := io.ReadAll(events)
	require.NoError(t, err, "the stream ends by itself")
	require.Regexp(t, `(?s)\ndata: \{"state":"ended"[^\n]*"runs":100,[^\n]*\n\n$`, string(rest))

	l.Close()
	_, err = http.Get(l.URL)
	require.Error(t, err, "closed")
}
