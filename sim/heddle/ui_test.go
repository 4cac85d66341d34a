package heddle

import (
	"encoding/json"
	"net"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var livePage = regexp.MustCompile(`live page: (http://127\.0\.0\.1:\d+/[A-Z2-7]{26}/)\r?\n`)

func TestTheLivePageChangesNothingOfARun(t *testing.T) {
	t.Setenv("CI", "")
	document := func(args ...string) (d runDocument) {
		out, errOut, status := heddle(t, append([]string{"run", "account", "account-fixed", "faulty", "--runs", "600", "--seed", "7", "--keep-going", "--format", "json"}, args...)...)
		require.Equal(t, statusFound, status)
		require.Equal(t, len(args) > 0, livePage.MatchString(errOut), errOut)
		require.NoError(t, json.Unmarshal([]byte(out), &d))
		d.Seconds = 0
		for _, s := range d.Scenarios {
			require.Len(t, s.TraceHash, 16)
			s.Seconds = 0
		}
		return d
	}
	want := document()
	require.Equal(t, want, document("--ui"))
	require.Equal(t, want, document("--ui=localhost:0"))
}

func TestTheLivePageIsForThisMachineAlone(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for value, want := range map[string]string{
		taken.Addr().String(): "the port is taken: give another one, or --ui alone for any that is free",
		"0.0.0.0:0":           "could be reached from other machines: give an address of this one alone, such as --ui=127.0.0.1:0",
		"[::]:7777":           "could be reached from other machines: give an address of this one alone, such as --ui=127.0.0.1:7777",
		":7777":               "could be reached from other machines: give an address of this one alone, such as --ui=127.0.0.1:7777",
		"192.168.0.1:80":      "could be reached from other machines: give an address of this one alone, such as --ui=127.0.0.1:80",
		"example.org:80":      "could be reached from other machines: give an address of this one alone, such as --ui=127.0.0.1:80",
		"7777":                "is no address: give HOST:PORT, such as --ui=127.0.0.1:7777, or --ui alone",
		"127.0.0.1:http":      "is no address: give HOST:PORT, such as --ui=127.0.0.1:7777, or --ui alone",
		"127.0.0.1:70000":     "is no address: give HOST:PORT, such as --ui=127.0.0.1:7777, or --ui alone",
		"":                    "is no address: give HOST:PORT, such as --ui=127.0.0.1:7777, or --ui alone",
	} {
		out, errOut, status := heddle(t, "run", "account-fixed", "--runs", "10", "--ui="+value)
		require.Equal(t, statusError, status, value)
		require.Empty(t, out)
		require.Regexp(t, `^heddle: --ui=`+regexp.QuoteMeta(value)+`:? `+regexp.QuoteMeta(want)+`\n$`, errOut)
	}
}
