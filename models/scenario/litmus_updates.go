package scenario

import (
	"fmt"

	"github.com/heddle-go/heddle/sched"
	"github.com/heddle-go/heddle/sim"
)

// Litmus programs whose bug is a lost, early or mistaken update.

func lostUpdate(w *sim.World, fixed bool) func() {
	s := w.Host().Scheduler()
	mu, done := sched.NewMutex(sched.Named(s, "balance")), sched.NewWaitGroup(s)
	balance := 0
	deposit := func() {
		defer done.Done()
		mu.Lock()
		read := balance
		w.Logf("reads a balance of %d", read)
		if !fixed {
			mu.Unlock()
			mu.Lock()
		}
		balance = read + 1
		w.Logf("writes a balance of %d", balance)
		mu.Unlock()
	}
	return func() {
		done.Add(2)
		s.Go("deposit", deposit)
		s.Go("deposit", deposit)
		done.Wait()
		if balance != 2 {
			w.Fail("lost-update", "two deposits of 1 left a balance of %d, want 2", balance)
		}
	}
}

func lostUpdateAtomic(w *sim.World, fixed bool) func() {
	s := w.Host().Scheduler()
	hits, done := sched.NewAtomicInt64(sched.Named(s, "hits"), 0), sched.NewWaitGroup(s)
	hit := func() {
		defer done.Done()
		if fixed {
			hits.Add(1)
		} else {
			hits.Store(hits.Load() + 1)
		}
	}
	return func() {
		done.Add(2)
		s.Go("hit", hit)
		s.Go("hit", hit)
		done.Wait()
		if n := hits.Load(); n != 2 {
			w.Fail("lost-update", "two hits were counted as %d, want 2", n)
		}
	}
}

func lostUpdateSemaphore(w *sim.World, fixed bool) func() {
	s := w.Host().Scheduler()
	permit, done := sched.NewChan[struct{}](sched.Named(s, "permit"), 1), sched.NewWaitGroup(s)
	stock := 10
	take := func() {
		defer done.Done()
		permit.Send(struct{}{})
		read := stock
		w.Logf("reads a stock of %d", read)
		if !fixed {
			permit.Recv()
			permit.Send(struct{}{})
		}
		stock = read - 1
		w.Logf("writes a stock of %d", stock)
		permit.Recv()
	}
	return func() {
		done.Add(2)
		s.Go("take", take)
		s.Go("take", take)
		done.Wait()
		if stock != 8 {
			w.Fail("lost-update", "two of ten were taken and %d are left, want 8", stock)
		}
	}
}

// settings are made on first use.
type settings struct {
	limit *sched.AtomicInt64
}

func doubleCheckedInitialisation(w *sim.World, fixed bool) func() {
	s := w.Host().Scheduler()
	mu, done := sched.NewMutex(s), sched.NewWaitGroup(s)
	made := sched.NewAtomicPointer[settings](sched.Named(s, "settings"), nil)
	get := func() *settings {
		if c := made.Load(); c != nil {
			return c
		}
		mu.Lock()
		defer mu.Unlock()
		if c := made.Load(); c != nil {
			return c
		}
		c := &settings{limit: sched.NewAtomicInt64(sched.Named(s, "limit"), 0)}
		if fixed {
			c.limit.Store(100)
			made.Store(c)
		} else {
			made.Store(c)
			c.limit.Store(100)
		}
		return c
	}
	use := func() {
		defer done.Done()
		if limit := get().limit.Load(); limit != 100 {
			w.Fail("half-initialised", "a task read the limit as %d, want 100", limit)
		}
	}
	return func() {
		done.Add(2)
		s.Go("use", use)
		s.Go("use", use)
		done.Wait()
	}
}

// freeList hands out blocks of memory by number. Its head holds the first free block and, if it is versioned, how often the
// head has changed: Treiber's stack with the remedy that its report gives ("Systems Programming: Coping with Parallelism", 1986).
type freeList struct {
	versioned bool
	head      *sched.AtomicInt64
	next      []*sched.AtomicInt64 // by block; 0 ends the list
}

const (
	versionUnit = 1 << 16
	blockMask   = versionUnit - 1
)

// newFreeList makes a list of the blocks 1 to n.
func newFreeList(s sched.Scheduler, n int64, versioned bool) *freeList {
	l := &freeList{versioned: versioned, head: sched.NewAtomicInt64(sched.Named(s, "head of the list"), 1)}
	for block := range n + 1 {
		l.next = append(l.next, sched.NewAtomicInt64(sched.Named(s, fmt.Sprintf("next of block %d", block)), (block+1)%(n+1)))
	}
	return l
}

// swing moves the head from what was read to a block; false: the head is another by now.
func (l *freeList) swing(read, block int64) bool {
	if l.versioned {
		block |= read&^blockMask + versionUnit
	}
	return l.head.CompareAndSwap(read, block)
}

// take removes the first free block; 0: there is none.
func (l *freeList) take() int64 {
	for {
		read := l.head.Load()
		block := read & blockMask
		if block == 0 || l.swing(read, l.next[block].Load()) {
			return block
		}
	}
}

func (l *freeList) put(block int64) {
	for {
		read := l.head.Load()
		l.next[block].Store(read & blockMask)
		if l.swing(read, block) {
			return
		}
	}
}

func aba(w *sim.World, fixed bool) func() {
	const blocks = 3
	s := w.Host().Scheduler()
	list, done := newFreeList(s, blocks, fixed), sched.NewWaitGroup(s)
	var used [blocks + 1]bool
	take := func() int64 {
		block := list.take()
		w.Logf("takes block %d", block)
		w.Inline(func() {
			if used[block] {
				w.Fail("block-in-use", "block %d was handed out while it was in use", block)
			}
			used[block] = block != 0
		})
		return block
	}
	put := func(block int64) {
		w.Inline(func() { used[block] = false })
		w.Logf("gives block %d back", block)
		list.put(block)
	}
	return func() {
		done.Add(2)
		s.Go("one", func() {
			defer done.Done()
			take()
		})
		s.Go("two", func() {
			defer done.Done()
			first := take()
			take()
			put(first)
		})
		done.Wait()
		for take() != 0 {
		}
	}
}
