package handlers

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

// TestDawdlersMakeRoom: connections that say nothing, half a header or half a
// body never keep anybody from being served.
func TestDawdlersMakeRoom(t *testing.T) {
	h := Public(Intake{Sources: func() map[string]Source { return nil }, Now: time.Now})
	srv := httptest.NewUnstartedServer(h)
	srv.Config = NewServer("", h, slog.New(slog.DiscardHandler))
	c := &crowd{limit: 8}
	srv.Config.ConnState = c.watch
	srv.Start()
	defer srv.Close()
	addr := srv.Listener.Addr().String()
	var first net.Conn
	for i := range 40 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if first == nil {
			first = conn
		}
		io.WriteString(conn, []string{"", "POST /hooks/a HTTP/1.1\r\nX-", "POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1"}[i%3])
		resp, err := http.Get("http://" + addr + "/livez")
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("after %d dawdlers: %v %v", i+1, resp, err)
		}
		resp.Body.Close()
	}
	c.mu.Lock()
	n := c.order.Len()
	c.mu.Unlock()
	if n > 8 {
		t.Errorf("%d connections are kept", n)
	}
	first.SetReadDeadline(time.Now().Add(2 * time.Second))
	if _, err := first.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the first dawdler is still there: %v", err)
	}
}

func TestWhoIsServedStays(t *testing.T) {
	c := &crowd{limit: 3}
	var conns []net.Conn
	for range 6 {
		conn, other := net.Pipe()
		defer conn.Close()
		defer other.Close()
		conns = append(conns, conn)
	}
	note := func(i int, state http.ConnState, want net.Conn) {
		t.Helper()
		if gone := c.note(conns[i], state); gone != want {
			t.Errorf("connection %d, %v: another one went", i, state)
		}
	}
	note(0, http.StateNew, nil)
	note(1, http.StateNew, nil)
	note(2, http.StateNew, nil)
	note(0, http.StateActive, nil)
	note(3, http.StateNew, conns[1])
	note(2, http.StateIdle, nil)
	note(4, http.StateNew, conns[0])
	note(1, http.StateClosed, nil) // long gone
	note(1, http.StateActive, nil) // its handler had not noticed yet
	note(3, http.StateClosed, nil)
	note(5, http.StateNew, nil)
	if n := len(c.at); n != 3 || c.order.Len() != 3 {
		t.Errorf("%d and %d are kept", n, c.order.Len())
	}
}
