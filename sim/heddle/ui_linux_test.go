package heddle

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// terminal is a terminal of which the test is the screen.
func terminal(t *testing.T) (screen, inside *os.File) {
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there are no pseudoterminals: ", err)
	}
	t.Cleanup(func() { screen.Close() })
	var unlocked, number int32
	for request, argument := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlocked, syscall.TIOCGPTN: &number} {
		_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, screen.Fd(), request, uintptr(unsafe.Pointer(argument)))
		require.Zero(t, failed)
	}
	inside, err = os.OpenFile("/dev/pts/"+strconv.Itoa(int(number)), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { inside.Close() })
	return screen, inside
}

func TestOnATerminalTheLivePageStaysUntilItIsInterrupted(t *testing.T) {
	t.Setenv("CI", "")
	screen, inside := terminal(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var out bytes.Buffer
	status := make(chan int)
	go func() {
		status <- ours.execute(ctx, testScenarios(), []string{"run", "account", "--runs", "300", "--seed", "7", "--ui"}, &out, inside)
	}()

	var said strings.Builder
	for buffer := make([]byte, 1000); !strings.Contains(said.String(), "stays until Ctrl-C"); {
		n, err := screen.Read(buffer)
		require.NoError(t, err)
		said.Write(buffer[:n])
	}
	url := livePage.FindStringSubmatch(said.String())
	require.NotNil(t, url, said.String())
	require.Contains(t, out.String(), "account violates all-counted", "the result is told at once")
	select {
	case got := <-status:
		t.Fatal("it has ended, with status ", got)
	case <-time.After(100 * time.Millisecond):
	}
	events, err := http.Get(url[1] + "events")
	require.NoError(t, err)
	content, err := io.ReadAll(events.Body)
	require.NoError(t, err)
	require.Regexp(t, `^data: {"state":"ended",.*"page":"failure/0/0"`, string(content))
	failure, err := http.Get(url[1] + "failure/0/0")
	require.NoError(t, err)
	page, err := io.ReadAll(failure.Body)
	require.NoError(t, err)
	require.Contains(t, string(page), "all-counted</span> is violated")
	require.Contains(t, string(page), "Every deposit is in the balance.", "the statement of the property")

	interrupt()
	require.Equal(t, statusFound, <-status, "the status is that of the search")
}

func TestInCIAfterAnInterruptAndAfterAnErrorTheLivePageDoesNotStay(t *testing.T) {
	_, inside := terminal(t)
	for _, c := range []struct {
		what, ci, scenario string
		interrupted        bool
		status             int
	}{
		{"CI that has a terminal", "true", "account-fixed", false, statusClean},
		{"nothing was explored", "", "account-fixed", true, statusError},
		{"a set-up failed", "", "broken", false, statusError},
	} {
		t.Setenv("CI", c.ci)
		ctx, interrupt := context.WithCancel(t.Context())
		if c.interrupted {
			interrupt()
		}
		status := make(chan int, 1)
		go func() {
			status <- ours.execute(ctx, testScenarios(), []string{"run", c.scenario, "--runs", "100", "--seed", "7", "--ui"}, io.Discard, inside)
		}()
		select {
		case got := <-status:
			require.Equal(t, c.status, got, c.what)
		case <-time.After(20 * time.Second):
			t.Error(c.what, ": it stays")
		}
		interrupt()
	}
}
