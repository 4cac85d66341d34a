package disk

import (
	"bytes"
	"slices"

	"github.com/heddle-go/heddle/internal/kernel"
)

// sectorSize is how much the disk writes at once or not at all. A page of SQLite is several sectors, and can be torn.
const sectorSize = 512

// file is a file as programs see it and as it is on the disk.
type file struct {
	key     uint64 // tells files apart where a loss decides
	content []byte // as programs see it
	durable []byte
	pending []change // that the content has seen since, and that need not be durable, oldest first
	open    []*handle
	trace   trace
}

// change is a write or, without data, a new length.
type change struct {
	at   int64
	data []byte
}

// trace is what a loss has changed in a file, until a program has read it, or written over it.
type trace struct {
	fault   string
	content []byte // that there would be
}

func (f *file) change(c change) {
	f.trace = trace{}
	f.content = c.apply(f.content)
	f.pending = append(f.pending, c)
}

// apply makes the change in a content.
func (c change) apply(content []byte) []byte {
	end := c.at + int64(len(c.data))
	if n := len(content); int64(n) < end {
		if int64(cap(content)) < end { // by twice: append would move a file that grows page by page too often
			content = slices.Grow(content, max(n, int(end)-n))
		}
		content = content[:end]
		clear(content[n:])
	}
	if c.data == nil {
		return content[:end]
	}
	copy(content[c.at:], c.data)
	return content
}

// sectors calls f for the part of the change in each sector, with the sector's number. A new length is one part.
func (c change) sectors(f func(part change, sector int64)) {
	if c.data == nil {
		f(c, 0)
		return
	}
	for len(c.data) > 0 {
		n := min(int64(len(c.data)), sectorSize-c.at%sectorSize)
		f(change{c.at, c.data[:n]}, c.at/sectorSize)
		c.at, c.data = c.at+n, c.data[n:]
	}
}

// settle makes durable what is pending, but for what is lost.
func (f *file) settle(l loss) {
	for i, c := range f.pending {
		if l.style != losesSectors {
			if l.keeps(f.key, i, len(f.pending), 0) {
				f.durable = c.apply(f.durable)
			}
			continue
		}
		c.sectors(func(part change, sector int64) {
			if l.keeps(f.key, i, len(f.pending), sector) {
				f.durable = part.apply(f.durable)
			}
		})
	}
	clear(f.pending)
	f.pending = f.pending[:0]
}

// lose is what a loss of power does: there is nothing but what is durable.
func (f *file) lose(l loss) {
	f.settle(l)
	before := f.content
	if f.trace.fault != "" {
		before = f.trace.content // nobody has noticed the last one
	}
	f.content, f.trace, f.open = slices.Clone(f.durable), trace{}, nil
	if !bytes.Equal(before, f.content) {
		f.trace = trace{l.fault, before}
	}
}

// part is what the content has there, at most n bytes.
func part(content []byte, at int64, n int) []byte {
	from := min(at, int64(len(content)))
	return content[from:min(from+int64(n), int64(len(content)))]
}

// noticed answers which fault has changed what is read there, if one has.
func (f *file) noticed(at int64, n int) (fault string) {
	if fault = f.trace.fault; fault == "" || bytes.Equal(part(f.trace.content, at, n), part(f.content, at, n)) {
		return ""
	}
	f.trace = trace{}
	return fault
}

// entry is a name and what it stands for.
type entry struct {
	name    string
	key     uint64
	object  *kernel.Object
	now     *file // nil: there is no such file
	durable *file
	pending []*file // what it has stood for since, oldest first
	files   uint64  // that it has stood for, ever
	lostBy  string  // the fault by which it stands for something else than it would, until a program has seen it
}

// set lets the name stand for a file, or none.
func (e *entry) set(f *file) {
	e.now, e.lostBy = f, ""
	e.pending = append(e.pending, f)
}

func (e *entry) create() {
	e.files++
	e.set(&file{key: kernel.Mix(e.key, e.files)})
}

// settle makes durable what is pending, but for what is lost.
func (e *entry) settle(l loss) {
	for i, f := range e.pending {
		if l.keeps(e.key, i, len(e.pending), 0) {
			e.durable = f
		}
	}
	clear(e.pending)
	e.pending = e.pending[:0]
}

// lose is what a loss of power does to the name and its file.
func (e *entry) lose(l loss) {
	before := e.now
	e.settle(l)
	if e.now = e.durable; e.now != before {
		e.lostBy = l.fault
	}
	if e.now != nil {
		e.now.lose(l)
	}
}

// noticed answers which fault has changed whether there is such a file, if one has.
func (e *entry) noticed() (fault string) {
	fault, e.lostBy = e.lostBy, ""
	return fault
}
