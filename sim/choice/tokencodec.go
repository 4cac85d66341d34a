package choice

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The content of a token, all integers as varints:
//
//	flags                       1: addressed; 2: more than a length was learnt
//	data seed, seed, hash       8 bytes each
//	length
//	learnt                      count of bytes, then these, if the flags say so
//	names                       count, then each: bytes shared with the one before, bytes that follow, these bytes (sorted)
//	scenario, property, strategy, options (count, then pairs)          numbers of names
//	deviations                  count, then each: actor, point, object (numbers of names), occurrence, value,
//	                            target (number of a name) if the value is 0, check (2 bytes)
//
// Spawn paths share long beginnings, so a sorted table that leaves them out is about as short as compressing it.
const (
	flagAddressed = 1 << iota
	flagLearnt
)

func (t Token) content() []byte {
	names := t.names()
	number := func(b []byte, s string) []byte {
		i, _ := slices.BinarySearch(names, s)
		return binary.AppendUvarint(b, uint64(i))
	}
	var flags uint64
	if t.Addressed() {
		flags |= flagAddressed
	}
	if t.Learnt != "" {
		flags |= flagLearnt
	}
	b := binary.AppendUvarint(nil, flags)
	b = binary.BigEndian.AppendUint64(b, t.DataSeed)
	b = binary.BigEndian.AppendUint64(b, t.Seed)
	b = binary.BigEndian.AppendUint64(b, t.Hash)
	b = binary.AppendUvarint(b, uint64(t.Length))
	if t.Learnt != "" {
		b = binary.AppendUvarint(b, uint64(len(t.Learnt)))
		b = append(b, t.Learnt...)
	}
	b = binary.AppendUvarint(b, uint64(len(names)))
	previous := ""
	for _, s := range names {
		shared := commonPrefix(previous, s)
		b = binary.AppendUvarint(b, uint64(shared))
		b = binary.AppendUvarint(b, uint64(len(s)-shared))
		b = append(b, s[shared:]...)
		previous = s
	}
	b = number(b, t.Scenario)
	b = number(b, t.Property)
	b = number(b, t.Strategy)
	b = binary.AppendUvarint(b, uint64(len(t.Options)))
	for _, o := range t.Options {
		b = number(number(b, o.Name), o.Value)
	}
	if !t.Addressed() {
		return b
	}
	b = binary.AppendUvarint(b, uint64(len(t.Deviations)))
	for _, d := range t.Deviations {
		b = number(number(number(b, d.Actor), d.Point), d.Object)
		b = binary.AppendUvarint(b, uint64(d.Occurrence))
		b = binary.AppendUvarint(b, uint64(d.Value))
		if d.Value == 0 {
			b = number(b, d.Target)
		}
		b = binary.BigEndian.AppendUint16(b, d.Check)
	}
	return b
}

// names is every text of the token, sorted, each once.
func (t Token) names() []string {
	names := []string{t.Scenario, t.Property, t.Strategy}
	for _, o := range t.Options {
		names = append(names, o.Name, o.Value)
	}
	for _, d := range t.Deviations {
		names = append(names, d.Actor, d.Point, d.Object)
		if d.Value == 0 {
			names = append(names, d.Target)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// decoder reads a content. After the first error it reads zeros; no count it answers exceeds the bytes that are left.
type decoder struct {
	rest  []byte
	names []string
	err   error
}

func parseContent(content []byte) (Token, error) {
	d := &decoder{rest: content}
	var t Token
	flags := d.uvarint()
	if flags > flagAddressed|flagLearnt {
		d.fail(fmt.Errorf("unknown flags %#x", flags))
	}
	t.DataSeed, t.Seed, t.Hash = d.fixed64(), d.fixed64(), d.fixed64()
	t.Length = int64(d.integer())
	if flags&flagLearnt != 0 {
		n := d.count(1)
		t.Learnt, d.rest = string(d.rest[:n]), d.rest[n:]
	}
	d.table()
	t.Scenario, t.Property, t.Strategy = d.name(), d.name(), d.name()
	for range d.count(2) {
		t.Options = append(t.Options, Option{d.name(), d.name()})
	}
	if flags&flagAddressed != 0 {
		n := d.count(7)
		t.Deviations = make([]Deviation, 0, n)
		for range n {
			v := Deviation{Actor: d.name(), Point: d.name(), Object: d.name(), Occurrence: d.integer(), Value: d.integer()}
			if v.Value == 0 {
				v.Target = d.name()
			}
			v.Check = uint16(d.byte())<<8 | uint16(d.byte())
			t.Deviations = append(t.Deviations, v)
		}
	}
	if len(d.rest) > 0 {
		d.fail(fmt.Errorf("%d bytes follow its end", len(d.rest)))
	}
	if d.err != nil {
		return Token{}, d.err
	}
	return t, nil
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.rest = nil
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail(errors.New("its content ends too early"))
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

// integer is a number that fits an int on every machine.
func (d *decoder) integer() int {
	v := d.uvarint()
	if v > 1<<31-1 {
		d.fail(fmt.Errorf("number %d is too large", v))
		return 0
	}
	return int(v)
}

// count is a number of things of at least size bytes each that follow.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.rest)/size) {
		d.fail(fmt.Errorf("%d items do not fit into %d bytes", n, len(d.rest)))
		return 0
	}
	return int(n)
}

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.fail(errors.New("its content ends too early"))
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder) fixed64() uint64 {
	if len(d.rest) < 8 {
		d.fail(errors.New("its content ends too early"))
		return 0
	}
	v := binary.BigEndian.Uint64(d.rest)
	d.rest = d.rest[8:]
	return v
}

// All names together may have maxTable bytes, and tableFactor times as many more as there are in the text: shared beginnings let a short text ask for much
// memory, but what was written of a long run must be read.
const (
	maxTable    = 1 << 24
	tableFactor = 64
)

func (d *decoder) table() {
	previous, total, most := "", 0, maxTable+tableFactor*len(d.rest)
	for range d.count(2) {
		shared, more := d.integer(), d.count(1)
		total += shared + more
		if shared > len(previous) || total > most {
			d.fail(errors.New("its table of names is damaged"))
		}
		if d.err != nil {
			return
		}
		previous = previous[:shared] + string(d.rest[:more])
		d.rest = d.rest[more:]
		d.names = append(d.names, previous)
	}
}

func (d *decoder) name() string {
	i := d.uvarint()
	if i >= uint64(len(d.names)) {
		d.fail(fmt.Errorf("name %d is not in its table of %d", i, len(d.names)))
		return ""
	}
	return d.names[i]
}
