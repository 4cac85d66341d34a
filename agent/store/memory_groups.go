package store

import (
	"slices"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/group"
)

// groupData is what a Memory keeps of groups.
type groupData struct {
	groups        map[group.ID]group.Group
	members       map[memberKey]group.Member
	rows          []memberKey // by row - 1
	rowsOf        map[group.ID][]int64
	introductions map[introductionKey]group.Introduction
	continuations map[command.Correlation]group.Continuation
	waiting       map[command.Connection][]command.Correlation
}

type memberKey struct {
	group  group.ID
	member group.MemberID
}

type introductionKey struct {
	group              group.ID
	newcomer, existing group.MemberID
}

func newGroupData() groupData {
	return groupData{
		groups: map[group.ID]group.Group{}, members: map[memberKey]group.Member{}, rowsOf: map[group.ID][]int64{},
		introductions: map[introductionKey]group.Introduction{}, continuations: map[command.Correlation]group.Continuation{},
		waiting: map[command.Connection][]command.Correlation{},
	}
}

// Group implements group.Tx.
func (t *MemoryTx) Group(id group.ID) (g group.Group, found bool, err error) {
	g, found = t.data.groups[id]
	return g, found, nil
}

// PutGroup implements group.Tx.
func (t *MemoryTx) PutGroup(g group.Group) error {
	put(t, t.data.groups, g.ID, g)
	return nil
}

// Member implements group.Tx.
func (t *MemoryTx) Member(g group.ID, id group.MemberID) (m group.Member, found bool, err error) {
	m, found = t.data.members[memberKey{g, id}]
	return m, found, nil
}

// PutMember implements group.Tx.
func (t *MemoryTx) PutMember(m group.Member) (row int64, err error) {
	d, key := t.data, memberKey{m.Group, m.ID}
	if m.Row == 0 {
		d.rows = append(d.rows, key)
		m.Row = int64(len(d.rows))
		d.rowsOf[m.Group] = append(d.rowsOf[m.Group], m.Row)
		t.undone(func() {
			d.rows = d.rows[:len(d.rows)-1]
			d.rowsOf[m.Group] = d.rowsOf[m.Group][:len(d.rowsOf[m.Group])-1]
		})
	}
	put(t, d.members, key, m)
	return m.Row, nil
}

// NextMember implements group.Tx.
func (t *MemoryTx) NextMember(g group.ID, after int64) (m group.Member, found bool, err error) {
	rows := t.data.rowsOf[g]
	at, _ := slices.BinarySearch(rows, after+1)
	if at == len(rows) {
		return m, false, nil
	}
	return t.data.members[t.data.rows[rows[at]-1]], true, nil
}

// NextMembers implements group.Tx.
func (t *MemoryTx) NextMembers(after int64, n int) (members []group.Member, err error) {
	for _, key := range t.data.rows[min(int(after), len(t.data.rows)):min(int(after)+n, len(t.data.rows))] {
		members = append(members, t.data.members[key])
	}
	return members, nil
}

// Introduction implements group.Tx.
func (t *MemoryTx) Introduction(g group.ID, newcomer, existing group.MemberID) (i group.Introduction, found bool, err error) {
	i, found = t.data.introductions[introductionKey{g, newcomer, existing}]
	return i, found, nil
}

// PutIntroduction implements group.Tx.
func (t *MemoryTx) PutIntroduction(i group.Introduction) error {
	put(t, t.data.introductions, introductionKey{i.Group, i.Newcomer, i.Existing}, i)
	return nil
}

// AddContinuation implements group.Tx.
func (t *MemoryTx) AddContinuation(k group.Continuation) error {
	put(t, t.data.continuations, k.Correlation, k)
	put(t, t.data.waiting, k.Connection, append(slices.Clip(t.data.waiting[k.Connection]), k.Correlation))
	return nil
}

// Continuation implements group.Tx.
func (t *MemoryTx) Continuation(c command.Correlation) (k group.Continuation, found bool, err error) {
	k, found = t.data.continuations[c]
	return k, found, nil
}

// DropContinuation implements group.Tx.
func (t *MemoryTx) DropContinuation(c command.Correlation) error {
	k, found := t.data.continuations[c]
	if !found {
		return nil
	}
	drop(t, t.data.continuations, c)
	left := slices.DeleteFunc(slices.Clone(t.data.waiting[k.Connection]), func(o command.Correlation) bool { return o == c })
	if len(left) == 0 {
		drop(t, t.data.waiting, k.Connection)
	} else {
		put(t, t.data.waiting, k.Connection, left)
	}
	return nil
}

// ContinuationsOf implements group.Tx.
func (t *MemoryTx) ContinuationsOf(c command.Connection) (list []group.Continuation, err error) {
	for _, correlation := range t.data.waiting[c] {
		list = append(list, t.data.continuations[correlation])
	}
	return list, nil
}
