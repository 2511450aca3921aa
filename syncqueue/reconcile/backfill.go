package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// byBackfill is the cause of what a forge's delivery log gave rise to.
const byBackfill = "backfill"

// A Backfill is what a reading of a forge's own delivery log found for one
// organization. Its numbers are deliveries, however often each was tried.
type Backfill struct {
	Provider string
	Org      providers.Org
	Read     int    // in the log
	Known    int    // of these, journalled already
	Ignored  int    // of the rest, what cannot matter: by its name, or since it was taken before the journal begins
	Missed   int    // what never arrived and may matter
	Fetched  int    // of these, journalled now
	Lost     int    // of these, what the log does not hold either
	Note     string // why no log was read, or what it leaves open
	Logless  bool   // it is in the nature of this forge or webhook that there is no log to read
	Complete bool   // everything that was asked for was read, and all that was missed fetched
	Scope    bool   // the organization is read as a whole, as the log leaves something open
}

// Backfill reads the provider's delivery logs from a time on (zero: as far as
// they go), and fetches what never arrived through the intake. What it did before an error stays done, and
// doing it again does no harm.
func (e *Engine) Backfill(ctx context.Context, provider string, since time.Time) ([]Backfill, error) {
	p := e.providers[provider]
	if p == nil {
		return nil, fmt.Errorf("provider %q: %w", provider, providers.ErrNotFound)
	}
	orgs, err := e.orgs(ctx, p)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(orgs, func(a, b providers.Org) int { return compareNames(a.Name, b.Name) })
	all := []Backfill{}
	for _, org := range orgs {
		b, err := e.backfill(ctx, p, org, since)
		all = append(all, b)
		if err != nil {
			return all, fmt.Errorf("delivery log of %s on %s: %w", org.Name, p.Name, err)
		}
	}
	return all, nil
}

func (e *Engine) backfill(ctx context.Context, p *provider, org providers.Org, since time.Time) (Backfill, error) {
	b := Backfill{Provider: p.Name, Org: org}
	logs, absent, err := e.logs(ctx, p, org)
	if err != nil || absent.why != "" {
		b.Note, b.Logless = absent.why, absent.logless
		return b, err
	}
	now := e.cfg.Now()
	var gaps []string
	for _, l := range logs {
		r := reading{e: e, p: p, log: l, since: since}
		if err = r.read(ctx); err == nil {
			err = r.fetch(ctx, len(r.missed))
		}
		b.add(r)
		if err != nil {
			return b, err
		}
		if !r.reached && !since.IsZero() && since.Before(now.Add(-l.Kept)) {
			gaps = append(gaps, fmt.Sprintf("the log goes back %v only", l.Kept))
		}
		gaps = append(gaps, r.gaps()...)
	}
	b.Complete = true
	if len(gaps) > 0 {
		b.Note, b.Scope = joined(gaps), true
		_, err = e.cfg.Store.Enqueue(ctx, syncqueue.Cause{By: byBackfill, Why: b.Note, At: now}, syncqueue.ScopeJob(p.Name, org, now))
	}
	return b, err
}

func (b *Backfill) add(r reading) {
	b.Read += r.Read
	b.Known += r.Known
	b.Ignored += r.Ignored
	b.Missed += r.Missed
	b.Fetched += r.Fetched
	b.Lost += r.Lost
}

// absence is why there is no log to read, in words; zero if there is one.
type absence struct {
	why     string
	logless bool // by nature, and not for lack of rights or of a webhook
}

// logs finds the logs of the webhooks of org that send to us. That there is none,
// or that this token may not look, is no error.
func (e *Engine) logs(ctx context.Context, p *provider, org providers.Org) ([]providers.HookLog, absence, error) {
	none := func(logless bool, format string, args ...any) ([]providers.HookLog, absence, error) {
		return nil, absence{fmt.Sprintf(format, args...), logless}, nil
	}
	dl, ok := p.Forge.(providers.DeliveryLog)
	if !ok {
		return none(true, "this kind of forge has no delivery log that can be asked for")
	}
	logs, err := dl.DeliveryLogs(ctx, org, func(address string) bool { return providers.IsHookURL(address, p.Public, p.Name) })
	switch {
	case errors.Is(err, providers.ErrForbidden), errors.Is(err, providers.ErrNotFound):
		return none(false, "hookd's token may not read the webhooks of %s: %v", org.Name, err)
	case err != nil:
		return nil, absence{}, err
	case len(logs) == 0 && p.Public == "":
		return none(false, "no webhook of %s sends to /hooks/%s", org.Name, p.Name)
	case len(logs) == 0:
		return none(false, "no webhook of %s sends to %s", org.Name, providers.HookURL(p.Public, p.Name))
	case len(logs) > 1 && p.Public == "":
		return none(false, "%d webhooks of %s send to an address that ends with /hooks/%s: set public_url to tell which is this one's", len(logs), org.Name, p.Name)
	}
	for _, l := range logs {
		if l.Lacks != "" {
			return none(true, "%s", l.Lacks)
		}
	}
	return logs, absence{}, nil
}

// take lets a fetched attempt in, by the same decision as what the webhook
// brings, and reports whether it was new.
//
// Where the log shows the signature over the very bytes, it is checked and the
// secret noted. Where it does not (see providers.DeliveryLog) the delivery is
// taken on the forge's own word, given to hookd's token at the configured
// address, which is the word that decides who may see what as well; it is
// journalled as unsigned.
func (e *Engine) take(ctx context.Context, p *provider, a providers.Attempt) (bool, error) {
	secret, err := p.Hook.Verify(a.Header, a.Body)
	if err != nil {
		secret = providers.Unsigned
	}
	now := e.cfg.Now()
	d := syncqueue.Received(p.Name, p.Hook, a.Header, a.Body, a.Body, secret, now)
	d.GUID, d.Sent = a.GUID, a.At
	if d.Sent.IsZero() {
		d.Sent = now
	}
	entry, jobs, err := syncqueue.Decide(d, p.Hook, p.Orgs, e.cfg.Timing)
	if err != nil {
		e.cfg.Log.Warn("a delivery out of the forge's log cannot be read", "provider", p.Name, "delivery", d.ID, "event", a.Event, "err", err)
	}
	receipt, err := e.cfg.Store.Push(ctx, entry, jobs...)
	if err != nil || !receipt.Fresh {
		return false, err
	}
	e.cfg.Log.Debug("delivery fetched", "provider", p.Name, "delivery", d.ID, "event", entry.Event.Name, "result", entry.Result, "sent", d.Sent, "jobs", len(jobs))
	if e.cfg.Fetched != nil {
		e.cfg.Fetched(entry, len(jobs))
	}
	return true, nil
}
