package syncqueue

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hookd/hookd/providers"
)

// The functions of this file are the intake but for its transport: what a hook
// sent and what is fetched from a forge's own log go through the same ones.

// maxGUID is the longest delivery id that is kept as it is.
const maxGUID = 255

// Received makes a delivery of an authentic message: its header, the bytes that
// the forge signed, and the JSON document in them. Nothing secret is kept.
func Received(provider string, hook providers.Hook, h http.Header, raw, body []byte, secret int, now time.Time) providers.Delivery {
	return providers.Delivery{
		ID: NewID(now), Provider: provider, GUID: guid(hook.GUID(h), raw),
		Header: keptHeader(h), Body: body, Secret: secret, Received: now,
	}
}

// guid is the key of deduplication: the forge's delivery id, its digest if it is
// too long to keep, else the digest of the body.
func guid(id string, raw []byte) string {
	switch {
	case len(id) > maxGUID:
		raw = []byte(id)
	case id != "":
		return id
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Decide says what becomes of an authentic delivery whose body is valid JSON:
// what the journal keeps of it, and the jobs that look again at what it names.
// It is pure but for the ids it gives out.
//
// The error says why the payload cannot be read, for the log. The entry stands
// all the same, with the bytes: the forge has nothing to mend, and a refusal
// would make it give up on the hook.
func Decide(d providers.Delivery, hook providers.Hook, orgs *providers.OrgSet, t Timing) (Entry, []Job, error) {
	e := Entry{Delivery: d, Result: EntryIgnored}
	ev, err := parse(hook, d)
	e.Event = ev
	var ignored *providers.Ignored
	switch {
	case errors.As(err, &ignored):
		e.Reason = ignored.Reason
		if ignored.Ping {
			e.Result = EntryPing
		}
		return e, nil, nil
	case err != nil:
		e.Reason = "the payload cannot be read; its bytes are in the journal"
		return e, nil, err
	case ev.Effect == providers.EffectNone:
		e.Reason = "it changes nobody's list of repositories"
		return e, nil, nil
	case !ours(orgs, ev):
		e.Reason = fmt.Sprintf("organization %q is not configured for provider %s", ev.Org.Name, d.Provider)
		return e, nil, nil
	}
	jobs := JobsFor(d, ev, t, d.Received)
	if len(jobs) == 0 {
		e.Reason = "it names nothing whose access could have changed"
		return e, nil, nil
	}
	e.Result = EntryAccepted
	return e, jobs, nil
}

// parse is Hook.Parse with a panic turned into an error: a parser's fault must
// not lose a delivery.
func parse(hook providers.Hook, d providers.Delivery) (ev providers.Event, err error) {
	defer func() {
		if p := recover(); p != nil {
			ev, err = providers.Event{}, fmt.Errorf("panic: %v: %w", p, providers.ErrMalformed)
		}
	}()
	return hook.Parse(d)
}

// ours reports whether an event concerns an organization of the set: the one
// it happened in, or the one something was moved away from. What happens to a
// user account as such happens in none.
func ours(orgs *providers.OrgSet, ev providers.Event) bool {
	if ev.Org == (providers.Org{}) && ev.Effect == providers.EffectUser {
		return true
	}
	if orgs.Has(ev.Org) {
		return true
	}
	// What was moved has an owner in its path; an organization is its own.
	from := cmp.Or(providers.OwnerOf(ev.From), ev.From)
	return from != "" && orgs.Has(providers.Org{Name: from})
}
