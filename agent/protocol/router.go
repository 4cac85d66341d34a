package protocol

import (
	"fmt"
	"strings"

	"github.com/heddle-go/heddle/net"
)

// Router names an SMP router. It is comparable and is the key of everything the
// agent keeps: two values that differ in any field are two routers.
type Router struct {
	// KeyHash is the hash of the router's certificate, as text (base64url).
	KeyHash string
	// Hosts is the list of its host names, joined with commas, preferred first.
	Hosts string
	// Port is empty for the default port.
	Port string
}

// String is the router as "keyhash@host1,host2:port"; ParseRouter reads it back.
func (r Router) String() string {
	if r.Port == "" {
		return r.KeyHash + "@" + r.Hosts
	}
	return r.KeyHash + "@" + r.Hosts + ":" + r.Port
}

// Address is what the agent dials: the router as text, so that a transport can
// compare the key hash with the certificate that it is shown.
func (r Router) Address() net.Address { return net.Address(r.String()) }

// FirstHost is the preferred host name; empty if there is none.
func (r Router) FirstHost() string {
	host, _, _ := strings.Cut(r.Hosts, ",")
	return host
}

// Less orders routers by their fields; it is the order of snapshots.
func (r Router) Less(other Router) bool {
	if r.Hosts != other.Hosts {
		return r.Hosts < other.Hosts
	}
	if r.Port != other.Port {
		return r.Port < other.Port
	}
	return r.KeyHash < other.KeyHash
}

// ParseRouter reads what String wrote. The error says what is missing.
func ParseRouter(text string) (Router, error) {
	keyHash, rest, found := strings.Cut(text, "@")
	if !found || keyHash == "" {
		return Router{}, fmt.Errorf("router %q has no key hash: want keyhash@host,host:port", text)
	}
	hosts, port, _ := strings.Cut(rest, ":")
	if hosts == "" {
		return Router{}, fmt.Errorf("router %q has no host: want keyhash@host,host:port", text)
	}
	return Router{KeyHash: keyHash, Hosts: hosts, Port: port}, nil
}
