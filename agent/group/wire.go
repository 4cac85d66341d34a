package group

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/heddle-go/heddle/agent/command"
	"github.com/heddle-go/heddle/agent/protocol"
)

// messageKind is what members say to each other (reference.md).
type messageKind string

const (
	accept   messageKind = "x.grp.acpt"      // in the newcomer's confirmation, to the host
	okay     messageKind = "x.ok"            // in a confirmation that has nothing to say
	intro    messageKind = "x.grp.mem.intro" // host to newcomer: make connections for Member
	announce messageKind = "x.grp.mem.new"   // host to existing member: Member will come
	invite   messageKind = "x.grp.mem.inv"   // newcomer to host: these links are for Member
	forward  messageKind = "x.grp.mem.fwd"   // host to existing member: these links are of Member
	info     messageKind = "x.grp.mem.info"  // in a confirmation: I am Member
	met      messageKind = "x.grp.mem.con"   // to the host: I am connected with Member
	expel    messageKind = "x.grp.mem.del"   // host: Member is gone
	leave    messageKind = "x.grp.leave"     // to the host: I leave
)

// message is what members say to each other, as it travels.
type message struct {
	Kind   messageKind       `json:"event"`
	Member MemberID          `json:"member,omitempty"`
	Links  *[2]protocol.Link `json:"links,omitempty"`
}

func (m message) encode() []byte {
	bytes, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("group: a message cannot be encoded: %v", err)) // none of its types can fail
	}
	return bytes
}

// decode reads what encode wrote. The error says in one line what is wrong.
func decode(bytes []byte) (m message, err error) {
	if err := json.Unmarshal(bytes, &m); err != nil {
		return m, refuse("a message cannot be read: %v", err)
	}
	if (m.Kind == invite || m.Kind == forward) != (m.Links != nil) {
		return m, refuse("a message %s has links or not, against its kind", m.Kind)
	}
	return m, nil
}

// ConnectionOf names the connection with a member: there can be but one of each kind (property G2), and it is known whose it is.
func ConnectionOf(g ID, m MemberID, w Which) command.Connection {
	return command.Connection(url.PathEscape(string(g)) + "/" + url.PathEscape(string(m)) + "/" + w.String())
}

// memberOf reads what ConnectionOf wrote.
func memberOf(c command.Connection) (g ID, m MemberID, w Which, err error) {
	parts := strings.Split(string(c), "/")
	if len(parts) == 3 {
		group, err1 := url.PathUnescape(parts[0])
		member, err2 := url.PathUnescape(parts[1])
		if err1 == nil && err2 == nil {
			for w, name := range whichNames {
				if name == parts[2] {
					return ID(group), MemberID(member), Which(w), nil
				}
			}
		}
	}
	return "", "", 0, refuse("the connection %q is none of a group", c)
}

// refusal is why an event is not taken for what it says.
type refusal struct{ why string }

func (r refusal) Error() string { return r.why }

func refuse(format string, arguments ...any) error { return refusal{fmt.Sprintf(format, arguments...)} }
