package loopback

import (
	"context"
	"encoding/gob"
	"errors"
	stdnet "net"
	"sync"
	"time"

	"github.com/heddle-go/heddle/net"
)

// Server lets other processes dial what a network of this process can.
type Server[Out, In any] struct {
	listener stdnet.Listener
	network  net.Dialer[Out, In]
	tasks    sync.WaitGroup
	ctx      context.Context // ends with Close
	end      context.CancelFunc
}

// Serve begins to accept connections. The server closes the listener.
func Serve[Out, In any](listener stdnet.Listener, network net.Dialer[Out, In]) *Server[Out, In] {
	s := &Server[Out, In]{listener: listener, network: network}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.tasks.Go(s.accept)
	return s
}

// Close ends all sessions, and answers when nothing of the server is left.
func (s *Server[Out, In]) Close() {
	s.end()
	_ = s.listener.Close()
	s.tasks.Wait()
}

func (s *Server[Out, In]) accept() {
	for {
		stream, err := s.listener.Accept()
		switch {
		case s.ctx.Err() != nil:
			if err == nil {
				_ = stream.Close()
			}
			return
		case err != nil: // too many open files, mostly
			time.Sleep(10 * time.Millisecond)
			continue
		}
		s.tasks.Go(func() { s.serve(stream.(*stdnet.TCPConn)) })
	}
}

// serve is one connection.
func (s *Server[Out, In]) serve(stream *stdnet.TCPConn) {
	defer stream.Close()
	defer context.AfterFunc(s.ctx, func() { _ = stream.Close() })()
	encoder, decoder := gob.NewEncoder(stream), gob.NewDecoder(stream)
	var h hello
	_ = stream.SetDeadline(time.Now().Add(linger))
	if decoder.Decode(&h) != nil {
		return
	}
	_ = stream.SetDeadline(time.Time{})
	session, err := s.network.Dial(s.ctx, h.To, h.Credential)
	switch {
	case errors.Is(err, net.ErrHandshake):
		_ = encoder.Encode(welcome{Refused: err.Error()})
		return
	case err != nil:
		_ = encoder.Encode(welcome{Failed: err.Error()})
		return
	}
	out := make(chan struct{})
	go func() {
		defer close(out)
		if encoder.Encode(welcome{Session: session.Session()}) != nil {
			_ = session.Close()
			return
		}
		send(stream, encoder, session)
	}()
	for {
		var block Out
		if decoder.Decode(&block) != nil || session.Send(s.ctx, block) != nil {
			break
		}
	}
	_ = session.Close()
	<-out
}

// send sends what the acceptor says until the session ends, and then waits for the dialler to close too, but not for long.
func send[Out, In any](stream *stdnet.TCPConn, encoder *gob.Encoder, session net.Conn[Out, In]) {
	for {
		block, err := session.Receive()
		if err == nil {
			err = encoder.Encode(block)
		}
		if err != nil {
			_ = session.Close()
			_ = stream.SetDeadline(time.Now().Add(linger))
			_ = stream.CloseWrite()
			return
		}
	}
}
