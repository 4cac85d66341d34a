package report_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/report"
	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
)

// TestTheLivePageInABrowser opens live pages in one browser, each in a tab of its own.
func TestTheLivePageInABrowser(t *testing.T) {
	c := started(t)
	for name, test := range map[string]func(*testing.T, chromium){
		"a search":                   theLivePageShowsASearchWhileItGoesOn,
		"failures":                   aFailureOfTheLivePageOpensItsPage,
		"order of failures":          failuresOfTheLivePageStayInTheOrderInWhichTheyCame,
		"keyboard":                   theScenarioIsChosenByKeyboard,
		"names for who does not see": theLivePageCanBeReadWithoutSeeingIt,
		"colours":                    theLivePageCanBeReadInLightInDarkAndWithoutColour,
		"the end of heddle":          theLivePageSaysThatHeddleHasEnded,
		"no script":                  theLivePageWithoutAScriptSaysSo,
	} {
		t.Run(name, func(t *testing.T) { test(t, c) })
	}
}

func (c chromium) openedLive(t testing.TB, l *report.Live, before ...chromedp.Action[chromedp.Void]) *browser {
	return c.openedURL(t, l.URL, l.URL, before...)
}

// shows waits until an element of the page has a text.
func (b *browser) shows(id, text string) {
	b.Helper()
	var got string
	require.Eventually(b, func() bool {
		got = ask[string](b, fmt.Sprintf(`document.getElementById(%q).textContent`, id))
		return strings.Contains(got, text)
	}, patience, 20*time.Millisecond, "%s does not say %q", id, text)
}

// progress is how far a search may be: one of the bank's, in which a deposit was lost, and one that has not begun.
func progress() search.Progress {
	return search.Progress{
		Elapsed: 2 * time.Second, Runs: 5120, Steps: 1_234_567, Failures: 1, Current: 1,
		Scenarios: []*search.ScenarioReport{{
			Name: "deposits", Runs: 4096, Steps: 1_000_000, Seconds: 1.6,
			Sometimes: []search.Seen{{ID: "deposited", Runs: 4000}, {ID: "lost-answer"}},
			Faults:    []sim.FaultCount{{Fault: "delay", Armed: 100, Fired: 90, Effect: 80}, {Fault: "mute", Armed: 70}},
			Behaviour: &search.Behaviour{
				Runs: 480, Confidence: search.Confidence,
				States: search.Variety{Seen: 120, ChanceOfNew: 0.025, Growth: []search.Growth{{Runs: 16, Seen: 40}, {Runs: 200, Seen: 110}}},
				Orders: search.Variety{Growth: []search.Growth{{Runs: 16}, {Runs: 200}}},
			},
			Failures: []*search.Failure{{Property: "kept", Message: "two deposits made 1 " + hostile + "\nmore of it", Token: "heddle1_x", Run: 12, Runs: 3, Steps: 41}},
		}, {Name: "stuck"}},
	}
}

func theLivePageShowsASearchWhileItGoesOn(t *testing.T, c chromium) {
	config := searchOf(t, 0, deposits(2), stuck())
	config.Duration = 3 * time.Second
	l := served(t, config)
	b := c.openedLive(t, l)
	b.shows("state", "Searching")
	require.Equal(t, "none so far", ask[string](b, `document.getElementById("failed").textContent`))
	require.True(t, ask[bool](b, `document.getElementById("found").hidden`))

	config.Progress = l.Show
	found, err := search.Run(t.Context(), config)
	require.NoError(t, err)
	require.Regexp(t, `^[\d,]+$`, ask[string](b, `document.getElementById("runs").textContent`))
	require.NotEqual(t, "0", ask[string](b, `document.getElementById("runs").textContent`), "numbers came while it was going on")
	require.Contains(t, ask[string](b, `document.getElementById("failures").textContent`), "kept is violated", "and failures, too")
	require.Greater(t, ask[float64](b, `document.getElementById("progress").value`), 0.5)
	require.Regexp(t, `\d orders\nin [\d,]+ measured runs; next is new: `, ask[string](b, `document.getElementById("orders-text").textContent`))

	l.ShowReport(report.Shrinking, found, nil)
	b.shows("state", "Making failures smaller")
	l.ShowReport(report.Ended, found, nil)
	b.shows("state", "The search has ended")
	require.Equal(t, "2", ask[string](b, `document.getElementById("failed").textContent`))
	require.Equal(t, fmt.Sprint(found.Runs()), strings.ReplaceAll(ask[string](b, `document.getElementById("runs").textContent`), ",", ""))
	require.Equal(t, "2 failures: heddle run", ask[string](b, `document.title`))
	b.quiet()
}

func aFailureOfTheLivePageOpensItsPage(t *testing.T, c chromium) {
	l := served(t, searchOf(t, 300, deposits(2)))
	found, err := search.Run(t.Context(), l.Config())
	require.NoError(t, err)
	f := found.Failures()[0]
	l.ShowReport(report.Shrinking, found, nil)
	b := c.openedLive(t, l)
	b.shows("failures", "Open the failure")
	require.Contains(t, ask[string](b, `document.querySelector("#failures .message").textContent`), "two deposits made 1 </script>", "as text")
	require.NotEqual(t, "broken", ask[string](b, `document.title`))
	b.follows("Open the failure", f.Steps)

	f.Shrunk, _, err = shrink.Failure(t.Context(), deposits(2), f.Full, shrink.Limits{})
	require.NoError(t, err)
	f.Shrunk.Explanation, err = shrink.Explain(t.Context(), deposits(2), f.Shrunk.Full, shrink.Limits{})
	require.NoError(t, err)
	require.NotEqual(t, f.Hash, f.Shrunk.Hash)
	l.ShowReport(report.Ended, found, nil)
	b.shows("failures", "Open the smaller failure")
	small := b.follows("Open the smaller failure", f.Shrunk.Steps)
	require.Contains(t, visibleText(small), "The bug needs")
	whole := b.follows("Open as found", f.Steps)
	whole.do(chromedp.Navigate(ask[string](whole, `document.querySelector(".smaller a").href`)))
	require.True(t, ready(whole))
	require.Contains(t, visibleText(whole), "The bug needs", "from one page to the other")
	whole.quiet()
	b.quiet()
}

func failuresOfTheLivePageStayInTheOrderInWhichTheyCame(t *testing.T, c chromium) {
	l := served(t, searchOf(t, 0, deposits(2), stuck()))
	b := c.openedLive(t, l)
	first, then := &search.Failure{Property: "deadlock", Message: "stuck"}, &search.Failure{Property: "kept", Message: "lost"}
	scenarios := []*search.ScenarioReport{{Name: "deposits", Runs: 1}, {Name: "stuck", Runs: 1, Failures: []*search.Failure{first}}}
	l.Show(search.Progress{Elapsed: time.Second, Runs: 2, Scenarios: scenarios})
	b.shows("heard", "deadlock is violated in stuck")
	scenarios = []*search.ScenarioReport{{Name: "deposits", Runs: 2, Failures: []*search.Failure{then}}, scenarios[1]}
	l.Show(search.Progress{Elapsed: 2 * time.Second, Runs: 3, Scenarios: scenarios})
	b.shows("heard", "kept is violated in deposits")
	require.Equal(t, []string{"deadlock is violated", "kept is violated"}, ask[[]string](b, `[...document.querySelectorAll("#failures b")].map((e) => e.textContent)`))
	b.quiet()
}

// follows opens the page to which a link of the list leads, in a tab of its own, and steps through it.
func (b *browser) follows(text string, steps int64) *browser {
	b.Helper()
	link := fmt.Sprintf(`[...document.querySelectorAll("#failures a")].find((a) => a.checkVisibility() && a.textContent.startsWith(%q))`, text)
	require.Equal(b, "_blank", ask[string](b, link+".target"))
	page := chromium{b.ctx}.openedURL(b, ask[string](b, link+".href"), b.home)
	require.True(b, ready(page))
	require.Contains(b, visibleText(page), fmt.Sprintf("of %d; trace", steps))
	page.press(kb.End)
	require.Regexp(b, `violated.*two deposits made 1`, ask[string](page, chosen))
	page.quiet()
	return page
}

func theScenarioIsChosenByKeyboard(t *testing.T, c chromium) {
	l := served(t, searchOf(t, 300, deposits(2), stuck()))
	b := c.openedLive(t, l)
	l.Show(progress())
	b.shows("name", "deposits")
	var stops []string
	for range 4 {
		b.press(kb.Tab)
		stops = append(stops, ask[string](b, `document.activeElement.id || document.activeElement.textContent || document.activeElement.type`))
	}
	require.Equal(t, []string{"found", "Open the failure", "all", "radio"}, stops)
	b.press(kb.ArrowDown)
	require.Equal(t, "stuck", ask[string](b, `document.getElementById("name").textContent`))
	p := progress()
	p.Runs++
	l.Show(p)
	b.shows("runs", "5,121")
	require.Equal(t, "radio", ask[string](b, `document.activeElement.type`), "new numbers leave the keyboard where it is")
	require.Equal(t, "stuck", ask[string](b, `document.getElementById("name").textContent`))
	b.press(kb.ArrowUp)
	require.Equal(t, "deposits", ask[string](b, `document.getElementById("name").textContent`))
	b.quiet()
}

// theLivePageCanBeReadWithoutSeeingIt: whatever can be focused has a name, pictures have a text, and news are told, but not each number.
func theLivePageCanBeReadWithoutSeeingIt(t *testing.T, c chromium) {
	l := served(t, searchOf(t, 300, deposits(2), stuck()))
	b := c.openedLive(t, l)
	b.shows("heard", "Searching, no failure")
	l.Show(progress())
	b.shows("heard", "kept is violated in deposits")
	p := progress()
	p.Runs++
	l.Show(p)
	b.shows("runs", "5,121")
	require.Equal(t, "kept is violated in deposits. ", ask[string](b, heard))
	require.Equal(t, "status", ask[string](b, `document.getElementById("heard").getAttribute("role")`))

	require.Empty(t, ask[[]string](b, `[...document.querySelectorAll("a, button, input, [tabindex], section, table, progress, svg")].filter((e) => e.checkVisibility()).filter((e) =>
		!(e.getAttribute("aria-label") || document.getElementById(e.getAttribute("aria-labelledby"))?.textContent.trim() || (e.labels && e.labels.length && e.labels[0].textContent.trim()))).map((e) => e.outerHTML.slice(0, 80))`))
	require.Empty(t, ask[[]string](b, `[...document.querySelectorAll("tbody tr")].filter((e) => e.firstChild.scope !== "row").map((e) => e.outerHTML)`))
	require.Equal(t, "120 states\nin 480 measured runs; next is new: 2.5 %. After 200 runs it was 110.", ask[string](b, `document.querySelector("#states svg").getAttribute("aria-label")`))
	require.Regexp(t, `left$`, ask[string](b, `document.getElementById("progress").getAttribute("aria-valuetext")`))
	require.Empty(t, ask[[]string](b, `[...document.querySelectorAll("#all, #one, #found")].filter((e) => e.tabIndex !== 0).map((e) => e.id)`), "what scrolls can be scrolled by keyboard")
	b.quiet()
}

func theLivePageCanBeReadInLightInDarkAndWithoutColour(t *testing.T, c chromium) {
	for _, scheme := range []string{"light", "dark"} {
		l := served(t, searchOf(t, 300, deposits(2), stuck()))
		b := c.openedLive(t, l, call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}))
		l.Show(progress())
		b.shows("name", "deposits")
		for id, want := range map[string]string{
			"failed": "1", "scenarios": "1 FAIL", "properties": "violated", "properties-title": "Properties: 1 violated", "sometimes": "lost-answernot yet",
			"sometimes-title": "Must be seen: 1 of 2 met", "faults": "mute700none", "faults-title": "Faults: 1 of 2 had an effect",
		} {
			require.Contains(t, ask[string](b, fmt.Sprintf(`document.getElementById(%q).textContent`, id)), want, "in words")
		}
		require.Equal(t, "now", ask[string](b, `document.querySelectorAll("#scenarios tr")[1].querySelector("em").textContent`))
		ground := ask[[]float64](b, `getComputedStyle(document.documentElement).backgroundColor.match(/[\d.]+/g).map(Number)`)
		require.Equal(t, scheme == "dark", luminance(ground) < 0.2)
		for _, e := range ask[[]struct {
			Text           string
			Colour, Ground []float64
		}](b, `[...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && !e.closest(".unseen") && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())).map((e) => {
			let behind = e;
			while (behind && getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
			const parse = (text) => text.match(/[\d.]+/g).map(Number);
			return {Text: e.textContent, Colour: parse(getComputedStyle(e).color), Ground: parse(getComputedStyle(behind || document.documentElement).backgroundColor)};
		})`) {
			require.GreaterOrEqual(t, contrast(e.Colour, e.Ground), 4.5, "%s: %q", scheme, e.Text)
		}
		b.quiet()
	}
}

// luminance and contrast are those of the Web Content Accessibility Guidelines 2.2.
func luminance(colour []float64) float64 {
	linear := func(c float64) float64 {
		if c /= 255; c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(colour[0]) + 0.7152*linear(colour[1]) + 0.0722*linear(colour[2])
}

func contrast(a, b []float64) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func theLivePageSaysThatHeddleHasEnded(t *testing.T, c chromium) {
	l := served(t, searchOf(t, 300, deposits(2), stuck()))
	b := c.openedLive(t, l)
	l.Show(progress())
	b.shows("runs", "5,120")
	l.Close()
	b.shows("warning", "Heddle does not answer any more")
	require.Equal(t, "5,120", ask[string](b, `document.getElementById("runs").textContent`))
}

func theLivePageWithoutAScriptSaysSo(t *testing.T, c chromium) {
	l := served(t, searchOf(t, 300, deposits(2)))
	b := c.openedLive(t, l, call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	require.Contains(t, visibleText(b), "This browser runs no script")
	b.quiet()
}
