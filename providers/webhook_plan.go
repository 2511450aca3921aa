package providers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// FlawKind is what can be wrong with a webhook of ours.
type FlawKind string

// The kinds of flaws.
const (
	FlawURL      FlawKind = "url"          // not exactly ours, so deliveries are answered 404
	FlawEvents   FlawKind = "events"       // some are missing
	FlawContent  FlawKind = "content_type" // not JSON
	FlawTLS      FlawKind = "tls"          // certificates are not verified
	FlawInactive FlawKind = "inactive"     // switched off by somebody
	FlawDisabled FlawKind = "disabled"     // switched off by the forge
	FlawSecret   FlawKind = "secret"       // none, or of another kind
	FlawFormat   FlawKind = "format"       // made for another kind of receiver
	FlawDouble   FlawKind = "double"       // another webhook sends the same
)

// A Flaw is one thing that is wrong with a webhook of ours, for people.
type Flaw struct {
	Kind FlawKind `json:"kind"`
	Text string   `json:"text"`
}

// Flaws compares a webhook of ours with what it has to be. No flaw does not
// prove that it has the right secret: no forge tells that.
func (p WebhookPlace) Flaws(w Webhook, want WebhookSpec) []Flaw {
	var flaws []Flaw
	add := func(k FlawKind, format string, args ...any) {
		flaws = append(flaws, Flaw{k, fmt.Sprintf(format, args...)})
	}
	if w.URL != want.URL() {
		add(FlawURL, "sends to %s, not to %s", w.URL, want.URL())
	}
	if missing := p.Missing(w); len(missing) > 0 {
		add(FlawEvents, "does not hear %s", strings.Join(missing, ", "))
	}
	if w.ContentType != "" && w.ContentType != "json" {
		add(FlawContent, "sends %s instead of json", w.ContentType)
	}
	if w.Insecure && strings.HasPrefix(Fold(want.Public), "https:") {
		add(FlawTLS, "does not verify the receiver's certificate")
	}
	if !w.Active {
		add(FlawInactive, "is switched off")
	}
	if w.Disabled != "" {
		add(FlawDisabled, "the forge stopped sending: %s", w.Disabled)
	}
	if w.Foreign != "" {
		add(FlawFormat, "%s", w.Foreign)
	}
	switch {
	case w.Secret == SecretNone:
		add(FlawSecret, "has no secret")
	case w.Secret == SecretSet && want.Signing:
		add(FlawSecret, "has a plain token, not a signing token")
	case w.Secret == SecretSigned && !want.Signing:
		add(FlawSecret, "has a signing token, not a plain one")
	}
	return flaws
}

// Missing lists the events of the place that a webhook does not hear.
func (p WebhookPlace) Missing(w Webhook) []string {
	var missing []string
	if !slices.Contains(w.Events, "*") {
		for _, e := range p.Events {
			if !slices.Contains(w.Events, e) {
				missing = append(missing, e)
			}
		}
	}
	return missing
}

// Outdated reports whether a webhook was made or, where that can change its
// secret, last changed before the newest secret came to be: then it most likely
// has another. It is no flaw, since a file may be written anew with what it
// held.
func (p WebhookPlace) Outdated(w Webhook, want WebhookSpec) bool {
	at := w.Created
	if !p.SecretOnce && w.Updated.After(at) {
		at = w.Updated
	}
	// Forges tell whole seconds.
	return want.Other || !at.IsZero() && !want.Since.IsZero() && at.Before(want.Since.Truncate(time.Second))
}

// Full lists the events of the place, beyond those that w hears already, that
// as many webhooks hear as may. Its zero value asks for a new one.
func (p WebhookPlace) Full(found []Webhook, w Webhook) []string {
	var full []string
	for _, e := range p.Missing(w) {
		n := 0
		for _, other := range found {
			if slices.Contains(other.Events, e) || slices.Contains(other.Events, "*") {
				n++
			}
		}
		if p.PerEvent > 0 && n >= p.PerEvent {
			full = append(full, e)
		}
	}
	return full
}

// StepKind is what is done to a webhook.
type StepKind string

// The kinds of steps.
const (
	StepKeep    StepKind = "keep"
	StepCreate  StepKind = "create"
	StepUpdate  StepKind = "update"
	StepReplace StepKind = "replace" // create another, then delete this one
	StepDelete  StepKind = "delete"
)

// A WebhookStep is one step of an installation.
type WebhookStep struct {
	Do      StepKind
	Webhook Webhook // as it was found; of StepCreate the zero value
	Why     []Flaw
}

// Plan says what makes exactly one webhook of a place what it has to be. Of
// those that were found at the place only ours are touched; of several the
// best stays.
//
// As no forge tells the secret, it is sent again wherever it can be: that is
// an update without a flaw.
func (p WebhookPlace) Plan(found []Webhook, want WebhookSpec) []WebhookStep {
	var ours []Webhook
	for _, w := range found {
		if want.Ours(w) {
			ours = append(ours, w)
		}
	}
	if len(ours) == 0 {
		return []WebhookStep{{Do: StepCreate}}
	}
	slices.SortStableFunc(ours, func(a, b Webhook) int {
		return cmp.Or(cmp.Compare(len(p.Flaws(a, want)), len(p.Flaws(b, want))), compareID(a.ID, b.ID))
	})
	steps := []WebhookStep{p.mend(ours[0], want)}
	for _, other := range ours[1:] {
		steps = append(steps, WebhookStep{StepDelete, other, []Flaw{{FlawDouble, "sends the same as " + ours[0].ID}}})
	}
	return steps
}

func (p WebhookPlace) mend(w Webhook, want WebhookSpec) WebhookStep {
	step := WebhookStep{Do: StepUpdate, Webhook: w, Why: p.Flaws(w, want)}
	is := func(kinds ...FlawKind) bool {
		return slices.ContainsFunc(step.Why, func(f Flaw) bool { return slices.Contains(kinds, f.Kind) })
	}
	switch {
	case p.Fixed:
	case is(FlawDisabled, FlawFormat), p.SecretOnce && is(FlawSecret):
		step.Do = StepReplace
	case p.SecretOnce && p.Outdated(w, want):
		step.Do = StepReplace
		step.Why = append(step.Why, Flaw{FlawSecret, "has the secret it was made with, and the newest is newer"})
	case p.SecretOnce && len(step.Why) == 0:
		step.Do = StepKeep
	}
	return step
}
