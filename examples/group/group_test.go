package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/group"
)

// isProcess is the variable in whose presence the test's own binary is the program: so processes need not be built, and are watched by the race detector
// if the test is.
const isProcess = "HEDDLE_GROUP_PROCESS"

func TestMain(m *testing.M) {
	if os.Getenv(isProcess) != "" {
		go func() { // nothing is left of a test that was killed itself: what holds the other end of this is gone with it
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		main()
	}
	os.Exit(m.Run())
}

const (
	members       = 3
	killsEach     = 5 // in each group
	patience      = 60 * time.Second
	quietPatience = 100 * time.Millisecond // for something to happen before the next kill
)

// TestProcessesThatAreKilledConnect kills processes while their group connects, at moments that are random: after some lines of their logs, whatever the
// speed of the machine, and some time. In the end all are connected, and nothing is left (properties G1 to G7, Q2, Q7, Q12 and Q15).
func TestProcessesThatAreKilledConnect(t *testing.T) {
	groups := 10
	if testing.Short() {
		groups = 2
	}
	seed := rand.Uint64()
	if text := os.Getenv("GROUP_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "GROUP_SEED")
	}
	t.Logf("GROUP_SEED=%d kills the same processes, as far as they then are where they are now", seed)
	during := 0
	for i := 0; i < groups && !t.Failed(); i++ {
		t.Run(fmt.Sprint("group ", i+1), func(t *testing.T) {
			w := newWorld(t, rand.New(rand.NewPCG(seed, uint64(i))), 1+i%2)
			w.start()
			for range killsEach {
				w.waitForLines(w.random.IntN(60))
				time.Sleep(time.Duration(w.random.IntN(5000)) * time.Microsecond)
				if w.open() != "" {
					during++
				}
				w.killOne()
				if w.random.IntN(3) > 0 { // else it stays away while the next one is killed
					time.Sleep(time.Duration(w.random.IntN(20)) * time.Millisecond)
					w.start()
				}
			}
			w.settle()
			w.judge()
		})
	}
	t.Logf("%d of %d processes were killed before all was done", during, groups*killsEach)
}

// world is one group, of processes.
type world struct {
	*testing.T
	random  *rand.Rand
	routers []*servedRouter
	people  []*person // the host first

	mu     sync.Mutex
	lines  int           // of all logs
	logged chan struct{} // gets an item, if there is room, with each line
}

func newWorld(t *testing.T, random *rand.Rand, routers int) *world {
	w := &world{T: t, random: random, logged: make(chan struct{}, 1)}
	folder := t.TempDir()
	var names []string
	for range routers {
		r, err := serveRouter("127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(r.close)
		w.routers, names = append(w.routers, r), append(names, r.name.String())
	}
	for i := range members + 1 {
		p := &person{world: w, name: hostName}
		p.arguments = []string{"host", "--members", fmt.Sprint(members)}
		if i > 0 {
			p.name = memberName(i)
			p.arguments = []string{"member", "--name", string(p.name)}
		}
		p.store = filepath.Join(folder, string(p.name)+".db")
		p.arguments = append(p.arguments, "--store", p.store, "--router", strings.Join(names, ","), "--invitations", folder)
		w.people = append(w.people, p)
	}
	t.Cleanup(func() {
		for _, p := range w.people {
			if p.command != nil {
				p.kill()
			}
		}
		if t.Failed() {
			for _, p := range w.people {
				t.Logf("%s:\n%s", p.name, strings.Join(p.log, "\n"))
			}
		}
	})
	return w
}

// person is the host or a member, in one process after the other.
type person struct {
	*world
	name      group.MemberID
	store     string
	arguments []string
	command   *exec.Cmd // nil while there is none

	// What its processes have said, under the world's mutex.
	log  []string
	told report // the last; zero if this process has told none
}

// program is the command line, of a process.
func program(arguments ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.Command(self, arguments...)
	c.Env = append(os.Environ(), isProcess+"=1")
	_, err = c.StdinPipe() // open until somebody waits for the process; see TestMain
	return c, err
}

// start starts all that are not running.
func (w *world) start() {
	for _, p := range w.people {
		if p.command != nil {
			continue
		}
		c, err := program(p.arguments...)
		require.NoError(w, err)
		c.Stdout, c.Stderr = &liner{take: p.takeReport}, &liner{take: p.takeLog}
		p.told = report{}
		require.NoError(w, c.Start())
		p.command = c
	}
}

// liner cuts what is written to it into lines. What a killed process has not finished is lost.
type liner struct {
	rest []byte
	take func(line []byte)
}

func (l *liner) Write(written []byte) (int, error) {
	l.rest = append(l.rest, written...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(written), nil
		}
		l.rest = rest
		l.take(line)
	}
}

func (p *person) takeReport(line []byte) {
	var r report
	if err := json.Unmarshal(line, &r); err != nil {
		p.takeLog(fmt.Appendf(nil, "on standard output: %s", line))
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = r
}

func (p *person) takeLog(line []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, string(line))
	p.lines++
	select {
	case p.logged <- struct{}{}:
	default:
	}
}

// waitForLines waits until so many more lines were logged, or none for a while.
func (w *world) waitForLines(n int) {
	count := func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.lines
	}
	for until := count() + n; count() < until; {
		select {
		case <-w.logged:
		case <-time.After(quietPatience):
			return
		}
	}
}

// killOne kills a process with SIGKILL.
func (w *world) killOne() {
	running := slices.DeleteFunc(slices.Clone(w.people), func(p *person) bool { return p.command == nil })
	if len(running) == 0 {
		return
	}
	p := running[w.random.IntN(len(running))]
	p.kill()
	p.takeLog([]byte(`{"msg":"killed"}`))
}

func (p *person) kill() {
	_ = p.command.Process.Kill() // it fails if it has ended by itself, which its log tells
	_ = p.command.Wait()
	p.command = nil
}

// open says what is not done yet, as far as the running processes have told; empty for nothing.
func (w *world) open() string {
	for _, r := range w.routers {
		for _, m := range r.mailboxes() {
			if m.Messages > 0 {
				return fmt.Sprintf("%d messages are in the queue %s", m.Messages, m.Recipient)
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.people {
		if what := p.unfinished(p.told); what != "" {
			return what
		}
	}
	return ""
}

// unfinished says what a report lacks; empty for nothing.
func (p *person) unfinished(r report) string {
	if r.Status != group.Connected.String() {
		return fmt.Sprintf("%s: the group is %q", p.name, r.Status)
	}
	if left := slices.Concat(r.Commands, r.Events, r.Continuations); len(left) > 0 {
		return fmt.Sprintf("%s: to be done: %s", p.name, strings.Join(left, "; "))
	}
	if len(r.Members) != members {
		return fmt.Sprintf("%s knows %d members: want %d", p.name, len(r.Members), members)
	}
	for _, m := range r.Members {
		want := group.Connected
		if p.name == hostName {
			want = group.Complete
		}
		if m.Status != want.String() || m.Error != "" {
			return fmt.Sprintf("%s: %s is %s, %q: want %s", p.name, m.ID, m.Status, m.Error, want)
		}
	}
	return ""
}

// settle lets all go on until nothing is left to do, and then ends them. What a process has told can be older than what it was sent since: if its store has
// something left, all go on.
func (w *world) settle() {
	deadline := time.Now().Add(patience)
	for {
		w.start()
		for w.open() != "" {
			if time.Now().After(deadline) {
				require.Fail(w, "G1", "after %v: %s", patience, w.open())
			}
			time.Sleep(5 * time.Millisecond)
		}
		for _, p := range w.people {
			require.NoError(w, p.command.Process.Signal(syscall.SIGTERM))
		}
		left := ""
		for _, p := range w.people {
			require.NoError(w, p.command.Wait(), "how %s ended", p.name)
			p.command = nil
			p.show()
			left = max(left, p.unfinished(p.told))
		}
		if left == "" {
			return
		}
		w.Logf("they go on: %s", left)
	}
}

// show reads the store of somebody who is not running.
func (p *person) show() {
	c, err := program("show", "--store", p.store)
	require.NoError(p, err)
	text, err := c.Output()
	require.NoError(p, err, "show the store of %s", p.name)
	p.told = report{}
	require.NoError(p, json.Unmarshal(text, &p.told))
}

// judge holds what there is in the end, in stores and at routers, and what was logged, against what there should be.
func (w *world) judge() {
	queues := map[string]bool{}
	for _, p := range w.people {
		var names []group.MemberID
		for _, m := range p.told.Members {
			names = append(names, m.ID)
			want := []string{"group"}
			if p.name != hostName && m.ID != hostName {
				want = []string{"direct", "group"}
			}
			for _, which := range []string{"direct", "group"} {
				c, found := m.Connections[which]
				require.Equal(w, slices.Contains(want, which), found, "G2: %s: whether it has the %s connection with %s", p.name, which, m.ID)
				require.Equal(w, found, m.Connected[which], "G1: %s: whether the %s connection with %s is connected", p.name, which, m.ID)
				if found {
					require.Equal(w, "active", c.Status, "G1: %s: the %s connection with %s", p.name, which, m.ID)
					require.False(w, queues[c.Router+"#"+c.Queue], "G2: %s: the queue %s is that of two connections", p.name, c.Queue)
					queues[c.Router+"#"+c.Queue] = true
				}
			}
		}
		var others []group.MemberID
		for _, o := range w.people {
			if o != p {
				others = append(others, o.name)
			}
		}
		require.ElementsMatch(w, others, names, "G1: whom %s knows", p.name)
		p.judgeLog()
	}
	found := 0
	for _, r := range w.routers {
		for _, m := range r.mailboxes() {
			require.True(w, queues[r.name.String()+"#"+m.Recipient.String()], "G2, Q7: the queue %s belongs to no connection", m.Recipient)
			require.False(w, m.Deleted, "G2: the queue %s was deleted", m.Recipient)
			found++
		}
	}
	require.Len(w, queues, found, "G2: every connection has its queue")
}

// judgeLog judges what somebody's processes have logged. A process that is killed may have done more than it has logged.
func (p *person) judgeLog() {
	p.mu.Lock()
	defer p.mu.Unlock()
	statuses := map[string]group.Status{}
	runs := map[string]bool{}
	for _, text := range p.log {
		var line struct {
			Message                                                           string `json:"msg"`
			Member, Status, Correlation, Event, Expected, Connection, Awaited string
		}
		require.NoError(p, json.Unmarshal([]byte(text), &line), "%s says %s", p.name, text)
		switch line.Message {
		case memberAdvanced:
			status := slices.IndexFunc(everyStatus(), func(s group.Status) bool { return s.String() == line.Status })
			require.GreaterOrEqual(p, status, 0, text)
			require.Greater(p, everyStatus()[status], statuses[line.Member], "G3: %s after another status: %s", p.name, text)
			statuses[line.Member] = everyStatus()[status]
		case memberFailed:
			require.Fail(p, "G1", "%s: nothing has failed for good: %s", p.name, text)
		case eventRefused, messageRefused:
			require.Fail(p, "G4, G5, G6, G7", "%s: %s", p.name, text)
		case workerPanicked:
			require.Fail(p, "Q12", "%s: %s", p.name, text)
		case continued:
			require.False(p, runs[line.Correlation], "Q2: %s: a second time: %s", p.name, text)
			runs[line.Correlation] = true
			require.Contains(p, []string{line.Expected, command.Error.String()}, line.Event, "Q15: %s: %s", p.name, text)
			require.Equal(p, line.Awaited, line.Connection, "Q15: %s: %s", p.name, text)
		}
	}
}

// everyStatus are the statuses of members, in their order.
func everyStatus() (list []group.Status) {
	for s := group.Invited; s <= group.Gone; s++ {
		list = append(list, s)
	}
	return list
}

func TestWrongUsageIsOneLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "none.db")
	for _, c := range []struct {
		arguments string
		status    int
		says      string
	}{
		{"", 2, "want one of"},
		{"guest", 2, `there is no "guest"`},
		{"host", 2, "group host needs --store"},
		{"host --store x --invitations . --router nowhere", 2, "has no key hash"},
		{"host --store x --invitations . --router a@b:1 --members -1", 2, "--members is -1"},
		{"member --store x --invitations . --router a@b:1", 2, "group member needs --name"},
		{"show --store x more", 2, `"more" is no flag`},
		{"show --store " + file, 1, "no such file"},
	} {
		var out, errs bytes.Buffer
		status := execute(t.Context(), strings.Fields(c.arguments), &out, &errs)
		require.Equal(t, c.status, status, c.arguments)
		require.Contains(t, errs.String(), c.says)
		require.Equal(t, 1, strings.Count(errs.String(), "\n"), errs.String())
		require.Empty(t, out.String())
	}
}
