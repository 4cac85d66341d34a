// Package loopback carries sessions between processes of one machine over TCP: what package net's in-process network offers in one process, a Server of it
// offers to the others, whose Dialer is a net.Dialer. There is no TLS: it is for a loopback interface.
//
// A connection is a stream of gob values each way. The dialler says hello, with the address that it wants and its credential, and the server welcome,
// with what the acceptor has granted, or why not. From then on each value is a transmission.
package loopback

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/heddle-go/heddle/net"
)

// hello is what a dialler says first.
type hello struct {
	To         net.Address
	Credential string
}

// welcome is how it is answered: with a session, or with why there is none.
type welcome struct {
	Session net.Session
	Refused string // by the acceptor, for good
	Failed  string // before it was asked, or by its network
}

// linger is how long an end of a connection that was closed waits for the other end to take what was sent, and to close too.
const linger = 2 * time.Second

// window is how many transmissions wait for Receive before no more are read.
const window = 256

// Dialer dials Servers. An address is host:port, or name@host:port: what is to be found there is what listens at the whole of it.
type Dialer[Out, In any] struct{}

// Dial implements net.Dialer.
func (Dialer[Out, In]) Dial(ctx context.Context, to net.Address, credential string) (net.Conn[Out, In], error) {
	_, place, named := strings.Cut(string(to), "@")
	if !named {
		place = string(to)
	}
	var dialer stdnet.Dialer
	stream, err := dialer.DialContext(ctx, "tcp", place)
	switch {
	case ctx.Err() != nil:
		if err == nil {
			_ = stream.Close()
		}
		return nil, ctx.Err()
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("dial %q: %w: %w", to, net.ErrRefused, err)
	case err != nil:
		return nil, fmt.Errorf("dial %q: %w: %w", to, net.ErrUnreachable, err)
	}
	c := &conn[Out, In]{
		stream: stream.(*stdnet.TCPConn), encoder: gob.NewEncoder(stream), decoder: gob.NewDecoder(stream),
		in: make(chan In, window), closed: make(chan struct{}),
	}
	var w welcome
	stop := context.AfterFunc(ctx, func() { _ = stream.Close() })
	err = c.encoder.Encode(hello{to, credential})
	if err == nil {
		err = c.decoder.Decode(&w)
	}
	switch {
	case !stop():
		return nil, ctx.Err()
	case err != nil:
		err = fmt.Errorf("dial %q: %w: %w", to, net.ErrReset, err)
	case w.Refused != "":
		err = fmt.Errorf("dial %q: %w: %s", to, net.ErrHandshake, w.Refused)
	case w.Failed != "":
		err = fmt.Errorf("dial %q: %w: %s", to, net.ErrRefused, w.Failed)
	default:
		c.session = w.Session
		go c.read()
		return c, nil
	}
	_ = stream.Close()
	return nil, err
}

// conn is the dialler's end of a connection.
type conn[Out, In any] struct {
	stream  *stdnet.TCPConn
	session net.Session
	decoder *gob.Decoder // of the goroutine that reads
	in      chan In      // closed when nothing more comes, for the reason failure
	failure error
	once    sync.Once
	closed  chan struct{} // by Close

	sending sync.Mutex
	encoder *gob.Encoder
}

// Session implements net.Conn.
func (c *conn[Out, In]) Session() net.Session { return c.session }

// read reads until the other end has closed. What comes after a Close of this end is dropped.
func (c *conn[Out, In]) read() {
	defer c.stream.Close()
	defer close(c.in)
	for {
		var in In
		if err := c.decoder.Decode(&in); err != nil {
			c.failure = ended(err)
			return
		}
		select {
		case c.in <- in:
		case <-c.closed:
		}
	}
}

// ended is the error of a stream as one of package net.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return net.ErrClosed
	}
	return fmt.Errorf("%w: %w", net.ErrReset, err)
}

// Send implements net.Conn. After an error nothing more can be sent: half of a transmission may be under way.
func (c *conn[Out, In]) Send(ctx context.Context, out Out) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	select {
	case <-c.closed:
		return net.ErrClosed
	default:
	}
	stop := context.AfterFunc(ctx, func() { _ = c.stream.Close() })
	err := c.encoder.Encode(out)
	if !stop() {
		return ctx.Err()
	}
	if err != nil {
		_ = c.stream.Close()
		return fmt.Errorf("%w: %w", net.ErrReset, err)
	}
	return nil
}

// Receive implements net.Conn.
func (c *conn[Out, In]) Receive() (in In, err error) {
	select {
	case <-c.closed:
		return in, net.ErrClosed
	default:
	}
	select {
	case in, open := <-c.in:
		if !open {
			return in, c.failure
		}
		return in, nil
	case <-c.closed:
		return in, net.ErrClosed
	}
}

// Close implements net.Conn. The goroutine that reads goes on until the other end has closed too, which it does behind what was sent: a stream that is
// closed with something unread in it is reset, and what was sent before is lost.
func (c *conn[Out, In]) Close() error {
	c.once.Do(func() {
		close(c.closed)
		_ = c.stream.SetDeadline(time.Now().Add(linger))
		_ = c.stream.CloseWrite()
	})
	return nil
}
