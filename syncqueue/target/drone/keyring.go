package drone

import (
	"context"
	"fmt"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// every is how often Watch reads the token directory. Polling sees what file
// notification misses: links that are switched, network mounts.
const every = 2 * time.Second

// Credential tells the state of a user's token without asking Drone.
func (t *Target) Credential(login string) target.Credential { return t.keys.credential(login) }

// Watch calls changed for each login whose token file appeared or has a new
// content, until ctx is done, and returns ctx's error. The files it finds at
// first count as new: somebody may have put them there while nobody watched.
func (t *Target) Watch(ctx context.Context, changed func(login string)) error {
	seen := map[string]digest{}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		t.keys.scan()
		for _, login := range t.keys.since(seen) {
			changed(login)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// refused turns a 401 on a user's token into its meaning. Drone answers 401 to
// everybody while its database does not answer, so the administrator's token
// is the witness; without one the rejection is believed for ten minutes.
func (t *Target) refused(ctx context.Context, login, token string) error {
	if t.cfg.AdminToken == "" {
		t.keys.judge(login, token, verdict{until: t.cfg.Now().Add(doubt)})
		return target.ErrRejected
	}
	if _, err := t.account(ctx, "/api/user", t.cfg.AdminToken); err != nil {
		return fmt.Errorf("it refuses this user's token, and the administrator's too: %w", err)
	}
	t.keys.judge(login, token, verdict{})
	return target.ErrRejected
}

// whoami asks Drone whose token this is. A token that somebody put into the
// wrong file would synchronize one user and be read as another.
func (t *Target) whoami(ctx context.Context, login, token string) (account, error) {
	a, err := t.account(ctx, "/api/user", token)
	switch {
	case err != nil:
		return a, t.userError(ctx, login, token, err)
	case providers.Fold(a.Login) != providers.Fold(login):
		t.keys.judge(login, token, verdict{})
		return a, fmt.Errorf("%w: the token in this user's file belongs to somebody else", target.ErrRejected)
	}
	t.keys.judge(login, token, verdict{ok: true})
	return a, nil
}
