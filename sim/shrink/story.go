package shrink

import (
	"cmp"
	"slices"
	"strings"
)

// shortStory is how many steps a run may have to be told whole.
const shortStory = 30

// story tells the steps that matter: what meant something for the state, where a decision was made, the ends of what the failure needs,
// and the last one. The others are counted.
func (e *explainer) story() []Line {
	var lines []Line
	left := map[string]int64{}
	var leftFrom, leftSteps int64
	leave := func() {
		if leftSteps > 0 {
			lines = append(lines, Line{Step: leftFrom, Left: leftSteps, Of: mostFirst(left)})
			clear(left)
			leftSteps = 0
		}
	}
	moments := e.whole.moments
	failed := len(moments) - 1 // what comes after the failure is no part of it
	for i := range moments {
		m := &moments[i]
		meaning := meanings(m.notes)
		matters := len(meaning) > 0 || len(m.decided) > 0 || e.ends[i] || i == failed || len(moments) <= shortStory
		if i == 0 && len(meaning) == 0 {
			continue // the set-up, of which there is nothing to say
		}
		if !matters {
			if leftSteps == 0 {
				leftFrom = m.step
			}
			leftSteps++
			left[m.task]++
			continue
		}
		leave()
		line := Line{Step: m.step, Time: m.time, Task: m.task, Operation: m.operation, Object: m.object, Meaning: meaning, Decisive: e.ends[i], Failed: i == failed}
		for _, d := range m.decided {
			line.Decisions = append(line.Decisions, d+1)
			line.Switch = line.Switch || e.list[d].Value == 0
		}
		if i == 0 {
			line.Decisions = nil // inputs: the meaning of the set-up says what they come to
		}
		lines = append(lines, line)
	}
	return again(lines)
}

// How much of two runs is shown side by side: so many steps before they differ, and after that so many lines at most.
const (
	besideBefore = 6
	besideAfter  = 60
)

// beside tells a run from a little before a moment on: what meant something, the moments given, and its end; a short rest as a whole.
func (c *chronicle) beside(parting int, ends map[int]bool) (lines []Line) {
	last := len(c.moments) - 1
	whole := last-parting <= shortStory
	for i := max(1, parting-besideBefore); i <= last; i++ {
		m := &c.moments[i]
		meaning := meanings(m.notes)
		switch {
		case i <= parting, i == last, whole, len(lines) < besideBefore+besideAfter && (len(meaning) > 0 || ends[i]):
			lines = append(lines, Line{Step: m.step, Time: m.time, Task: m.task, Operation: m.operation, Object: m.object, Meaning: meaning, Decisive: ends[i]})
		case len(lines) > 0 && lines[len(lines)-1].Left > 0:
			lines[len(lines)-1].Left++
		default:
			lines = append(lines, Line{Step: m.step, Time: m.time, Left: 1})
		}
	}
	return lines
}

// mostFirst are tasks by how many steps they made, those with the most first.
func mostFirst(steps map[string]int64) (tasks []string) {
	for task := range steps {
		tasks = append(tasks, task)
	}
	slices.SortFunc(tasks, func(a, b string) int {
		return cmp.Or(cmp.Compare(steps[b], steps[a]), cmp.Compare(a, b))
	})
	return tasks
}

// meanings are the notes of a step, but for the one that says that it violated a property, which is told apart.
func meanings(notes []string) (meaning []string) {
	for _, n := range notes {
		if !strings.HasPrefix(n, "violated ") {
			meaning = append(meaning, n)
		}
	}
	return meaning
}

// longestRound is how many lines that come again and again may be.
const longestRound = 40

// again folds lines that say the same as those before them, but for numbers: what a program does until somebody gives up.
func again(lines []Line) (told []Line) {
	texts := make([]string, len(lines))
	for i := range lines {
		texts[i] = lines[i].gist()
	}
	for i := 0; i < len(lines); {
		round, times := 0, 0
		for n := 1; n <= longestRound && i+2*n <= len(lines); n++ {
			k := 1
			for ; i+(k+1)*n <= len(lines) && slices.Equal(texts[i:i+n], texts[i+k*n:i+(k+1)*n]); k++ {
			}
			if k > 2 && (k-1)*n > times*round {
				round, times = n, k-1
			}
		}
		if times == 0 {
			told = append(told, lines[i])
			i++
			continue
		}
		told = append(told, lines[i:i+round]...)
		told = append(told, Line{Step: lines[i+round].Step, Time: lines[i+round].Time, Again: times, Repeat: round})
		i += round * (times + 1)
	}
	return told
}

// gist is what a line says, without numbers. One that matters by itself is like no other.
func (l *Line) gist() string {
	if l.Decisive || l.Failed || len(l.Decisions) > 0 {
		return "#" + l.Task + l.Operation + "#" + string(rune(l.Step))
	}
	if l.Left > 0 {
		return "left out"
	}
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, l.Task+" "+l.Operation+" "+l.Object+" "+strings.Join(l.Meaning, "\n"))
}
