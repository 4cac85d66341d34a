package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/heddle-go/heddle/sim/search"
)

// progressLine is one line on a terminal, written over again and again. Where there is no terminal it shows nothing.
type progressLine struct {
	out      *os.File // nil: no terminal
	total    int64    // runs; 0 if the budget is a duration
	duration time.Duration
}

func newProgressLine(out io.Writer, config search.Config) *progressLine {
	p := &progressLine{total: config.Runs * int64(len(config.Scenarios)), duration: config.Duration}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.out = f
	}
	return p
}

// show is called by the search.
func (p *progressLine) show(s search.Progress) {
	if p.out == nil {
		return
	}
	line := p.line(s)
	if width, _, err := term.GetSize(int(p.out.Fd())); err == nil && width > 0 && len(line) >= width {
		line = line[:width-1]
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", line)
}

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

// clear takes the line away.
func (p *progressLine) clear() {
	if p.out != nil {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
