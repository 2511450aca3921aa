package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hookd/hookd/handlers/dashboard"
	"github.com/hookd/hookd/syncqueue/target"
)

// linkings are the targets whose users may hand over their tokens on the page.
func (d *desk) linkings() []dashboard.Linking {
	var all []dashboard.Linking
	for _, t := range d.targets {
		l, ok := t.driver.(target.Linker)
		if !ok || !t.cfg.Link {
			continue
		}
		all = append(all, dashboard.Linking{
			Target: t.cfg.Name, URL: strings.TrimRight(t.cfg.URL, "/") + "/account",
			Link:   refusing(l.Link),
			Unlink: refusing(l.Unlink),
		})
	}
	return all
}

// refusing says what the page has words for.
func refusing(do func(context.Context, string) (string, error)) func(context.Context, string) (string, error) {
	return func(ctx context.Context, token string) (string, error) {
		login, err := do(ctx, token)
		switch {
		case errors.Is(err, target.ErrRejected):
			err = fmt.Errorf("%w: %w", dashboard.ErrTokenRefused, err)
		case errors.Is(err, target.ErrNoCredential):
			err = fmt.Errorf("%w: %w", dashboard.ErrNothingLinked, err)
		}
		return login, err
	}
}
