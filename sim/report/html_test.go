package report_test

import (
	"encoding/json"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/report"
)

// recorded is what the script of a page is given, as far as tests look at it.
type recorded struct {
	Strings  []string `json:"strings"`
	Lanes    [][4]int `json:"lanes"`
	First    int64    `json:"first"`
	Lane     []int    `json:"lane"`
	Op       []int    `json:"op"`
	Notes    []int    `json:"notes"`
	Messages []int    `json:"messages"`
	States   []int    `json:"states"`
	Failed   int64    `json:"failed"`
	Decisive []int64  `json:"decisive"`
	End      [][2]any `json:"end"`
}

func render(t testing.TB, p report.Page) string {
	content, err := p.HTML()
	require.NoError(t, err)
	return string(content)
}

var dataInPage = regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`)

func dataOf(t testing.TB, page string) (d recorded) {
	found := dataInPage.FindStringSubmatch(page)
	require.NotNil(t, found, "the page has no data")
	require.NoError(t, json.Unmarshal([]byte(found[1]), &d))
	return d
}

// laneOf is the name of the lane of a row.
func (d recorded) laneOf(row int) string { return d.Strings[d.Lanes[d.Lane[row]][0]] }

// last is the value of a field of the state at the end; empty for none.
func (d recorded) last(part, field string) (value string) {
	for i := 0; i < len(d.States); i += 4 {
		if d.Strings[d.States[i+1]] == part && d.Strings[d.States[i+2]] == field {
			value = d.Strings[d.States[i+3]]
		}
	}
	return value
}

func TestThePageOfAFailureIsTheSameEachTime(t *testing.T) {
	p := found(t, deposits(2), true)
	require.Equal(t, render(t, p), render(t, p))
	require.Equal(t, render(t, found(t, deposits(2), true)), render(t, p), "of another search for the same")
}

func TestThePageAsksNobodyForAnything(t *testing.T) {
	page := render(t, found(t, deposits(2), true))
	require.NotRegexp(t, `(?i)\b(src|href|action)\s*=\s*["']?(https?:|//|[a-z]+\.(js|css))`, page)
	require.NotRegexp(t, `(?i)@import|url\(|fetch\(|XMLHttpRequest|WebSocket|importScripts`, page)
	require.Contains(t, page, `content="default-src 'none';`, "the browser would refuse, too")
}

func TestNoTextOfTheProgramBecomesAPartOfThePage(t *testing.T) {
	p := found(t, deposits(2), true)
	p.Explanation.Bug = append(p.Explanation.Bug, hostile)
	page := render(t, p)
	require.NotContains(t, page, hostile)
	require.NotContains(t, page, `<b onload`)
	require.Equal(t, 2, strings.Count(page, "</script>"), "the data and the script")
	d := dataOf(t, page)
	require.True(t, slices.ContainsFunc(d.Strings, func(s string) bool { return strings.Contains(s, hostile) }), "and it is all there")
}

func TestWithoutAScriptThePageSaysWhatFailedHowToRepeatItAndWhy(t *testing.T) {
	p := found(t, deposits(2), true)
	page := render(t, p)
	page, _, _ = strings.Cut(page, `<script type="application/json"`)
	text := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, ""))
	for _, want := range []string{"kept is violated", "two deposits made 1", "No deposit is lost.", p.Replay, "This browser runs no script", "The bug needs", "Story", "writes 1"} {
		require.Contains(t, text, want)
	}
	require.NotEmpty(t, p.Explanation.Bug)
	for _, sentence := range p.Explanation.Bug {
		require.Contains(t, strings.ReplaceAll(text, "branch/", "main/"), sentence)
	}
}

func TestAMessageIsAnArrowFromWhoSendsToWhoHears(t *testing.T) {
	d := dataOf(t, render(t, found(t, deposits(2), true)))
	type arrow struct{ from, to, says string }
	var arrows []arrow
	for i := 0; i < len(d.Messages); i += 5 {
		m := d.Messages[i : i+5]
		require.Greater(t, m[1], m[0], "it arrives after it was sent")
		arrows = append(arrows, arrow{d.laneOf(m[0]), d.laneOf(m[1]), d.Strings[m[4]]})
	}
	require.Contains(t, arrows, arrow{"branch/teller", "bank", "opens a session"})
	require.Contains(t, arrows, arrow{"branch/teller", "bank", "deposits 1"})
	require.Contains(t, arrows, arrow{"bank", "branch/teller", "there are 1"})
	require.Contains(t, arrows, arrow{"bank", "branch/teller#2", "there are 4"})
}

func TestTheStateAtTheEndIsThatOfTheProgramAndOfItsLocks(t *testing.T) {
	d := dataOf(t, render(t, found(t, deposits(2), true)))
	require.Equal(t, "1", d.last("account", "balance"))
	require.Empty(t, d.last("locks and channels", "account"), "nobody has it")
	require.Contains(t, d.Strings, "locked by branch/teller")

	d = dataOf(t, render(t, found(t, stuck(), true)))
	require.Equal(t, "locked by main/one; main/two waits", d.last("locks and channels", "left"))
	require.Equal(t, "locked by main/two; main/one waits", d.last("locks and channels", "right"))
	var end []string
	for _, e := range d.End {
		end = append(end, d.Strings[d.Lanes[int(e[0].(float64))][0]]+" "+e[1].(string))
	}
	require.Contains(t, end, "main/one waits to lock right, which is locked by main/two")
}

func TestARunTooLongToDrawHasItsLastSteps(t *testing.T) {
	p := found(t, deposits(2), false)
	whole, page := dataOf(t, render(t, p)), render(t, p.WithMost(20))
	d := dataOf(t, page)
	require.Len(t, d.Op, 21)
	require.Equal(t, whole.First+int64(len(whole.Op))-21, d.First)
	require.Equal(t, whole.Failed, d.Failed)
	require.Contains(t, page, "The run is too long to draw: the first")
	for i := 1; i < len(d.Op); i++ {
		j := len(whole.Op) - len(d.Op) + i
		require.Equal(t, whole.Strings[whole.Op[j]], d.Strings[d.Op[i]])
		require.Equal(t, whole.laneOf(j), d.laneOf(i))
	}
	d = dataOf(t, render(t, p.WithMost(2)))
	require.Equal(t, "1", d.last("account", "balance"), "what was so before is the state of the first row")
}

func TestAFailureThatDoesNotReproduceSaysSo(t *testing.T) {
	p := found(t, deposits(2), false)
	p.Token.Hash++
	require.Contains(t, render(t, p), "This build violates it, too, but in another run")
	p.Token.Property = "another"
	require.Contains(t, render(t, p), "Not reproduced: the failure that was kept violates another.")
	p = found(t, deposits(2), false)
	p.Scenario = &sim.Scenario{Name: "mended", Setup: func(*sim.World) func() { return func() {} }}
	require.Contains(t, render(t, p), "Nothing is violated")
}

func TestAPageAppearsWholeOrNotAtAll(t *testing.T) {
	p, folder := found(t, stuck(), true), t.TempDir()
	require.NoError(t, p.WriteHTML(filepath.Join(folder, "failure.html")))
	content, err := os.ReadFile(filepath.Join(folder, "failure.html"))
	require.NoError(t, err)
	require.Equal(t, render(t, p), string(content))

	require.Error(t, p.WriteHTML(filepath.Join(folder, "nowhere", "failure.html")))
	p.Token.Strategy, p.Token.Deviations = "of another version", nil
	require.Error(t, p.WriteHTML(filepath.Join(folder, "other.html")))
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, files, 1)
}
