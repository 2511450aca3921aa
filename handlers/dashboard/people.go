package dashboard

import (
	"context"
	"slices"
	"strings"

	"github.com/hookd/hookd/storage"
)

const (
	maxPeople = 100    // listed
	maxScan   = 20_000 // looked through
)

// unusable are the states of a credential that keep hookd from acting for its
// user, with what they mean.
var unusable = map[string]string{
	"missing":  "hookd has none of him",
	"rejected": "the CI server refuses the one hookd has",
}

// peopleView is whom hookd cannot act for.
type peopleView struct {
	Rows []personRow
	More bool // there may be others: not everybody was looked at
	// Linkable tells whether they may hand over their tokens themselves.
	Linkable bool
}

type personRow struct {
	Provider, Login   string
	Repos             int
	Credential, Means string
}

func (p *page) people(ctx context.Context, _ filter, v *overview) error {
	v.People.Linkable = len(p.Linkings) > 0
	scanned := 0
	for cursor := ""; ; {
		rows, next, err := p.Catalogue.Users(ctx, storage.UserQuery{}, cursor, 500)
		if err != nil {
			return err
		}
		for _, u := range rows {
			state := p.Credential(u.Provider, u.User.Login)
			means, bad := unusable[state]
			if !bad || !slices.Contains(p.Providers, u.Provider) {
				continue
			}
			if at := p.MustLogIn(u.Provider, u.User.Login); len(at) > 0 {
				means = "he must log in once to " + strings.Join(at, ", ")
			}
			if len(v.People.Rows) == maxPeople {
				v.People.More = true
				return nil
			}
			v.People.Rows = append(v.People.Rows, personRow{
				Provider: clip(u.Provider), Login: clip(u.User.Login), Repos: u.Repos, Credential: state, Means: means,
			})
		}
		scanned += len(rows)
		if next == "" {
			return nil
		}
		if scanned >= maxScan {
			v.People.More = true
			return nil
		}
		cursor = next
	}
}
