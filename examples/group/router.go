package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	stdnet "net"

	"github.com/heddle-go/heddle/agent/protocol"
	"github.com/heddle-go/heddle/clock"
	"github.com/heddle-go/heddle/examples/group/loopback"
	"github.com/heddle-go/heddle/models/router"
	"github.com/heddle-go/heddle/net"
	"github.com/heddle-go/heddle/sched"
)

func routerCommand(ctx context.Context, flags *flag.FlagSet, arguments []string, out, _ io.Writer) error {
	listen := flags.String("listen", "127.0.0.1:0", "the `address` at which it is to be found; port 0: any that is free")
	if err := parse(flags, arguments, "listen"); err != nil {
		return err
	}
	r, err := serveRouter(*listen)
	if err != nil {
		return err
	}
	defer r.close()
	fmt.Fprintln(out, r.name)
	<-ctx.Done()
	return nil
}

// servedRouter is a router on TCP. It does nothing wrong.
type servedRouter struct {
	name   protocol.Router
	router *router.Router
	local  *net.Local[[]protocol.Request, []protocol.Response]
	server *loopback.Server[[]protocol.Request, []protocol.Response]
}

func serveRouter(listen string) (*servedRouter, error) {
	listener, err := stdnet.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	host, port, err := stdnet.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, err
	}
	name := protocol.Router{KeyHash: "loopback", Hosts: host, Port: port}
	local := net.NewLocal[[]protocol.Request, []protocol.Response](sched.Goroutines())
	r := router.New(router.Options{Name: port, Env: router.LocalEnv(local, name.Address(), clock.Wall()), Mailboxes: true})
	if err := local.Listen(name.Address(), r); err != nil {
		return nil, err
	}
	return &servedRouter{name, r, local, loopback.Serve(listener, local)}, nil
}

func (r *servedRouter) close() {
	r.server.Close()
	r.local.Close()
}

// mailboxes are the queues that are there.
func (r *servedRouter) mailboxes() (list []router.Mailbox) {
	done := make(chan struct{})
	r.local.Do(r.name.Address(), func() {
		defer close(done)
		r.router.EachMailbox(func(m router.Mailbox) { list = append(list, m) })
	})
	<-done
	return list
}
