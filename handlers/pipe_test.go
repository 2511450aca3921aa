package handlers_test

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/hookd/hookd/handlers"
)

// connect serves h as a listener does, with its limits, on a connection in
// memory, which a test's clock can wait for, and returns the client's end.
func connect(t *testing.T, h http.Handler) net.Conn {
	t.Helper()
	server, client := net.Pipe()
	srv := handlers.NewServer("", h, slog.New(slog.DiscardHandler))
	l := &pipe{conn: server, closed: make(chan struct{})}
	var served sync.WaitGroup
	served.Go(func() { _ = srv.Serve(l) })
	t.Cleanup(func() {
		_ = client.Close()
		_ = srv.Close()
		served.Wait()
	})
	return client
}

// A pipe is a listener that accepts one connection.
type pipe struct {
	conn   net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipe) Accept() (net.Conn, error) {
	if c := p.conn; c != nil {
		p.conn = nil
		return c, nil
	}
	<-p.closed
	return nil, net.ErrClosed
}

func (p *pipe) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipe) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
