package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// target checks one CI server: whether it answers, whether it can be read back,
// and for whom hookd can act there.
func (d *doctor) target(ctx context.Context, t *targetConfig) {
	transport := newTransport()
	defer transport.CloseIdleConnections()
	kept, err := d.cfg.keeps(t, false)
	if err != nil {
		d.say(levelFail, "target", t.Name, "give users.key_file of target "+t.Name+" the key that sealed the tokens, as a further line", "%v", err)
		return
	}
	driver, err := newTarget(t, kept, d.cfg.Sync.Guard, transport, func(int) {}, slog.New(slog.DiscardHandler))
	if err != nil {
		d.say(levelFail, "target", t.Name, "hookd config check", "%v", err)
		return
	}
	if c, ok := driver.(io.Closer); ok {
		defer c.Close()
	}
	version, err := asked(ctx, driver.Probe)
	if err != nil {
		d.say(levelFail, "target", t.Name, "see whether "+addressOf(t)+" of target "+t.Name+" is right, and reachable from here", "%v", err)
		return
	}
	text := strings.TrimSpace(t.Kind + " " + version)
	if t.URL != "" {
		text += " at " + t.URL
	}
	if t.Mode == "database" {
		text = t.Kind + "'s database: " + version
	}
	d.say(levelOK, "target", t.Name, "", "%s", text)
	d.events(t)
	d.stale(ctx, t)
	roster, ok := driver.(target.Roster)
	if !ok {
		return
	}
	if t.Mode == "database" {
		accounts, err := asked(ctx, roster.Accounts)
		if err != nil {
			d.say(levelFail, "users", t.Name+"/users", "let hookd's user of the database read and write repos and perms, and read users and migrations", "%v", err)
			return
		}
		d.say(levelOK, "users", t.Name+"/users", "", "%s, who need no credential", count(len(peopleAmong(accounts)), "active person", "active people"))
		if t.URL == "" {
			d.say(levelWarn, "strangers", t.Name+"/strangers", "set url of target "+t.Name, "what becomes private is closed in the database, but nobody asks Drone as a stranger whether it shows")
		}
		return
	}
	subject := t.Name + "/admin token"
	if t.Token == "" {
		lack := "none: hookd can neither list who is there, nor read back what others see, nor close to strangers what becomes private"
		if _, ok := driver.(target.Scout); ok {
			lack = "none: hookd can neither list who is there nor tell which repositories are active, so what is not takes minutes to be called hidden"
		}
		d.say(levelWarn, "admin token", subject, "set token_file of target "+t.Name+" to the token of an administrator there", "%s", lack)
	} else if accounts, err := asked(ctx, roster.Accounts); err != nil {
		d.say(levelFail, "admin token", subject, "put the token of an administrator there into token_file of target "+t.Name, "%v", err)
	} else {
		people := peopleAmong(accounts)
		d.say(levelOK, "admin token", subject, "", "an administrator's; %s", count(len(people), "active person", "active people"))
		d.session(ctx, t, driver, people)
		d.absent(t, driver, people)
		d.credentials(ctx, t, driver, people)
		return
	}
	d.credentials(ctx, t, driver, nil)
}

// events tells how hookd hears of who logs in for the first time.
func (d *doctor) events(t *targetConfig) {
	if t.Kind != "drone" {
		return
	}
	subject := t.Name + "/events"
	switch {
	case t.Events != "" && d.cfg.PublicURL == "":
		d.say(levelWarn, "events", subject, "set public_url, and DRONE_WEBHOOK_ENDPOINT to what this line then says", "listened to at an address that is not known here")
	case t.Events != "":
		d.say(levelOK, "events", subject, "", "listened to at %s: DRONE_WEBHOOK_ENDPOINT, with events_secret as DRONE_WEBHOOK_SECRET", announceURL(d.cfg.PublicURL, t.Name))
	case t.Token == "" && t.Mode != "database":
		d.say(levelWarn, "events", subject, "set token_file or events_secret_file of target "+t.Name, "nobody tells hookd who logs in for the first time")
	default:
		d.say(levelOK, "events", subject, "", "not listened to: who logs in for the first time is noticed within %s, by listing the users", rosterEvery)
	}
}

// announceURL is where a CI server announces its users.
func announceURL(public, target string) string {
	return strings.TrimRight(public, "/") + "/targets/" + url.PathEscape(target) + "/events"
}

func peopleAmong(accounts []target.Account) []target.Account {
	return slices.DeleteFunc(slices.Clone(accounts), func(a target.Account) bool { return a.Machine || !a.Active })
}

// addressOf names the setting by which a target is reached.
func addressOf(t *targetConfig) string {
	if t.Mode == "database" {
		return "users.database_url_file"
	}
	return "url"
}

// credentials names the people that hookd cannot act for. What was refused is
// known only to a running hookd, which tried. An administrator without a token
// counts only where hookd knows him as a user of the forge: the account may be
// there for nothing but to administer.
func (d *doctor) credentials(ctx context.Context, t *targetConfig, driver target.Target, people []target.Account) {
	keys, ok := driver.(target.Keyring)
	if !ok {
		return
	}
	subject := t.Name + "/credentials"
	bad := map[string]target.Credential{}
	judged := map[string]bool{}
	for _, a := range people {
		c := keys.Credential(a.Login)
		if a.Admin && c == target.CredentialMissing {
			continue
		}
		judged[a.Login] = true
		if c == target.CredentialMissing || c == target.CredentialRejected {
			bad[a.Login] = c
		}
	}
	if d.live != nil {
		for _, state := range []target.Credential{target.CredentialMissing, target.CredentialRejected} {
			p, err := d.live.list(ctx, "/api/v1/users", url.Values{"provider": {t.Provider}, "credential": {string(state)}}, pageSize)
			if err != nil {
				d.say(levelWarn, "credentials", subject, "hookd users list --credential "+string(state), "cannot be read: %v", err)
				return
			}
			for _, raw := range p.Items {
				var u struct {
					Login string `json:"login"`
				}
				if json.Unmarshal(raw, &u) == nil && (people == nil || isAmong(u.Login, people)) {
					bad[u.Login], judged[u.Login] = state, true
				}
			}
		}
	}
	if len(bad) == 0 {
		switch {
		case len(judged) > 0:
			d.say(levelOK, "credentials", subject, "", "all %d have %s", len(judged), t.has())
		case people == nil && d.live == nil:
			d.say(levelWarn, "credentials", subject, "set token_file of target "+t.Name+", or start hookd", "who is there is not known")
		default:
			d.say(levelOK, "credentials", subject, "", "nobody lacks one")
		}
		return
	}
	var names []string
	for login, c := range bad {
		name := login
		if c == target.CredentialRejected {
			name += " (rejected)"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	text := some(names)
	of := ""
	if people != nil {
		of = fmt.Sprintf(" of %d", len(judged))
	}
	d.say(levelFail, "credentials", subject,
		t.give("http://"+d.cfg.AdminListen),
		"%d%s without a usable credential: %s", len(bad), of, text)
}

func isAmong(login string, people []target.Account) bool {
	return slices.ContainsFunc(people, func(a target.Account) bool { return providers.Fold(a.Login) == providers.Fold(login) })
}
