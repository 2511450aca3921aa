package handlers

import (
	"log/slog"
	"net/http"
	"time"
)

// The limits of both listeners. There is no ReadTimeout: bodies have a deadline
// of their own, since what suits a large one is far too long for a small one.
const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 60 * time.Second
	writeTimeout  = 60 * time.Second // of an answer; sync?wait asks for more
	maxHeader     = 16 << 10
)

// NewServer returns a server for a listener, with limits that hold against
// slow, greedy and many clients.
func NewServer(addr string, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		WriteTimeout:      writeTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnState:         (&crowd{limit: maxConns}).watch,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
