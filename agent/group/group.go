// Package group connects the members of a group with each other, over networks that fail and through crashes, with nobody there to press "retry" (seed
// 000; reference.md, "Group connections").
//
// The host invites members by links. Who joins is introduced by the host to each member that came before: the newcomer makes two connections for each
// of them, one of the group and a direct one, the host forwards their links, and the other joins.
//
//	host                              newcomer                             existing member
//	Invite: creates a connection
//	                  -- Invitation -> Accept: joins with XGrpAcpt
//	allows with XOk
//	          -- XGrpMemIntro(E) ---->                     XGrpMemNew(M) --> announced
//	                                  creates two connections
//	          <- XGrpMemInv(E, links)
//	          -- XGrpMemFwd(M, links) -------------------------------------> joins both with XGrpMemInfo
//	                                  allows with XGrpMemInfo, XOk
//	          <- XGrpMemCon(E)                             XGrpMemCon(M) --
//
// Everything that is done is done because of an event (package command), in the transaction that takes the event. What is to be done when a command is
// answered is a Continuation, stored under the command's correlation id in the transaction that adds the command (properties Q1, Q2).
package group

import (
	"errors"
	"fmt"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/connection"
	"github.com/heddle-go/heddle/agent/protocol"
)

// ID names a group, for all of its members.
type ID string

// MemberID names a member of a group, for all of its members.
type MemberID string

// Group is a group as one of its members knows it.
type Group struct {
	ID       ID
	Me, Host MemberID
	Status   Status // Connected, or why it is no more
	// Numbers is how many members have ever been connected, at the host.
	Numbers int64
}

// Status is how far somebody has come with a member. It only moves forward (property G3). They are stored by their values.
type Status uint8

// The statuses, in their order.
const (
	Invited      Status = iota + 1 // at the host: there is, or will be, a link
	Introduced                     // at a newcomer: it was told of the member, and makes connections for it
	IntroInvited                   // at a newcomer: the links are on their way
	Accepted                       // at the host: the member has joined; at a member: the host was joined
	Announced                      // at an existing member: it was told of the newcomer
	Connected                      // all connections with the member are there
	Complete                       // at the host: so are those with everybody to whom it was introduced
	Removed                        // by the host
	Left                           // of its own will
	Gone                           // the group, with all that was here of it
)

var statusNames = [...]string{
	Invited: "invited", Introduced: "introduced", IntroInvited: "intro-invited", Accepted: "accepted", Announced: "announced", Connected: "connected",
	Complete: "complete", Removed: "removed", Left: "left", Gone: "deleted",
}

// String is the name of the status.
func (s Status) String() string {
	if s > 0 && int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// Ended says whether it is the last one of a member.
func (s Status) Ended() bool { return s >= Removed }

// Which of the two connections with a member.
type Which uint8

// The connections with a member. With the host there is but the first.
const (
	InGroup Which = iota
	Direct
)

var whichNames = [...]string{InGroup: "group", Direct: "direct"}

// String is "group" or "direct".
func (w Which) String() string { return whichNames[w] }

// Member is a member of a group, as another one knows it.
type Member struct {
	Row       int64 // in the order in which they became known here, from 1; the store gives it
	Group     ID
	ID        MemberID
	Status    Status
	Connected [2]bool // by Which
	// Links are those of the connections that were created here for the member.
	Links [2]string
	// Number is when the member was connected, at the host: it is introduced to those with lower ones.
	Number int64
	// Met and Introduced are with how many of those to whom it was introduced the member is connected, at the host; All is whether it was
	// introduced to everybody.
	Introduced, Met int64
	All             bool
	// Deadline is when the member is told to be late, in nanoseconds since 1970; 0: never.
	Deadline int64
	// Error is why it is not connected, in one line; empty if nothing was wrong so far, or it is connected all the same.
	Error string
}

// Introduction is what the host knows of two members that are to be connected.
type Introduction struct {
	Group              ID
	Newcomer, Existing MemberID
	Status             IntroductionStatus
	By                 MemberID // who has said to be connected, with OneConnected
}

// IntroductionStatus is how far an introduction has come. It only moves forward. They are stored by their values.
type IntroductionStatus uint8

// The statuses of introductions, in their order.
const (
	IntroductionNew IntroductionStatus = iota + 1
	IntroductionSent
	IntroductionReceived // the newcomer has sent its links
	IntroductionForwarded
	OneConnected
	BothConnected
)

var introductionNames = [...]string{
	IntroductionNew: "new", IntroductionSent: "sent", IntroductionReceived: "received", IntroductionForwarded: "forwarded",
	OneConnected: "one side connected", BothConnected: "connected",
}

// String is the name of the status.
func (s IntroductionStatus) String() string {
	if s > 0 && int(s) < len(introductionNames) {
		return introductionNames[s]
	}
	return fmt.Sprintf("introduction(%d)", uint8(s))
}

// Invitation is what somebody needs to join a group. It reaches him by other ways.
type Invitation struct {
	Group        ID
	Host, Member MemberID // Member is who he will be
	Link         protocol.Link
}

// ContinuationKind is what is to be done when a command is answered. They are stored by their values.
type ContinuationKind uint8

// The continuations. After an error each records it with the member instead, and tells the observer.
const (
	Nothing       ContinuationKind = iota + 1 // all is done; there is but the error to look for
	OfferLink                                 // the link of the host's connection is there to be given away
	SendLinks                                 // a link for a member is there: with the other one they go to the host
	IntroduceNext                             // Member was introduced to Peer: go on with those after that
	NoteForwarded                             // the links of Member are with Peer
	ExpelNext                                 // Peer was told that Member is gone: tell those after that
	PartFrom                                  // Member was told to be removed: its connection is deleted
	DissolveNext                              // connections with Member are being deleted: go on with those after that
)

var continuationNames = [...]string{
	Nothing: "nothing", OfferLink: "offer the link", SendLinks: "send the links", IntroduceNext: "introduce the next", NoteForwarded: "note that it was forwarded",
	ExpelNext: "expel from the next", PartFrom: "part from", DissolveNext: "dissolve the next",
}

// String is the name of the kind.
func (k ContinuationKind) String() string {
	if k > 0 && int(k) < len(continuationNames) {
		return continuationNames[k]
	}
	return fmt.Sprintf("continuation(%d)", uint8(k))
}

// Continuation is what is to be done when a command is answered, as data: its kind and its arguments.
type Continuation struct {
	Correlation command.Correlation
	Connection  command.Connection
	Expects     command.EventKind // other than an error (property Q15)
	Kind        ContinuationKind
	Group       ID
	Member      MemberID
	Peer        MemberID
	Which       Which
	After       int64 // the row of the last member that was dealt with
}

// Tx is a transaction in which groups are kept. None of its methods costs more with the number of groups and members than a search does.
type Tx interface {
	connection.Tx
	// Group is the one with that id; PutGroup adds one, or replaces it.
	Group(ID) (g Group, found bool, err error)
	PutGroup(Group) error
	// Member is the one with that id. PutMember adds one whose Row is 0, and answers its row, or replaces it.
	Member(ID, MemberID) (m Member, found bool, err error)
	PutMember(Member) (row int64, err error)
	// NextMember is the one of a group with the lowest row above after.
	NextMember(group ID, after int64) (m Member, found bool, err error)
	// NextMembers are at most n of all groups with rows above after, by row.
	NextMembers(after int64, n int) ([]Member, error)
	// Introduction is that of two members; PutIntroduction adds one, or replaces it.
	Introduction(group ID, newcomer, existing MemberID) (i Introduction, found bool, err error)
	PutIntroduction(Introduction) error
	// AddContinuation stores one, whose correlation no other has.
	AddContinuation(Continuation) error
	// Continuation is the one under a correlation, and DropContinuation forgets it.
	Continuation(command.Correlation) (k Continuation, found bool, err error)
	DropContinuation(command.Correlation) error
	// ContinuationsOf are those that wait for a command of the connection, in no order.
	ContinuationsOf(command.Connection) ([]Continuation, error)
}

// What is asked of a group in vain.
var (
	ErrUnknownGroup  = errors.New("there is no such group")
	ErrUnknownMember = errors.New("there is no such member")
	ErrKnown         = errors.New("it is there already")
	ErrHost          = errors.New("that is for the host alone")
)
