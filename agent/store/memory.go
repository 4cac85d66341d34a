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
	events       []command.Event                  // by number
	correlations map[command.Correlation]struct{} // in use, by a command or an event
	lastCommand  int64
	lastEvent    int64
	connectionData
	groupData
}

// NewData is empty.
func NewData() *Data {
	return &Data{
		commands: map[int64]command.Command{}, byKey: map[command.Key][]int64{}, byConnection: map[command.Connection][]int64{},
		correlations:   map[command.Correlation]struct{}{},
		connectionData: newConnectionData(), groupData: newGroupData(),
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

// MemoryTx is a transaction of a Memory. It implements group.Tx.
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

// put changes one entry of a map, until it is undone.
func put[K comparable, V any](t *MemoryTx, m map[K]V, key K, value V) {
	was, had := m[key]
	m[key] = value
	t.undone(func() { restore(m, key, was, had) })
}

// drop removes one entry of a map, until it is undone.
func drop[K comparable, V any](t *MemoryTx, m map[K]V, key K) {
	if was, had := m[key]; had {
		delete(m, key)
		t.undone(func() { restore(m, key, was, had) })
	}
}

func restore[K comparable, V any](m map[K]V, key K, was V, had bool) {
	if had {
		m[key] = was
	} else {
		delete(m, key)
	}
}

// AddCommand implements command.Tx.
func (t *MemoryTx) AddCommand(c command.Command) (int64, error) {
	d := t.data
	if _, used := d.correlations[c.Correlation]; used {
		return 0, command.ErrCorrelation
	}
	d.lastCommand++
	c.Number, c.Body = d.lastCommand, slices.Clone(c.Body)
	d.correlations[c.Correlation] = struct{}{}
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
		d.correlations[c.Correlation] = struct{}{}
	})
	return true, nil
}

// AddEvent implements command.Tx.
func (t *MemoryTx) AddEvent(e command.Event) (int64, error) {
	d := t.data
	if e.Correlation != "" {
		if _, used := d.correlations[e.Correlation]; used {
			return 0, command.ErrCorrelation
		}
		d.correlations[e.Correlation] = struct{}{}
	}
	d.lastEvent++
	e.Number, e.Body = d.lastEvent, slices.Clone(e.Body)
	d.events = append(d.events, e)
	t.undone(func() {
		d.events = d.events[:len(d.events)-1]
		delete(d.correlations, e.Correlation)
	})
	return e.Number, nil
}

// NextEvents implements command.Tx.
func (t *MemoryTx) NextEvents(after int64, n int) ([]command.Event, error) {
	at, _ := t.data.event(after + 1)
	next := t.data.events[at:]
	return slices.Clone(next[:min(n, len(next))]), nil
}

// event is where an event is, or would be.
func (d *Data) event(number int64) (at int, found bool) {
	return slices.BinarySearchFunc(d.events, number, func(e command.Event, number int64) int { return cmp.Compare(e.Number, number) })
}

// TakeEvent implements command.Tx.
func (t *MemoryTx) TakeEvent(number int64) (found bool, err error) {
	d := t.data
	at, found := d.event(number)
	if !found {
		return false, nil
	}
	e := d.events[at]
	if at == 0 { // as almost always
		d.events = d.events[1:]
	} else {
		d.events = slices.Delete(d.events, at, at+1)
	}
	delete(d.correlations, e.Correlation)
	t.undone(func() {
		d.events = slices.Insert(d.events, at, e)
		if e.Correlation != "" {
			d.correlations[e.Correlation] = struct{}{}
		}
	})
	return true, nil
}
