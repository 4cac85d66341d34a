package sqlite

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/group"
)

// Group implements group.Tx.
func (t *Tx) Group(id group.ID) (g group.Group, found bool, err error) {
	err = t.each(findGroup, func(s *sqlite3.Stmt) error {
		g, found = group.Group{
			ID: id, Me: group.MemberID(s.ColumnText(0)), Host: group.MemberID(s.ColumnText(1)), Status: group.Status(s.ColumnInt(2)), Numbers: s.ColumnInt64(3),
		}, true
		return nil
	}, string(id))
	return g, found, err
}

// PutGroup implements group.Tx.
func (t *Tx) PutGroup(g group.Group) error {
	return t.run(putGroup, string(g.Me), string(g.Host), int64(g.Status), g.Numbers, string(g.ID))
}

func (t *Tx) members(q query, arguments ...any) (list []group.Member, err error) {
	err = t.each(q, func(s *sqlite3.Stmt) error {
		connected := s.ColumnInt(1)
		list = append(list, group.Member{
			Status: group.Status(s.ColumnInt(0)), Connected: [2]bool{connected&1 != 0, connected&2 != 0}, Links: [2]string{s.ColumnText(2), s.ColumnText(3)},
			Number: s.ColumnInt64(4), Introduced: s.ColumnInt64(5), Met: s.ColumnInt64(6), All: s.ColumnBool(7), Deadline: s.ColumnInt64(8),
			Error: s.ColumnText(9), Group: group.ID(s.ColumnText(10)), ID: group.MemberID(s.ColumnText(11)), Row: s.ColumnInt64(12),
		})
		return nil
	}, arguments...)
	return list, err
}

func (t *Tx) member(q query, arguments ...any) (m group.Member, found bool, err error) {
	list, err := t.members(q, arguments...)
	if err != nil || len(list) == 0 {
		return m, false, err
	}
	return list[0], true, nil
}

// Member implements group.Tx.
func (t *Tx) Member(g group.ID, id group.MemberID) (group.Member, bool, error) {
	return t.member(findMember, string(g), string(id))
}

// PutMember implements group.Tx.
func (t *Tx) PutMember(m group.Member) (row int64, err error) {
	connected := int64(0)
	for which, is := range m.Connected {
		if is {
			connected |= 1 << which
		}
	}
	values := []any{
		int64(m.Status), connected, m.Links[0], m.Links[1], m.Number, m.Introduced, m.Met, m.All, m.Deadline, m.Error, string(m.Group), string(m.ID),
	}
	if m.Row == 0 {
		row, _, err = t.number(addMember, values...)
	} else {
		row, _, err = t.number(putMember, append(values, m.Row)...)
	}
	return row, err
}

// NextMember implements group.Tx.
func (t *Tx) NextMember(g group.ID, after int64) (group.Member, bool, error) {
	return t.member(nextMember, string(g), after)
}

// NextMembers implements group.Tx.
func (t *Tx) NextMembers(after int64, n int) ([]group.Member, error) {
	return t.members(nextMembers, after, int64(n))
}

// Introduction implements group.Tx.
func (t *Tx) Introduction(g group.ID, newcomer, existing group.MemberID) (i group.Introduction, found bool, err error) {
	err = t.each(findIntroduction, func(s *sqlite3.Stmt) error {
		i, found = group.Introduction{
			Group: g, Newcomer: newcomer, Existing: existing, Status: group.IntroductionStatus(s.ColumnInt(0)), By: group.MemberID(s.ColumnText(1)),
		}, true
		return nil
	}, string(g), string(newcomer), string(existing))
	return i, found, err
}

// PutIntroduction implements group.Tx.
func (t *Tx) PutIntroduction(i group.Introduction) error {
	return t.run(putIntroduction, int64(i.Status), string(i.By), string(i.Group), string(i.Newcomer), string(i.Existing))
}

// AddContinuation implements group.Tx.
func (t *Tx) AddContinuation(k group.Continuation) error {
	return t.run(addContinuation, string(k.Connection), int64(k.Expects), int64(k.Kind), string(k.Group), string(k.Member), string(k.Peer), int64(k.Which), k.After,
		string(k.Correlation))
}

func (t *Tx) continuations(q query, argument string) (list []group.Continuation, err error) {
	err = t.each(q, func(s *sqlite3.Stmt) error {
		list = append(list, group.Continuation{
			Connection: command.Connection(s.ColumnText(0)), Expects: command.EventKind(s.ColumnInt(1)), Kind: group.ContinuationKind(s.ColumnInt(2)),
			Group: group.ID(s.ColumnText(3)), Member: group.MemberID(s.ColumnText(4)), Peer: group.MemberID(s.ColumnText(5)), Which: group.Which(s.ColumnInt(6)),
			After: s.ColumnInt64(7), Correlation: command.Correlation(s.ColumnText(8)),
		})
		return nil
	}, argument)
	return list, err
}

// Continuation implements group.Tx.
func (t *Tx) Continuation(c command.Correlation) (k group.Continuation, found bool, err error) {
	list, err := t.continuations(findContinuation, string(c))
	if err != nil || len(list) == 0 {
		return k, false, err
	}
	return list[0], true, nil
}

// ContinuationsOf implements group.Tx.
func (t *Tx) ContinuationsOf(c command.Connection) ([]group.Continuation, error) {
	return t.continuations(continuationsOf, string(c))
}

// DropContinuation implements group.Tx.
func (t *Tx) DropContinuation(c command.Correlation) error {
	return t.run(dropContinuation, string(c))
}
