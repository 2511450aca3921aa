package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/hookd/hookd/syncqueue/target"
)

// has says what those people have whom hookd can act as in a target, after "all
// N have".
func (t *targetConfig) has() string {
	switch {
	case t.Session != "":
		return "one by the session secret"
	case t.KeyFile == "":
		return "a token file in " + t.TokenDir
	case t.TokenDir == "":
		return "a token that hookd keeps"
	}
	return "a token file in " + t.TokenDir + ", or a token that hookd keeps"
}

// give says how somebody gets what hookd needs to act as him.
func (t *targetConfig) give(admin string) string {
	var ways []string
	if t.Link {
		ways = append(ways, "let each link his own token at "+strings.TrimRight(admin, "/")+"/link")
	}
	if t.TokenDir != "" {
		ways = append(ways, "put each one's own token from the CI server's user settings into a file named for the login in "+t.TokenDir)
	}
	switch {
	case t.Session != "":
		return "who must log in does so once; users.session_allow_admins: true, for administrators who work there, too"
	case len(ways) == 0:
		return "set users.link of target " + t.Name + ": true, and let each link his own token"
	}
	return strings.Join(ways, "; or ")
}

// session tries whether the CI server takes the session secret, as somebody who
// is no administrator.
func (d *doctor) session(ctx context.Context, t *targetConfig, driver target.Target, people []target.Account) {
	taker, ok := driver.(interface {
		Try(ctx context.Context, login string) error
	})
	if t.Session == "" || !ok {
		return
	}
	subject := t.Name + "/session secret"
	for _, a := range people {
		if a.Admin {
			continue
		}
		_, err := asked(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, taker.Try(ctx, a.Login) })
		if err != nil {
			d.say(levelFail, "session secret", subject, "put Drone's DRONE_COOKIE_SECRET into users.session_secret_file of target "+t.Name, "%v", err)
		} else {
			d.say(levelOK, "session secret", subject, "", "taken: tried as %s, whose account was read by it", a.Login)
		}
		return
	}
	d.say(levelWarn, "session secret", subject, "run this again when somebody else has logged in", "nobody but administrators is there to try it as")
}

// absent names who must log in before hookd can act as him.
func (d *doctor) absent(t *targetConfig, driver target.Target, people []target.Account) {
	w, ok := driver.(target.LoginWatcher)
	if !ok {
		return
	}
	var logins []string
	for _, a := range people {
		if w.MustLogIn(a.Login) {
			logins = append(logins, a.Login)
		}
	}
	if len(logins) > 0 {
		d.say(levelWarn, "logins", t.Name+"/logins", "they log in once to "+t.Name,
			"%s that never logged in: %s", count(len(logins), "account", "accounts"), some(logins))
	}
}

// some names the first of many.
func some(names []string) string {
	text := strings.Join(names[:min(len(names), 10)], ", ")
	if more := len(names) - 10; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
