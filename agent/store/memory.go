// Package store is what the agent keeps across restarts.
package store

import (
	"cmp"
	"slices"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/sched"
)

// Memory is a store that lasts as long as its Data: for tests, and for agents that need not survive their process.
type Memory struct {
	mu   sched.Mutex
	data *Data
}

// Data is what a Memory keeps. Only one Memory that is in use may have it.
type Data struct {
	commands     map[int64]command.Command
	byKey        map[command.Key][]int64 // by number
	byConnection map[command.Connection][]int64
	responses    []command.Response            // by number
	correlations map[command.Correlation]int64 // in use: the number of the response, 0 for a command
	lastCommand  int64
	lastResponse int64
}

// NewData is empty.
func NewData() *Data {
	return &Data{
		commands: map[int64]command.Command{}, byKey: map[command.Key][]int64{}, byConnection: map[command.Connection][]int64{},
		correlations: map[command.Correlation]int64{},
	}
}

// OpenMemory is the store of the data.
func OpenMemory(s sched.Scheduler, data *Data) *Memory {
	return &Memory{mu: sched.NewMutex(s), data: data}
}

// Update implements command.Store. All of f and its end are one step of a simulation: a crash finds all of it done, or nothing.
func (m *Memory) Update(f func(*MemoryTx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	tx, done := &MemoryTx{data: m.data}, false
	defer func() {
		if !done {
			tx.rollback()
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	done = true
	return nil
}

// View implements command.Store.
func (m *Memory) View(f func(*MemoryTx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return f(&MemoryTx{data: m.data})
}

// MemoryTx is a transaction of a Memory. It implements command.Tx.
type MemoryTx struct {
	data *Data
	undo []func() // the last one first
}

func (t *MemoryTx) rollback() {
	for _, f := range slices.Backward(t.undo) {
		f()
	}
}

func (t *MemoryTx) undone(f func()) { t.undo = append(t.undo, f) }

// AddCommand implements command.Tx.
func (t *MemoryTx) AddCommand(c command.Command) (int64, error) {
	d := t.data
	if _, used := d.correlations[c.Correlation]; used {
		return 0, command.ErrCorrelation
	}
	d.lastCommand++
	c.Number, c.Body = d.lastCommand, slices.Clone(c.Body)
	d.correlations[c.Correlation] = 0
	d.put(c)
	t.undone(func() {
		d.drop(c)
		delete(d.correlations, c.Correlation)
	})
	return c.Number, nil
}

// put files a command under its key and connection.
func (d *Data) put(c command.Command) {
	d.commands[c.Number] = c
	d.byKey[c.Key] = inserted(d.byKey[c.Key], c.Number)
	d.byConnection[c.Key.Connection] = inserted(d.byConnection[c.Key.Connection], c.Number)
}

func (d *Data) drop(c command.Command) {
	delete(d.commands, c.Number)
	remove(d.byKey, c.Key, c.Number)
	remove(d.byConnection, c.Key.Connection, c.Number)
}

func inserted(numbers []int64, n int64) []int64 {
	at, _ := slices.BinarySearch(numbers, n)
	return slices.Insert(numbers, at, n)
}

func remove[K comparable](lists map[K][]int64, key K, n int64) {
	numbers := lists[key]
	at, found := slices.BinarySearch(numbers, n)
	switch {
	case !found:
	case len(numbers) == 1:
		delete(lists, key)
	case at == 0: // as almost always
		lists[key] = numbers[1:]
	default:
		lists[key] = slices.Delete(numbers, at, at+1)
	}
}

// FirstCommand implements command.Tx.
func (t *MemoryTx) FirstCommand(key command.Key) (c command.Command, found bool, err error) {
	if numbers := t.data.byKey[key]; len(numbers) > 0 {
		return t.data.commands[numbers[0]], true, nil
	}
	return c, false, nil
}

// CommandsOf implements command.Tx.
func (t *MemoryTx) CommandsOf(connection command.Connection) (list []command.Command, err error) {
	for _, n := range t.data.byConnection[connection] {
		list = append(list, t.data.commands[n])
	}
	return list, nil
}

// Keys implements command.Tx. They are in the order of their first commands.
func (t *MemoryTx) Keys() ([]command.Key, error) {
	keys := make([]command.Key, 0, len(t.data.byKey))
	for key := range t.data.byKey {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b command.Key) int { return cmp.Compare(t.data.byKey[a][0], t.data.byKey[b][0]) })
	return keys, nil
}

// MoveCommand implements command.Tx.
func (t *MemoryTx) MoveCommand(number int64, to command.Key) (found bool, err error) {
	d := t.data
	was, found := d.commands[number]
	if !found {
		return false, nil
	}
	is := was
	is.Key = to
	d.drop(was)
	d.put(is)
	t.undone(func() {
		d.drop(is)
		d.put(was)
	})
	return true, nil
}

// EndCommand implements command.Tx.
func (t *MemoryTx) EndCommand(number int64) (found bool, err error) {
	d := t.data
	c, found := d.commands[number]
	if !found {
		return false, nil
	}
	d.drop(c)
	delete(d.correlations, c.Correlation)
	t.undone(func() {
		d.put(c)
		d.correlations[c.Correlation] = 0
	})
	return true, nil
}

// AddResponse implements command.Tx.
func (t *MemoryTx) AddResponse(r command.Response) (int64, error) {
	d := t.data
	if _, used := d.correlations[r.Correlation]; used {
		return 0, command.ErrCorrelation
	}
	d.lastResponse++
	r.Number, r.Body = d.lastResponse, slices.Clone(r.Body)
	d.responses = append(d.responses, r)
	d.correlations[r.Correlation] = r.Number
	t.undone(func() {
		d.responses = d.responses[:len(d.responses)-1]
		delete(d.correlations, r.Correlation)
	})
	return r.Number, nil
}

// NextResponses implements command.Tx.
func (t *MemoryTx) NextResponses(after int64, n int) ([]command.Response, error) {
	next := t.data.responses[t.data.response(after+1):]
	return slices.Clone(next[:min(n, len(next))]), nil
}

// response is where the first response is with at least that number.
func (d *Data) response(number int64) int {
	at, _ := slices.BinarySearchFunc(d.responses, number, func(r command.Response, number int64) int { return cmp.Compare(r.Number, number) })
	return at
}

// TakeResponse implements command.Tx.
func (t *MemoryTx) TakeResponse(c command.Correlation) (r command.Response, found bool, err error) {
	d := t.data
	number := d.correlations[c]
	if number == 0 {
		return r, false, nil
	}
	at := d.response(number)
	r = d.responses[at]
	if at == 0 { // as almost always
		d.responses = d.responses[1:]
	} else {
		d.responses = slices.Delete(d.responses, at, at+1)
	}
	delete(d.correlations, c)
	t.undone(func() {
		d.responses = slices.Insert(d.responses, at, r)
		d.correlations[c] = number
	})
	return r, true, nil
}
