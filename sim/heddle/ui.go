package heddle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/term"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/report"
	"github.com/heddle-go/heddle/sim/search"
)

// anyPort is where the live page is served if no address is given: wherever there is a place.
const anyPort = "127.0.0.1:0"

// ui is the live page of a search; nil: nobody has asked for one.
type ui struct {
	*report.Live
	out io.Writer
}

// serve begins to serve the live page of a search, and says where.
func (a *app) serve(address string, config search.Config) (*ui, error) {
	listener, err := listen(address)
	if err != nil {
		return nil, err
	}
	u := &ui{report.NewLive(listener, config, func(sc *sim.Scenario, f *search.Failure) report.Page {
		if f.Shrunk == nil || f.Shrunk.Hash != f.Hash {
			return pageOf(sc, f, nil)
		}
		return pageOf(sc, f, explanationOf(f.Shrunk))
	}), a.errOut}
	fmt.Fprintf(u.out, "live page: %s\n", u.URL)
	return u, nil
}

// listen listens at an address that other machines do not reach. The error is one line.
func listen(address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if number, notNumber := strconv.ParseUint(port, 10, 16); err != nil || notNumber != nil || number > 65535 {
		return nil, fmt.Errorf("--ui=%s is no address: give HOST:PORT, such as --ui=127.0.0.1:7777, or --ui alone", address)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("--ui=%s could be reached from other machines: give an address of this one alone, such as --ui=127.0.0.1:%s", address, port)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("--ui=%s: the port is taken: give another one, or --ui alone for any that is free", address)
	}
	if err != nil {
		return nil, fmt.Errorf("--ui=%s: cannot listen there: %w", address, err)
	}
	return listener, nil
}

// watch lets the page, too, see the progress of the search.
func (u *ui) watch(line func(search.Progress)) func(search.Progress) {
	if u == nil {
		return line
	}
	return func(p search.Progress) {
		line(p)
		u.Show(p)
	}
}

// searched shows that the search has ended, and that what it has found is made smaller.
func (u *ui) searched(found *search.Report, failed error) {
	if u != nil {
		u.ShowReport(report.Shrinking, found, failed)
	}
}

// ended shows what all came to.
func (u *ui) ended(found *search.Report, failed error) {
	if u != nil {
		u.ShowReport(report.Ended, found, failed)
	}
}

// stay goes on serving until ctx is done, if somebody is there to read the page and to end that: standard error, where it is said, is a
// terminal, and this is not CI, some of which have one.
func (u *ui) stay(ctx context.Context) {
	if u == nil || ctx.Err() != nil || os.Getenv("CI") != "" {
		return
	}
	if f, ok := u.out.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return
	}
	fmt.Fprintf(u.out, "the live page stays until Ctrl-C: %s\n", u.URL)
	<-ctx.Done()
}

// close ends the serving.
func (u *ui) close() {
	if u != nil {
		u.Close()
	}
}
