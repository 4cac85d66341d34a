package models

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/net"
)

// interval is a call that takes effect at its place in a sequence and overlaps its neighbours.
type interval[C any] struct {
	call, open  C
	start, ends int
	never       bool // does not return
}

// overlap draws, for calls that are legal in their order, intervals that hold the moments at which they take effect.
func overlap[C any](t *rapid.T, calls []C, unanswered func(C) C) []interval[C] {
	out := make([]interval[C], len(calls))
	for i, c := range calls {
		out[i] = interval[C]{
			call: c, open: unanswered(c),
			start: 10*i - rapid.IntRange(0, 30).Draw(t, "earlier"), ends: 10*i + 5 + rapid.IntRange(0, 30).Draw(t, "later"),
		}
	}
	return out
}

// record feeds the intervals to a history in the order of their ends.
func record[S comparable, C any](h *History[S, C], key Key, calls []interval[C]) {
	type end struct{ at, call int }
	var ends []end
	for i, c := range calls {
		ends = append(ends, end{2 * c.start, i}, end{2*c.ends + 1, i})
	}
	slices.SortStableFunc(ends, func(a, b end) int { return a.at - b.at })
	ids := make(map[int]CallID)
	for _, e := range ends {
		c := calls[e.call]
		if id, begun := ids[e.call]; !begun {
			ids[e.call] = h.Call(key, e.call, int64(e.at), c.open)
		} else if !c.never {
			h.Return(id, int64(e.at), c.call)
		}
	}
}

// sequence draws calls that are legal one after the other: those proposed that the specification takes.
func sequence[S comparable, C any](t *rapid.T, spec *Spec[S, C], propose func(*rapid.T, S) C) []C {
	state := spec.Start
	var calls []C
	for range rapid.IntRange(1, 12).Draw(t, "calls") {
		c := propose(t, state)
		if next, legal := spec.Step(state, c); legal {
			state, calls = next, append(calls, c)
		}
	}
	return calls
}

func checkSpec[S comparable, C any](t *testing.T, spec *Spec[S, C], propose func(*rapid.T, S) C, unanswered func(C) C, impossible C) {
	t.Run("legal histories are accepted", rapid.MakeCheck(func(t *rapid.T) {
		h := NewHistory(spec, 64)
		record(h, h.Key("k"), overlap(t, sequence(t, spec, propose), unanswered))
		v := h.Check(0)
		if v.Illegal != "" {
			t.Fatal(v.Story)
		}
	}))
	t.Run("a last call may never return", rapid.MakeCheck(func(t *rapid.T) {
		h := NewHistory(spec, 64)
		calls := overlap(t, sequence(t, spec, propose), unanswered)
		if len(calls) == 0 {
			return
		}
		calls[len(calls)-1].never = true
		record(h, h.Key("k"), calls)
		if v := h.Check(0); v.Illegal != "" {
			t.Fatal(v.Story)
		}
	}))
	t.Run("an answer that no order explains is refused", rapid.MakeCheck(func(t *rapid.T) {
		h := NewHistory(spec, 64)
		calls := overlap(t, sequence(t, spec, propose), unanswered)
		at := rapid.IntRange(0, len(calls)).Draw(t, "at")
		wrong := interval[C]{call: impossible, open: impossible, start: 10*at - 5, ends: 10*at + rapid.IntRange(0, 20).Draw(t, "lasts")}
		record(h, h.Key("k"), append(calls, wrong))
		if h.Check(0).Illegal != "k" {
			t.Fatalf("accepted: %v", spec.Call(impossible))
		}
	}))
}

func TestOwnershipSpecification(t *testing.T) {
	sessions := []string{"a", "b", "c"}
	checkSpec(t, Ownership(), func(t *rapid.T, owner string) OwnerCall {
		c := OwnerCall{
			Op: OwnerOp(rapid.IntRange(0, int(OwnerRead)).Draw(t, "op")), Session: rapid.SampledFrom(sessions).Draw(t, "session"),
			Granted: rapid.Bool().Draw(t, "granted"), Known: true,
		}
		if c.Op == OwnerRead {
			c.Session = owner
		}
		return c
	}, func(c OwnerCall) OwnerCall {
		if c.Op == OwnerSubscribe || c.Op == OwnerRead {
			c.Known, c.Granted = false, false
		}
		return c
	}, OwnerCall{Op: OwnerRead, Session: "nobody knows", Known: true})
}

func TestVariableSpecification(t *testing.T) {
	checkSpec(t, Variables(), func(t *rapid.T, s VariableState) VariableCall {
		c := VariableCall{Op: VariableOp(rapid.IntRange(0, int(Remove)).Draw(t, "op")), ID: s.Current, Known: true}
		switch c.Op {
		case GetOrCreate:
			if c.Yes = s.Current == 0; c.Yes {
				c.ID = s.Last + 1
			}
		case TryRead:
			c.Yes = s.Filled && s.Current != 0
		case Remove:
			if c.ID, c.Yes = s.Current, s.Current != 0; rapid.Bool().Draw(t, "stale") {
				c.ID, c.Yes = s.Last+7, false
			}
		}
		return c
	}, func(c VariableCall) VariableCall {
		if c.Op == GetOrCreate || c.Op == TryRead {
			c.ID = 0
		}
		c.Known, c.Yes = false, false
		return c
	}, VariableCall{Op: TryRead, ID: 9999, Known: true})
}

func TestRegisterSpecification(t *testing.T) {
	keys := []string{"k", "new"}
	checkSpec(t, Registers(), func(t *rapid.T, s RegisterState) RegisterCall {
		c := RegisterCall{
			Op: RegisterOp(rapid.IntRange(0, int(RegisterRead)).Draw(t, "op")), Session: s1, Key: s.Key, Place: s.Place, Known: true,
		}
		switch c.Op {
		case RegisterSubscribe:
			c.Key = protocol.AuthKey(rapid.SampledFrom(keys).Draw(t, "key"))
		case RegisterRead:
			c.Session = s.Session
		}
		return c
	}, func(c RegisterCall) RegisterCall {
		c.Known = c.Op != RegisterSubscribe && c.Op != RegisterRemove
		return c
	}, RegisterCall{Op: RegisterRead, Place: "active", Session: "nobody knows", Known: true})
}

func TestIllegalHistoriesAreRefused(t *testing.T) {
	variables := NewHistory(Variables(), 8)
	k := variables.Key("k")
	variables.Point(k, 0, 1, VariableCall{Op: GetOrCreate, ID: 1, Yes: true, Known: true})
	variables.Point(k, 1, 2, VariableCall{Op: GetOrCreate, ID: 2, Yes: true, Known: true})
	require.Equal(t, "k", variables.Check(0).Illegal, "two creators")

	owners := NewHistory(Ownership(), 8)
	k = owners.Key("k")
	first := owners.Call(k, 0, 1, OwnerCall{Op: OwnerSubscribe, Session: "a"})
	second := owners.Call(k, 1, 2, OwnerCall{Op: OwnerSubscribe, Session: "b"})
	granted := func(s string) OwnerCall {
		return OwnerCall{Op: OwnerSubscribe, Session: s, Granted: true, Known: true}
	}
	owners.Return(first, 3, granted("a"))
	owners.Return(second, 4, granted("b"))
	owners.Point(k, 2, 5, OwnerCall{Op: OwnerEnd, Session: "a", Known: true})
	require.Empty(t, owners.Check(0).Illegal, "b displaced a")
	owners.Point(k, 2, 6, OwnerCall{Op: OwnerEnd, Session: "b", Known: true})
	v := owners.Check(0)
	require.Equal(t, "k", v.Illegal, "nobody displaced b")
	require.Equal(t, 1, v.Asked, "porcupine has decided it")
	require.Contains(t, v.Story, "[2..4 by 1] subscribe(b) granted=true")
	picture, err := v.Picture()
	require.NoError(t, err)
	require.Contains(t, string(picture), "<svg", "a page that draws it")
	require.Contains(t, string(picture), "subscribe(b) granted=true")
}

func TestHistoriesAreBounded(t *testing.T) {
	h := NewHistory(Ownership(), 4)
	k := h.Key("k")
	h.Call(k, 0, 0, OwnerCall{Op: OwnerSubscribe, Session: "open"})
	for i := range 100 {
		h.Point(k, 1, int64(i), OwnerCall{Op: OwnerSubscribe, Session: fmt.Sprint(i), Granted: true, Known: true})
	}

	v := h.Check(0)

	require.Equal(t, 1, v.Cut)
	require.Empty(t, v.Illegal)
	require.Len(t, h.tracks[0].calls, 4)
}

func TestAHistoryThatIsTooHardIsUndecided(t *testing.T) {
	h := NewHistory(Ownership(), 64)
	k := h.Key("k")
	var ids []CallID
	for i := range 40 {
		ids = append(ids, h.Call(k, i, 0, OwnerCall{Op: OwnerSubscribe, Session: fmt.Sprint(i)}))
	}
	for i, id := range ids {
		h.Return(id, 1, OwnerCall{Op: OwnerSubscribe, Session: fmt.Sprint(i), Granted: true, Known: true})
	}
	h.Point(k, 0, 2, OwnerCall{Op: OwnerRead, Session: "nobody", Known: true})

	v := h.Check(10_000)

	require.Equal(t, []string{"k"}, v.Unknown)
	require.Empty(t, v.Illegal)
}

func TestServiceSpecification(t *testing.T) {
	sub := func(n int) protocol.ServiceSub { return protocol.ServiceSub{Service: service, Count: int64(n)} }
	checkSpec(t, Services(), func(t *rapid.T, s ServiceState) ServiceCall {
		c := ServiceCall{
			Op: ServiceOp(rapid.IntRange(0, int(ServiceRead)).Draw(t, "op")), Sub: sub(rapid.IntRange(1, 3).Draw(t, "sub")),
			Session: rapid.SampledFrom([]net.SessionID{s1, s2}).Draw(t, "session"),
		}
		switch c.Op {
		case ServiceConfirm, ServiceGiveUp:
			c.Sub = s.Pending
		case ServiceDemote:
			c.Yes = s.Pending == protocol.ServiceSub{}
			c.Session = s.Active
		case ServiceTake:
			c.Session = s.Active
		case ServiceRead:
			c.Sub, c.Session = s.Pending, s.Active
		}
		return c
	}, func(c ServiceCall) ServiceCall { return c }, ServiceCall{Op: ServiceRead, Session: "nobody knows"})
}
