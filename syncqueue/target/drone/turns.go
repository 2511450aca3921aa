package drone

import (
	"context"
	"sync"
)

// turns lets one caller at a time act as a login. The queue sees to it that a
// user has one publish job; an operator's request and a second provider with
// the same login do not go through that.
type turns struct {
	mu      sync.Mutex
	byLogin map[string]*turn
}

type turn struct {
	free    chan struct{} // holds one token while nobody acts
	waiting int           // callers that hold or want the turn
}

// take waits for the turn of a folded login, or for ctx. done gives it back.
func (t *turns) take(ctx context.Context, login string) (done func(), err error) {
	t.mu.Lock()
	x := t.byLogin[login]
	if x == nil {
		x = &turn{free: make(chan struct{}, 1)}
		x.free <- struct{}{}
		t.byLogin[login] = x
	}
	x.waiting++
	t.mu.Unlock()

	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if x.waiting--; x.waiting == 0 {
			delete(t.byLogin, login)
		}
	}
	select {
	case <-x.free:
		return func() { x.free <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
