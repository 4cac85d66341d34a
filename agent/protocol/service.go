package protocol

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// ServiceSub is a subscription to all queues of a service on one router: how
// many they are and the hash of their ids. It is comparable.
type ServiceSub struct {
	Service ServiceID
	Count   int64
	Hash    IDsHash
}

// With is the subscription with one more queue.
func (s ServiceSub) With(queue QueueID) ServiceSub {
	return ServiceSub{s.Service, s.Count + 1, s.Hash.Xor(HashOf(queue))}
}

// Without is the subscription with one queue less.
func (s ServiceSub) Without(queue QueueID) ServiceSub {
	return ServiceSub{s.Service, s.Count - 1, s.Hash.Xor(HashOf(queue))}
}

// String is "service ID: count queues, hash".
func (s ServiceSub) String() string {
	return fmt.Sprintf("service %s: %d queues, %s", s.Service, s.Count, s.Hash)
}

// Role is what a client that presents a service certificate does.
type Role uint8

// The roles of a service.
const (
	NoRole Role = iota
	Messaging
	Notifier
	Proxy
)

var roleNames = [...]string{NoRole: "none", Messaging: "messaging", Notifier: "notifier", Proxy: "proxy"}

// String is the role's name.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return fmt.Sprintf("role(%d)", uint8(r))
}

// Party says for whom an agent subscribes; both parties use the same agent.
type Party uint8

// The two service parties.
const (
	// RecipientService receives the messages of queues: SUB and SUBS.
	RecipientService Party = iota + 1
	// NotifierService receives their notifications: NSUB and NSUBS.
	NotifierService
)

// String is the party's name.
func (p Party) String() string {
	switch p {
	case RecipientService:
		return "recipient service"
	case NotifierService:
		return "notifier service"
	}
	return fmt.Sprintf("party(%d)", uint8(p))
}

// Valid reports whether p is one of the two parties.
func (p Party) Valid() bool { return p == RecipientService || p == NotifierService }

// Role is the role that a service of this party has.
func (p Party) Role() Role {
	if p == NotifierService {
		return Notifier
	}
	return Messaging
}

// QueueCommand is the command that subscribes one queue for this party.
func (p Party) QueueCommand() Command {
	if p == NotifierService {
		return NSUB
	}
	return SUB
}

// ServiceCommand is the command that subscribes a service for this party.
func (p Party) ServiceCommand() Command {
	if p == NotifierService {
		return NSUBS
	}
	return SUBS
}

// Credential is what a client presents in the handshake: the role and the hash
// of its service certificate. The zero value presents no certificate.
type Credential struct {
	Role Role
	// CertificateHash is opaque bytes.
	CertificateHash string
}

// Encode is the credential as the text that a dialer passes on: empty without a
// certificate, else "role:hash" with the hash in hexadecimal.
func (c Credential) Encode() string {
	if c == (Credential{}) {
		return ""
	}
	return c.Role.String() + ":" + hex.EncodeToString([]byte(c.CertificateHash))
}

// Validate says in one line what is wrong with c, if anything: a role needs a
// certificate, and a certificate a role.
func (c Credential) Validate() error {
	switch {
	case c == Credential{}:
		return nil
	case int(c.Role) >= len(roleNames) || c.Role == NoRole:
		return fmt.Errorf("credential has the role %v: want messaging, notifier or proxy", c.Role)
	case c.CertificateHash == "":
		return fmt.Errorf("credential of role %v has no certificate hash", c.Role)
	}
	return nil
}

// DecodeCredential reads what Encode wrote.
func DecodeCredential(text string) (Credential, error) {
	if text == "" {
		return Credential{}, nil
	}
	name, hash, found := strings.Cut(text, ":")
	bytes, err := hex.DecodeString(hash)
	if !found || err != nil {
		return Credential{}, fmt.Errorf("credential %q: want role:hash, the hash in hexadecimal", text)
	}
	for role, known := range roleNames {
		if known == name && Role(role) != NoRole {
			c := Credential{Role: Role(role), CertificateHash: string(bytes)}
			return c, c.Validate()
		}
	}
	return Credential{}, fmt.Errorf("credential %q: no role %q: want messaging, notifier or proxy", text, name)
}

// EncodeGrant is the service id that a router gave in the handshake, as the text
// of a session's grant; nil is "".
func EncodeGrant(service *ServiceID) string {
	if service == nil {
		return ""
	}
	return service.String()
}

// DecodeGrant reads what EncodeGrant wrote; "" gives nil.
func DecodeGrant(text string) (*ServiceID, error) {
	if text == "" {
		return nil, nil
	}
	bytes, err := hex.DecodeString(text)
	if err != nil || len(bytes) != len(ServiceID{}) {
		return nil, fmt.Errorf("grant %q: want a service id of 24 bytes in hexadecimal", text)
	}
	return (*ServiceID)(bytes), nil
}
