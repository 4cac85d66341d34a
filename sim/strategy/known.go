package strategy

import (
	"encoding/binary"
	"errors"
)

// Known is what was learnt for one run, beside its length. With the seed it is all that decides the run. The zero value is that
// nothing is known.
type Known struct {
	Weights Weights // of a run of urw or surw
	Forks   []Fork  // of a guided run
}

// Learner is a source that is decided by more than a seed and a length.
type Learner interface {
	Source
	// Learn is called after Begin: the run is decided by what is known, and adds what it shows to lessons if that is not nil.
	Learn(known Known, lessons *Lessons)
}

// Encode is the text of what is known for a token, not for people; empty if that is nothing. [Strategy.Decode] is its inverse.
//
//	forks     each: decisions since the fork before, seed (8 bytes)
//	weights   site, then each that is not 0: how many are 0 before it, itself
func (k Known) Encode() string {
	var b []byte
	last := int64(0)
	for _, f := range k.Forks {
		b = binary.AppendUvarint(b, uint64(f.At-last))
		b = binary.BigEndian.AppendUint64(b, f.Seed)
		last = f.At
	}
	if !k.Weights.known() {
		return string(b)
	}
	b = binary.AppendUvarint(b, uint64(k.Weights.Site))
	skipped := 0
	for _, n := range k.Weights.Steps {
		if n == 0 {
			skipped++
			continue
		}
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(skipped)), uint64(n))
		skipped = 0
	}
	return string(b)
}

// Decode reads what was learnt for a run of the strategy. Its error is one line.
func (s Strategy) Decode(text string) (Known, error) {
	var k Known
	d := learntDecoder{rest: []byte(text)}
	switch {
	case text == "":
	case s.IsGuided():
		k.Forks = d.forks()
	default:
		k.Weights = d.weights()
	}
	if d.damaged {
		return Known{}, errors.New("what its strategy had learnt is damaged")
	}
	return k, nil
}

type learntDecoder struct {
	rest    []byte
	damaged bool
}

// number reads one of at most most; once something is damaged, zeros.
func (d *learntDecoder) number(most uint64) uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || v > most {
		d.damaged, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *learntDecoder) forks() (forks []Fork) {
	last := int64(0)
	for len(d.rest) > 0 && !d.damaged {
		at := last + int64(d.number(1<<40))
		if len(d.rest) < 8 || len(forks) == mostForks || len(forks) > 0 && at == last {
			d.damaged = true
			return nil
		}
		forks = append(forks, Fork{at, binary.BigEndian.Uint64(d.rest)})
		d.rest, last = d.rest[8:], at
	}
	return forks
}

func (d *learntDecoder) weights() (w Weights) {
	w.Site = int(d.number(sites))
	for c := 0; len(d.rest) > 0; c++ {
		c += int(d.number(classes))
		n := uint32(d.number(1<<32 - 1))
		if n == 0 || c >= classes {
			d.damaged = true
			return Weights{}
		}
		w.Steps[c] = n
	}
	return w
}
