package protocol_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/agent/protocol"
)

func TestRouterIsReadBackFromItsText(t *testing.T) {
	for _, r := range []protocol.Router{
		{KeyHash: "abc=", Hosts: "smp1.example.org,smp1.example.net", Port: "5223"},
		{KeyHash: "abc=", Hosts: "smp1.example.org"},
	} {
		parsed, err := protocol.ParseRouter(r.String())
		require.NoError(t, err)
		require.Equal(t, r, parsed)
		require.Equal(t, "smp1.example.org", parsed.FirstHost())
	}
	for _, text := range []string{"", "host:1", "@host:1", "hash@", "hash@:1"} {
		_, err := protocol.ParseRouter(text)
		require.Error(t, err, text)
	}
}

func TestHashOfAQueueSetForgetsWhatIsTakenOut(t *testing.T) {
	a, b := protocol.QueueID{1}, protocol.QueueID{2}
	require.Equal(t, protocol.IDsHash{}, protocol.HashOf(a).Xor(protocol.HashOf(a)))
	require.Equal(t, protocol.HashOf(a).Xor(protocol.HashOf(b)), protocol.HashOf(b).Xor(protocol.HashOf(a)))

	sub := protocol.ServiceSub{Service: protocol.ServiceID{9}}
	require.Equal(t, sub.With(b), sub.With(a).With(b).Without(a))
}

func TestCredentialAndGrantAreReadBack(t *testing.T) {
	for _, c := range []protocol.Credential{{}, {Role: protocol.Notifier, CertificateHash: "\x00\xff"}} {
		decoded, err := protocol.DecodeCredential(c.Encode())
		require.NoError(t, err)
		require.Equal(t, c, decoded)
	}
	for _, text := range []string{"notifier", "notifier:zz", "none:00", "king:00", "notifier:"} {
		_, err := protocol.DecodeCredential(text)
		require.Error(t, err, text)
	}
	for _, s := range []*protocol.ServiceID{nil, {7}} {
		decoded, err := protocol.DecodeGrant(protocol.EncodeGrant(s))
		require.NoError(t, err)
		require.Equal(t, s, decoded)
	}
	_, err := protocol.DecodeGrant("00ff")
	require.Error(t, err)
}

func TestErrorsAreClassifiedAsTheReferenceSays(t *testing.T) {
	classes := map[protocol.Error]protocol.Class{
		{Kind: protocol.Network}:                                     protocol.Temporary,
		{Kind: protocol.Timeout}:                                     protocol.Temporary,
		{Kind: protocol.IO}:                                          protocol.Temporary,
		{Kind: protocol.Protocol, Code: protocol.CodeAuth}:           protocol.Permanent,
		{Kind: protocol.Parse}:                                       protocol.Permanent,
		{Kind: protocol.Unexpected}:                                  protocol.Permanent,
		{Kind: protocol.Host}:                                        protocol.Permanent,
		{Kind: protocol.Transport}:                                   protocol.Permanent,
		{Kind: protocol.Crypto}:                                      protocol.Permanent,
		{Kind: protocol.NoService}:                                   protocol.ServiceError,
		{Kind: protocol.Protocol, Code: protocol.CodeService}:        protocol.ServiceError,
		{Kind: protocol.Broker, Code: protocol.CodeNoService}:        protocol.ServiceError,
		{Kind: protocol.Broker, Code: "TIMEOUT"}:                     protocol.Permanent,
		{Kind: protocol.Network, Detail: "connect", Cause: io.EOF}:   protocol.Temporary,
		{Kind: protocol.Transport, Detail: "connect", Cause: io.EOF}: protocol.Permanent,
	}
	for e, class := range classes {
		require.Equal(t, class, protocol.Classify(fmt.Errorf("wrapped: %w", &e)), e.Error())
	}
	require.Equal(t, protocol.Temporary, protocol.Classify(context.Canceled))
}

func TestKeysDoNotAppearInText(t *testing.T) {
	request := protocol.Request{Key: "secret"}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", request, request, request, request.Key), "secret")
}
