package keys

import (
	"context"
	"sync"

	"github.com/hookd/hookd/providers"
)

// Turns lets one caller at a time act as a login. The queue sees to it that a
// user has one publish job; an operator's request and a second provider with
// the same login do not go through that. The zero value is ready to use.
type Turns struct {
	mu      sync.Mutex
	byLogin map[string]*turn
}

type turn struct {
	free    chan struct{} // holds one token while nobody acts
	waiting int           // callers that hold or want the turn
}

// Take waits for the turn of a login, or for ctx. done gives it back.
func (t *Turns) Take(ctx context.Context, login string) (done func(), err error) {
	login = providers.Fold(login)
	t.mu.Lock()
	if t.byLogin == nil {
		t.byLogin = map[string]*turn{}
	}
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
