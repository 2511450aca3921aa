package targettest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// loopback is a simulated CI server's place on the network, and what goes wrong
// there.
type loopback struct {
	URL string // web root

	handler http.Handler
	real    http.Handler // the same without faults
	words   words
	addr    string
	serve   context.Context // ends with Close: hangs and background work go with it
	stop    context.CancelFunc
	work    sync.WaitGroup

	state  sync.Mutex
	server *http.Server
	fault  fault
	calls  int
	struck int // of them, by the fault in force
}

// start serves h on a free port of 127.0.0.1. Like httptest's servers it panics
// when there is none.
func (l *loopback) start(h http.Handler, own words) {
	l.words, l.real, l.addr = own, h, "127.0.0.1:0"
	l.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !l.strike(w, r) {
			h.ServeHTTP(w, r)
		}
	})
	l.serve, l.stop = context.WithCancel(context.Background())
	if err := l.listen(); err != nil {
		panic(fmt.Sprintf("targettest: no port on loopback: %v", err))
	}
	l.URL = "http://" + l.addr
}

func (l *loopback) listen() error {
	at, err := net.Listen("tcp", l.addr)
	if err != nil {
		return err
	}
	l.addr = at.Addr().String()
	l.server = &http.Server{Handler: l.handler, ReadHeaderTimeout: 10 * time.Second}
	srv := l.server
	l.work.Go(func() { _ = srv.Serve(at) }) // ends with the server's Close
	return nil
}

// Close stops the server and its work.
func (l *loopback) Close() {
	l.stop()
	l.state.Lock()
	srv := l.server
	l.state.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = srv.Shutdown(ctx) // lets handlers end first: they may start background work
	_ = srv.Close()
	l.work.Wait()
}

// Calls counts the requests that the server received.
func (l *loopback) Calls() int {
	l.state.Lock()
	defer l.state.Unlock()
	return l.calls
}
