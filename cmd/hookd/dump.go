package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// dumps writes the state of the server to its log at each SIGUSR1, until ctx
// is done or it drains: for those who have a terminal on its machine and no
// token.
func (s *server) dumps(ctx context.Context) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	go func() {
		defer signal.Stop(c)
		for {
			select {
			case <-ctx.Done():
				return
			case <-c:
				s.dump(ctx)
			}
		}
	}()
}

func (s *server) dump(ctx context.Context) {
	st, err := s.store.Stats(ctx)
	if err != nil {
		s.log.Error("state: the queue cannot be counted", "err", err)
		return
	}
	attrs := []any{"paused", st.Paused, "file_bytes", st.Bytes}
	for _, state := range syncqueue.States {
		if state != syncqueue.Done {
			attrs = append(attrs, string(state), st.Jobs[state])
		}
	}
	if !st.Oldest.IsZero() {
		attrs = append(attrs, "overdue", time.Since(st.Oldest).Round(time.Second))
	}
	s.log.Info("state of the queue", attrs...)
	for _, p := range s.desk.Providers(ctx) {
		attrs := []any{"provider", p.Name, "healthy", p.Healthy, "version", p.Version, "requests", p.Requests}
		if p.Rate != nil {
			attrs = append(attrs, "rate_remaining", p.Rate.Remaining)
		}
		if p.Error != "" {
			attrs = append(attrs, "err", p.Error)
		}
		s.log.Info("state of a provider", attrs...)
	}
	for _, t := range s.desk.Targets(ctx) {
		attrs := []any{"target", t.Name, "healthy", t.Healthy, "version", t.Version, "requests", t.Requests, "credentials", t.Credentials}
		if t.Error != "" {
			attrs = append(attrs, "err", t.Error)
		}
		s.log.Info("state of a target", attrs...)
	}
}
