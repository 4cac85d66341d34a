package heddle

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/heddle-go/heddle/sim/search"
	"github.com/heddle-go/heddle/sim/shrink"
)

// terminalLine is one line on a terminal, written over again and again. Where there is no terminal it shows nothing.
type terminalLine struct {
	out *os.File // nil: no terminal
}

func newTerminalLine(out io.Writer) terminalLine {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return terminalLine{f}
	}
	return terminalLine{}
}

func (l terminalLine) write(text string) {
	if l.out == nil {
		return
	}
	if width, _, err := term.GetSize(int(l.out.Fd())); err == nil && width > 0 && len(text) >= width {
		text = text[:width-1]
	}
	fmt.Fprintf(l.out, "\r\x1b[K%s", text)
}

// clear takes the line away.
func (l terminalLine) clear() {
	if l.out != nil {
		fmt.Fprint(l.out, "\r\x1b[K")
	}
}

// progressLine shows how far a search is.
type progressLine struct {
	terminalLine
	total    int64 // runs; 0 if the budget is a duration
	duration time.Duration
}

func newProgressLine(out io.Writer, config search.Config) *progressLine {
	return &progressLine{newTerminalLine(out), config.Runs * int64(len(config.Scenarios)), config.Duration}
}

// show is called by the search.
func (p *progressLine) show(s search.Progress) { p.write(p.line(s)) }

func (p *progressLine) line(s search.Progress) string {
	seconds := s.Elapsed.Seconds()
	left := p.duration - s.Elapsed
	if p.total > 0 {
		left = 0
		if s.Runs > 0 {
			left = time.Duration(float64(s.Elapsed) / float64(s.Runs) * float64(p.total-s.Runs))
		}
	}
	return fmt.Sprintf("%s  %s runs/s  %s steps/s  %s  %s left",
		plural(s.Runs, "run"), rate(s.Runs, seconds), rate(s.Steps, seconds), plural(int64(s.Failures), "failure"), max(0, left).Round(time.Second))
}

// shrinkLine shows how far making a failure smaller is.
type shrinkLine struct {
	terminalLine
	shown time.Time
}

func newShrinkLine(out io.Writer) *shrinkLine { return &shrinkLine{terminalLine: newTerminalLine(out)} }

// show is called after each replay, and writes a few times a second.
func (l *shrinkLine) show(p shrink.Progress) {
	if l.out == nil || time.Since(l.shown) < 200*time.Millisecond {
		return
	}
	l.shown = time.Now()
	l.write(l.line(p))
}

func (l *shrinkLine) line(p shrink.Progress) string {
	return fmt.Sprintf("%s  %s  %s  %s  %s  %s",
		p.Pass, plural(int64(p.Replays), "replay"), plural(int64(p.Size.Inputs), "input"), plural(p.Size.Faults, "fault"),
		pluralOf(int64(p.Size.Switches), "context switch", "context switches"), plural(p.Size.Steps, "step"))
}
