package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// soon is how long before its end a token is warned about.
const soon = 14 * day

// provider checks one forge: whether it answers, to whom, what that one sees,
// and how it hears of changes. Once the forge does not answer or refuses the
// token, all else would fail in the same way.
func (d *doctor) provider(ctx context.Context, p *providerConfig) {
	transport := newTransport()
	defer transport.CloseIdleConnections()
	forge, err := newForge(p, providers.NewOrgSet(p.Orgs...), transport, nil)
	if err != nil {
		d.say(levelFail, "provider", p.Name, "correct provider "+p.Name+", then: hookd config check", "%v", err)
		return
	}
	if !d.answers(ctx, p, forge) || !d.identity(ctx, p, forge) {
		return
	}
	orgs := d.orgs(ctx, p, forge)
	d.sees(ctx, p, forge, orgs)
	place := d.webhooks(ctx, p, forge)
	d.deliveries(ctx, p)
	d.blindSpots(p, place)
}

// asked calls ask with a bound on its time.
func asked[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return ask(ctx)
}

func (d *doctor) answers(ctx context.Context, p *providerConfig, forge providers.Forge) bool {
	prober, ok := forge.(providers.Prober)
	if !ok {
		return true
	}
	start := time.Now()
	version, err := asked(ctx, prober.Probe)
	if err != nil {
		d.say(levelFail, "provider", p.Name, fixFor(p, err), "%v", err)
		return false
	}
	if version == "github.com" {
		version = "" // it has none
	}
	d.say(levelOK, "provider", p.Name, "", "%s at %s, answers in %s", strings.TrimSpace(p.Kind+" "+version), cmp.Or(p.URL, p.Kind+".com"), time.Since(start).Round(time.Millisecond))
	return true
}

func (d *doctor) identity(ctx context.Context, p *providerConfig, forge providers.Forge) bool {
	identifier, ok := forge.(providers.Identifier)
	if !ok {
		return true
	}
	subject := p.Name + "/token"
	if p.Token == "" && !p.App.set() {
		d.say(levelFail, "token", subject, "set token_file of provider "+p.Name, "none: deliveries are kept, and nobody can be asked what they mean")
		return false
	}
	who, err := asked(ctx, identifier.Identify)
	if err != nil {
		d.say(levelFail, "token", subject, fixFor(p, err), "%v", err)
		return false
	}
	text := "of " + who.Login
	if who.Admin {
		text += ", an administrator"
	}
	if len(who.Scopes) > 0 {
		text += "; scopes " + strings.Join(who.Scopes, ", ")
	}
	left := who.Expires.Sub(d.now)
	switch {
	case len(who.Lacks) > 0 && p.Kind != "github":
		// What works without is a smaller hookd, not a broken one.
		d.say(levelWarn, "token", subject, "give it what it lacks", "%s; lacks %s", text, strings.Join(who.Lacks, ", "))
	case len(who.Lacks) > 0:
		d.say(levelFail, "token", subject, "give it what it lacks", "%s; lacks %s", text, strings.Join(who.Lacks, ", "))
	case !who.Expires.IsZero() && left < soon:
		d.say(levelWarn, "token", subject, "make a new one in time: it is read again at SIGHUP", "%s; expires on %s", text, who.Expires.Format(time.DateOnly))
	case !who.Expires.IsZero():
		d.say(levelOK, "token", subject, "", "%s; expires on %s", text, who.Expires.Format(time.DateOnly))
	default:
		d.say(levelOK, "token", subject, "", "%s", text)
	}
	return true
}

// orgs finds the configured organizations.
func (d *doctor) orgs(ctx context.Context, p *providerConfig, forge providers.Forge) []providers.Org {
	var found []providers.Org
	var names []string
	for _, name := range p.Orgs {
		if name == "*" {
			d.say(levelOK, "organizations", p.Name+"/orgs", "", "all of the forge are followed")
			continue
		}
		o, err := asked(ctx, func(ctx context.Context) (providers.Org, error) { return forge.Org(ctx, name) })
		if err != nil {
			fix := fixFor(p, err)
			if errors.Is(err, providers.ErrNotFound) {
				fix = "correct orgs of provider " + p.Name + ", or let its token see the organization"
			}
			d.say(levelFail, "organizations", p.Name+"/"+name, fix, "%v", err)
			continue
		}
		found, names = append(found, o), append(names, o.Name)
	}
	if len(found) > 0 {
		d.say(levelOK, "organizations", p.Name+"/orgs", "", "%s", strings.Join(names, ", "))
	}
	return found
}

// sees checks that a 404 of the forge means that something is not there.
func (d *doctor) sees(ctx context.Context, p *providerConfig, forge providers.Forge, orgs []providers.Org) {
	prover, ok := forge.(providers.Prover)
	if !ok {
		return
	}
	for _, o := range orgs {
		_, err := asked(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, prover.Prove(ctx, o) })
		if err != nil {
			d.say(levelFail, "sight", p.Name+"/"+o.Name, "use the token of somebody who sees all of "+o.Name+": until then nothing is taken from anybody because of a 404", "%v", err)
		}
	}
}

// webhooks returns the type of webhook that was found, "" if none was.
func (d *doctor) webhooks(ctx context.Context, p *providerConfig, forge providers.Forge) providers.HookType {
	if d.cfg.PublicURL == "" {
		return ""
	}
	k := newHookKeeper(p, forge, d.cfg.PublicURL)
	if k == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, hookPatience)
	defer cancel()
	_, rows := k.surveyed(ctx, choice{})
	var place providers.HookType
	for _, r := range rows {
		if r.place == "" && strings.HasPrefix(r.Error, "organization ") {
			continue // was told before
		}
		d.add(r.finding(d.now))
		if r.ID != "" {
			place = r.Place
		}
	}
	return place
}

// deliveries tells whether the forge reaches a running hookd, and with which
// secret it signs.
func (d *doctor) deliveries(ctx context.Context, p *providerConfig) {
	if d.live == nil {
		return
	}
	subject := p.Name + "/deliveries"
	last, err := d.live.list(ctx, "/api/v1/deliveries", url.Values{"provider": {p.Name}}, 1)
	if err != nil {
		d.say(levelWarn, "deliveries", subject, "hookd deliveries list --provider "+p.Name, "cannot be read: %v", err)
		return
	}
	if len(last.Items) == 0 {
		d.say(levelWarn, "deliveries", subject, "see whether the forge reaches "+cmp.Or(d.cfg.PublicURL, "hookd")+", and what its own page about the webhook says", "none ever arrived")
		return
	}
	var newest struct {
		Event    string    `json:"event"`
		Received time.Time `json:"received_at"`
		Secret   int       `json:"secret"`
	}
	if err := json.Unmarshal(last.Items[0], &newest); err != nil {
		d.say(levelWarn, "deliveries", subject, "", "the answer is not hookd's: %v", err)
		return
	}
	if n := len(p.Hooks); n > 1 && newest.Secret > 1 {
		d.say(levelWarn, "deliveries", subject, "hookd hooks install --provider "+p.Name, "the last, %s %s ago, was signed with secret %d of %d", newest.Event, age(newest.Received, d.now), newest.Secret, n)
		return
	}
	d.say(levelOK, "deliveries", subject, "", "the last, %s, came %s ago", newest.Event, age(newest.Received, d.now))
}

// blindSpots tells what no webhook announces, which is as it is: the forge's
// kind decides it.
func (d *doctor) blindSpots(p *providerConfig, place providers.HookType) {
	kind := coverage(p.Kind)
	c, _ := providers.CoverageOf(kind)
	if i := slices.IndexFunc(kind, func(c providers.Coverage) bool { return c.Hook == place }); i >= 0 {
		c = kind[i]
	}
	heard := map[string][]string{}
	var order []string
	for _, h := range c.Rows {
		within := ""
		switch {
		case h.By == providers.ByPoll && h.Poll == providers.PollRepos:
			within = "polled every " + formatDuration(p.Poll.Repos)
		case h.By == providers.ByPoll:
			within = "polled every " + formatDuration(p.Poll.Members)
		case h.By == providers.Reconciled:
			within = "reconciled within " + formatDuration(d.cfg.Sync.Reconcile)
		default:
			continue
		}
		if heard[within] == nil {
			order = append(order, within)
		}
		heard[within] = append(heard[within], strings.ReplaceAll(string(h.Change), "_", " "))
	}
	for _, within := range order {
		d.say(levelOK, "blind spots", p.Name+"/no event", "", "%s: %s", within, strings.Join(heard[within], ", "))
	}
}
