package report_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim/report"
)

// browser is a page that is open. What goes wrong in it, and what it asks for, is kept.
type browser struct {
	testing.TB
	ctx  context.Context
	home string // all that it may ask for begins so; empty: it may ask for the file only

	mu       sync.Mutex
	problems []string
}

// chromium is a Chromium without a window.
type chromium struct{ ctx context.Context }

// started starts a Chromium. Where it is not installed the test is skipped.
func started(t testing.TB) chromium {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("Chromium is not installed, so the page is not opened: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 800), chromedp.Flag("js-flags", "--expose-gc"))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	return chromium{ctx}
}

// opened opens a page from disk, in a tab of its own.
func (c chromium) opened(t testing.TB, page string, before ...chromedp.Action[chromedp.Void]) *browser {
	return c.openedFile(t, written(t, page), before...)
}

func written(t testing.TB, page string) string {
	file := filepath.Join(t.TempDir(), "failure.html")
	require.NoError(t, os.WriteFile(file, []byte(page), 0o644))
	return file
}

func (c chromium) openedFile(t testing.TB, file string, before ...chromedp.Action[chromedp.Void]) *browser {
	return c.openedURL(t, "file://"+file, "", before...)
}

// openedURL opens a page in a tab of its own.
func (c chromium) openedURL(t testing.TB, url, home string, before ...chromedp.Action[chromedp.Void]) *browser {
	ctx, cancel := chromedp.NewContext(c.ctx)
	t.Cleanup(cancel)
	b := &browser{TB: t, ctx: ctx, home: home}
	require.NoError(t, chromedp.Listen(ctx, b.hear))
	b.do(call(network.Enable, network.EnableParams{}), call(runtime.Enable, cdp.Empty{}), call(log.Enable, cdp.Empty{}))
	b.do(before...)
	b.do(chromedp.Navigate(url))
	return b
}

func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !b.mayAskFor(e.Request.URL) {
			b.problems = append(b.problems, "asks for "+e.Request.URL)
		}
	case *runtime.EventConsoleAPICalled:
		b.problems = append(b.problems, fmt.Sprintf("console: %s %s", e.Type, e.Args[0].Value))
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, "exception: "+e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		b.problems = append(b.problems, fmt.Sprintf("log: %s: %s", e.Entry.Level, e.Entry.Text))
	}
}

func (b *browser) mayAskFor(url string) bool {
	switch {
	case url == "about:srcdoc" || url == "data:,":
		return true
	case b.home != "":
		return strings.HasPrefix(url, b.home)
	default:
		return strings.HasPrefix(url, "file://") && strings.HasSuffix(url, ".html")
	}
}

// quiet fails the test if something went wrong in the browser, or if it asked for anything beside the file.
func (b *browser) quiet() {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b, b.problems)
}

// patience is for how long the page may let a test wait.
const patience = 30 * time.Second

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	require.NoError(b, chromedp.Do(ctx, actions...))
}

// call is a command of the protocol whose answer nobody wants.
func call[P, R any](method cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, method, params)
		return err
	})
}

// ask is the value of an expression in the page.
func ask[T any](b *browser, expression string) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(b, err)
	return value
}

// press presses keys, one after the other, and waits until the page has drawn what they did.
func (b *browser) press(keys ...string) {
	b.Helper()
	for _, key := range keys {
		b.do(chromedp.KeyEvent(key))
	}
	b.drawn()
}

func (b *browser) drawn() {
	b.Helper()
	ask[bool](b, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

func (b *browser) click(selector string) {
	b.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
	b.drawn()
}

// choose chooses one of those that a filter offers; the empty one is all.
func (b *browser) choose(filter, option string) {
	b.Helper()
	offered := fmt.Sprintf(`(({list, options}) => [...(list || {options}).options].some((o) => o.value === %q))(document.getElementById(%q))`, option, filter)
	require.True(b, option == "" || ask[bool](b, offered), "%s does not offer %s", filter, option)
	b.enter(filter, option)
}

// enter enters a text into a field.
func (b *browser) enter(field, text string) {
	b.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{ const f = document.getElementById(%q); f.value = %q; f.dispatchEvent(new Event("input")); f.dispatchEvent(new Event("change")); }`, field, text)))
	b.drawn()
}

const (
	chosen        = `(document.querySelector("#rows [aria-selected=true]") || {textContent: ""}).textContent`
	shownRows     = `[...document.querySelectorAll("#rows .row:not(.gap) .what")].map((e) => e.textContent)`
	chosenOfShown = `[...document.querySelectorAll("#rows .row:not(.gap)")].findIndex((e) => e.getAttribute("aria-selected") === "true")`
	rowsOnPage    = `document.querySelectorAll("#rows .row").length`
	heard         = `document.getElementById("heard").textContent`
)

func ready(b *browser) bool { return ask[bool](b, `document.documentElement.dataset.ready > 0`) }

// TestThePageInABrowser opens pages in one browser, each in a tab of its own.
func TestThePageInABrowser(t *testing.T) {
	c := started(t)
	for name, test := range map[string]func(*testing.T, chromium){
		"keyboard":                   thePageIsSteppedThroughByKeyboard,
		"state":                      thePageShowsTheStateAndWhatHasChanged,
		"filters":                    thePageIsFilteredByTaskObjectRouterAndText,
		"links":                      aStepThatATextNamesLeadsThere,
		"tabs":                       theExplanationThePassingRunTheLedgerAndTheLinearizationHaveTabs,
		"names for who does not see": thePageCanBeReadWithoutSeeingIt,
		"deadlock":                   theDeadlockShowsWhoWaitsForWhom,
		"no script":                  thePageWithoutAScriptIsAText,
		"100,000 steps":              aFailureOf100000StepsIsDrawnWhereItIsSeen,
	} {
		t.Run(name, func(t *testing.T) { test(t, c) })
	}
}

func thePageIsSteppedThroughByKeyboard(t *testing.T, c chromium) {
	b := c.opened(t, render(t, found(t, deposits(2), true)))
	require.True(t, ready(b))
	require.Contains(t, ask[string](b, chosen), "decides", "it opens where that is decided, since the end is not in the same view")
	require.Equal(t, "scroll", ask[string](b, `document.activeElement.id`))

	b.click("#all-steps")
	b.press(kb.Home)
	require.Contains(t, ask[string](b, chosen), "the world is made")
	b.press(kb.ArrowDown)
	first := ask[string](b, heard)
	require.Regexp(t, `^step 1, main, start`, first, "for who does not see it")
	b.press(kb.ArrowDown)
	require.NotEqual(t, first, ask[string](b, heard))
	b.press("k")
	require.Equal(t, first, ask[string](b, heard))
	require.NotEmpty(t, ask[string](b, `document.getElementById("scroll").getAttribute("aria-activedescendant")`))

	b.press("n")
	require.Contains(t, ask[string](b, chosen), "decides", "the next one that is marked")
	b.press("]")
	require.NotContains(t, ask[string](b, heard), "undefined")
	b.press(kb.End)
	require.Contains(t, ask[string](b, chosen), "violated")
	b.press("p")
	require.Contains(t, ask[string](b, chosen), "decides")
	b.quiet()
}

func thePageShowsTheStateAndWhatHasChanged(t *testing.T, c chromium) {
	b := c.opened(t, render(t, found(t, deposits(2), true)))
	b.do(chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll(".row")].find((r) => r.textContent.includes("writes 1")).click()`))
	b.drawn()
	step := ask[string](b, `document.getElementById("step").textContent`)
	require.Contains(t, step, "State: account")
	require.Contains(t, step, "balance0 now 1", "what has changed, and what it was")
	require.Contains(t, step, "locks and channels")
	require.Contains(t, step, "locked by branch/teller")
	b.quiet()
}

func thePageIsFilteredByTaskObjectRouterAndText(t *testing.T, c chromium) {
	b := c.opened(t, render(t, found(t, deposits(2), true)))
	b.click("#all-steps")
	all := ask[string](b, `document.getElementById("shown").textContent`)

	b.choose("task", "branch/teller")
	for _, row := range ask[[]string](b, shownRows) {
		require.Regexp(t, `branch/teller `, row)
	}
	b.choose("task", "")
	b.choose("object", "account")
	rows := ask[[]string](b, shownRows)
	require.Len(t, rows, 8, "two tellers lock and unlock it twice")
	for _, row := range rows {
		require.Regexp(t, `lock account`, row)
	}
	b.choose("object", "")
	b.press(kb.Home) // a step that the filter will hide
	b.choose("object", "account")
	b.press(kb.ArrowUp)
	require.Contains(t, ask[string](b, heard), "the world is made", "nothing is before the first")
	b.press(kb.ArrowDown)
	require.Equal(t, 0, ask[int](b, chosenOfShown), "and no match is passed over")
	b.choose("object", "")
	b.press(kb.End)
	b.choose("object", "account")
	b.press(kb.ArrowUp)
	require.Equal(t, 7, ask[int](b, chosenOfShown))
	b.choose("object", "")
	b.choose("router", "bank")
	rows = ask[[]string](b, shownRows)
	require.NotEmpty(t, rows)
	require.Contains(t, strings.Join(rows, "\n"), "bank hears: deposits 1")
	require.NotContains(t, strings.Join(rows, "\n"), "lock account")
	b.choose("router", "")
	b.press("/")
	require.Equal(t, "find", ask[string](b, `document.activeElement.id`))
	b.enter("find", "WRITES 1")
	require.Len(t, ask[[]string](b, shownRows), 2)
	b.enter("find", "nobody says this")
	require.Equal(t, []string{"no step is so"}, ask[[]string](b, shownRows))
	b.enter("find", "")
	require.Equal(t, all, ask[string](b, `document.getElementById("shown").textContent`))

	height := ask[float64](b, `document.querySelector(".row").getBoundingClientRect().height`)
	b.click("#larger")
	require.Greater(t, ask[float64](b, `document.querySelector(".row").getBoundingClientRect().height`), height)
	b.quiet()
}

func aStepThatATextNamesLeadsThere(t *testing.T, c chromium) {
	b := c.opened(t, render(t, found(t, deposits(2), true)))
	b.press(kb.Home)
	b.click(`#why a[href^="#step-"]`)
	want := ask[string](b, `document.querySelector('#why a[href^="#step-"]').textContent`)
	require.Contains(t, ask[string](b, heard), want+",")
	b.quiet()
}

func theExplanationThePassingRunTheLedgerAndTheLinearizationHaveTabs(t *testing.T, c chromium) {
	b := c.opened(t, render(t, found(t, deposits(2), true)))
	require.Equal(t, []string{"Why", "Fails | passes", "Faults", "Linearization", "Story"}, ask[[]string](b, `[...document.querySelectorAll("[role=tab]")].map((e) => e.textContent)`))
	for _, tab := range []string{"why", "passing", "ledger", "exhibit-0", "story"} {
		b.click("#tab-" + tab)
		require.Equal(t, []string{tab}, ask[[]string](b, `[...document.querySelectorAll("[role=tabpanel]")].filter((e) => e.checkVisibility()).map((e) => e.id)`))
	}
	b.click("#tab-exhibit-0")
	require.Eventually(t, func() bool {
		return ask[bool](b, `document.querySelector("iframe").getBoundingClientRect().height > 100`)
	}, 5*time.Second, 50*time.Millisecond)
	b.press(kb.ArrowLeft)
	require.True(t, ask[bool](b, `document.getElementById("ledger").checkVisibility()`), "the tab before, by keyboard")
	b.click("#tab-passing")
	sides := ask[[]string](b, `[...document.querySelectorAll(".beside > div")].map((e) => e.textContent)`)
	require.Contains(t, sides[0], "writes 1")
	for _, side := range sides {
		require.Equal(t, 1, strings.Count(side, "here they differ"))
	}
	require.Zero(t, ask[int](b, `document.querySelectorAll(".beside > div:last-child a").length`), "the diagram has no steps of the run that passes")
	require.Contains(t, sides[1], "writes 2", "the run that passes loses nothing")
	b.quiet()
}

// thePageCanBeReadWithoutSeeingIt: whatever can be focused has a name, and rows are rows.
func thePageCanBeReadWithoutSeeingIt(t *testing.T, c chromium) {
	b := c.opened(t, render(t, found(t, deposits(2), true)))
	require.Empty(t, ask[[]string](b, `[...document.querySelectorAll("button, select, input, [tabindex], iframe, section")].filter((e) =>
		!(e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.title || (e.labels && e.labels.length) || e.tagName === "BUTTON" && e.textContent.trim())).map((e) => e.outerHTML.slice(0, 80))`))
	require.Equal(t, "grid", ask[string](b, `document.getElementById("scroll").getAttribute("role")`))
	require.Empty(t, ask[[]string](b, `[...document.querySelectorAll("#rows .row")].filter((e) => e.getAttribute("role") !== "row" || !e.querySelector("[role=gridcell]")).map((e) => e.outerHTML)`))
	require.True(t, ask[bool](b, `document.querySelector("#rows svg").getAttribute("aria-hidden") === "true"`), "rows say in words what the lines show")
	require.Contains(t, ask[string](b, `[...document.querySelectorAll(".row.decisive")].map((e) => e.textContent).join()`), "decides", "not by colour alone")
	b.quiet()
}

func theDeadlockShowsWhoWaitsForWhom(t *testing.T, c chromium) {
	b := c.opened(t, render(t, found(t, stuck(), true)))
	last := ask[string](b, `[...document.querySelectorAll(".row")].pop().textContent`)
	require.Contains(t, last, "main/one waits to lock right, which is locked by main/two")
	require.Contains(t, last, "main/two waits to lock left, which is locked by main/one")
	b.quiet()
}

func thePageWithoutAScriptIsAText(t *testing.T, c chromium) {
	p := found(t, deposits(2), true)
	b := c.opened(t, render(t, p), call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	text := visibleText(b)
	for _, want := range []string{"kept is violated", "two deposits made 1", p.Replay, "This browser runs no script", "The bug needs", "writes 1"} {
		require.Contains(t, text, want)
	}
	b.quiet()
}

// visibleText is what a page says, also if it may run no script of its own.
func visibleText(b *browser) string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	require.NoError(b, err)
	return text
}

// manySteps are those of the failure that shows how large a page may be.
const manySteps = 100_000

func large(t testing.TB) report.Page { return found(t, deposits(12_600), false) }

func aFailureOf100000StepsIsDrawnWhereItIsSeen(t *testing.T, c chromium) {
	page := render(t, large(t))
	require.Greater(t, len(dataOf(t, page).Op), manySteps)
	require.Less(t, len(page), 15_000_000)
	b := c.opened(t, page)
	require.Contains(t, ask[string](b, chosen), "violated")

	memory := func() float64 { return ask[float64](b, `gc(), gc(), performance.memory.usedJSHeapSize`) }
	at := func(part float64) {
		b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{ const s = document.getElementById("scroll"); s.scrollTop = %v * s.scrollHeight; }`, part)))
		b.drawn()
	}
	at(0.01)
	before := memory()
	for i := range 100 {
		at(float64(i*37%100) / 100)
		require.Less(t, ask[int](b, rowsOnPage), 100, "only what is in view is in the document")
	}
	require.InDelta(t, before, memory(), before/20, "memory stays as it is while scrolling")
	require.Less(t, ask[int](b, `document.querySelectorAll("*").length`), 3000)
	b.press("]")
	b.choose("object", "account")
	require.Len(t, ask[[]string](b, shownRows), 8)
	b.quiet()
}

// BenchmarkPageOf100000Steps measures how large such a page is, and how long Chromium takes until it can be stepped through.
func BenchmarkPageOf100000Steps(b *testing.B) {
	page := render(b, large(b))
	file, c := written(b, page), started(b)
	total := 0.0
	for b.Loop() {
		page := c.openedFile(b, file)
		require.True(b, ready(page))
		total += ask[float64](page, `+document.documentElement.dataset.ready`)
		b.ReportMetric(ask[float64](page, `performance.memory.usedJSHeapSize`)/1e6, "MB-heap")
		page.quiet()
	}
	b.ReportMetric(total/float64(b.N), "ms-ready")
	b.ReportMetric(float64(len(page))/1e6, "MB")
}
