package drone

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

// creatable is what Drone takes for a login (source: core/user.go:106).
var creatable = regexp.MustCompile(`^[.a-zA-Z0-9_-]{1,50}$`)

// provision makes an account for a user who has something to see and none yet,
// with a token that hookd makes up and keeps. It always returns an error that
// says what the user's job has to wait for: he still has to log in once, as only
// that gives Drone a session with the forge.
//
// The token is kept before Drone hears of it. After a crash in between the next
// attempt sends the same one, and whether Drone took it is seen when it is used
// first. A token that an account has is never replaced: Drone refuses a login
// that it knows.
func (t *Target) provision(ctx context.Context, login string) error {
	if !creatable.MatchString(login) {
		return fmt.Errorf("%w: and Drone allows no such login", target.ErrNoAccount)
	}
	kept, ok := t.kept.Of(login)
	switch {
	case !ok:
		kept = storage.Token{Login: login, Text: rand.Text(), Origin: storage.Provisioning, Since: t.cfg.Now()}
		if err := t.kept.Keep(kept); err != nil {
			return err
		}
	case kept.Origin != storage.Provisioning:
		return fmt.Errorf("%w any more: his account there was deleted, and hookd does not make it again", target.ErrNoAccount)
	}
	var who account
	err := t.client.do(ctx, http.MethodPost, "/api/users", t.admin(),
		map[string]string{"login": login, "token": kept.Text},
		func(d *json.Decoder) error { return d.Decode(&who) })
	var p *transport.Problem
	switch {
	case err == nil && providers.Fold(who.Login) != providers.Fold(login):
		return errors.Join(fmt.Errorf("%w: the account that was made there is called otherwise", target.ErrNoAccount), t.kept.Drop(login))
	case err == nil:
		kept.Origin = storage.Provisioned
		if err := t.kept.Keep(kept); err != nil {
			return err
		}
		t.logins.seen(who)
		t.cfg.Log.Info("audit", "user", login, "by", "provision", "what", "made an account with a token that hookd keeps")
		return fmt.Errorf("%w: hookd made his account there just now", target.ErrMustLogIn)
	case errors.As(err, &p) && p.Own && p.Status == http.StatusPaymentRequired:
		return errors.Join(fmt.Errorf("%w: Drone's licence allows no more (%s)", target.ErrNoAccount, p.Message), t.kept.Drop(login))
	}
	return fmt.Errorf("making an account: %w", err)
}
