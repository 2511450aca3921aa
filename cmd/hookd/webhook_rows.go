package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// The states of a row.
const (
	hookOK      = "ok"
	hookDrift   = "drift"   // ours, and not as it has to be
	hookMissing = "missing" // none of ours where one belongs
	hookUnknown = "unknown" // the place could not be read
	hookOther   = "other"   // somebody else's
)

// A hookRow is a webhook, or the lack of one, as it is told.
type hookRow struct {
	Provider string             `json:"provider"`
	Place    providers.HookType `json:"place"`
	Org      string             `json:"org"`
	ID       string             `json:"id"`
	State    string             `json:"state"`
	Ours     bool               `json:"ours"`
	URL      string             `json:"url"`
	Events   []string           `json:"events"`
	Missing  []string           `json:"missing_events"`
	Active   bool               `json:"active"`
	Disabled string             `json:"disabled,omitempty"`
	// TLS is whether the receiver's certificate is verified; null where the
	// forge does not tell.
	TLS     *bool            `json:"tls_verified"`
	Secret  string           `json:"secret"` // none, set, signing or unknown
	SetAt   *time.Time       `json:"secret_set_at"`
	Created time.Time        `json:"created_at,omitzero"`
	Updated time.Time        `json:"updated_at,omitzero"`
	Last    *hookLast        `json:"last_delivery"`
	Flaws   []providers.Flaw `json:"flaws"`
	Notes   []string         `json:"notes,omitempty"`
	Error   string           `json:"error,omitempty"`
	Fix     string           `json:"fix,omitempty"`

	place string
}

type hookLast struct {
	At     time.Time `json:"at,omitzero"`
	Event  string    `json:"event"`
	Taken  bool      `json:"taken"`
	Answer string    `json:"answer"`
}

// judge turns a survey into rows: what is wrong comes with what to do about it.
func (k *hookKeeper) judge(ctx context.Context, s *hookSurvey) []hookRow {
	rows := []hookRow{}
	for _, err := range s.lost {
		rows = append(rows, k.unknown(err, "correct orgs of provider "+k.cfg.Name+", or let its token see the organization"))
	}
	for _, p := range s.wanted {
		rows = append(rows, k.atPlace(ctx, p)...)
	}
	if len(s.wanted) == 0 && len(rows) > 0 {
		return rows
	}
	if len(s.wanted) == 0 {
		return append(rows, k.unknown(errors.New("there is no place for a webhook"), "name an organization in orgs of provider "+k.cfg.Name))
	}
	for _, p := range s.places {
		if s.wants(p) {
			continue
		}
		for _, w := range p.ours(k.want) {
			row := k.row(p, w)
			row.State = hookDrift
			row.Flaws = append(row.Flaws, providers.Flaw{Kind: providers.FlawDouble, Text: "sends the same as the webhook of " + s.wanted[0].Name()})
			row.Fix = k.installCommand(s.wanted[0])
			rows = append(rows, row)
		}
	}
	return rows
}

// unknown is the row of a provider, or of a part of it, that could not be read.
func (k *hookKeeper) unknown(err error, fix string) hookRow {
	return hookRow{Provider: k.cfg.Name, State: hookUnknown, Secret: "unknown", Error: err.Error(), Fix: fix, Events: []string{}, Missing: []string{}, Flaws: []providers.Flaw{}}
}

// atPlace judges a place where one of ours belongs.
func (k *hookKeeper) atPlace(ctx context.Context, p *hookPlace) []hookRow {
	none := k.row(p, providers.Webhook{})
	none.Ours = false
	if p.err != nil {
		none.State, none.Error, none.Fix = hookUnknown, p.err.Error(), k.remedy(p, p.err)
		return []hookRow{none}
	}
	ours := p.ours(k.want)
	if len(ours) == 0 {
		none.State, none.Fix = hookMissing, k.installCommand(p)
		none.Error = "no webhook sends to " + k.want.URL()
		for _, w := range p.found {
			if k.want.Stray(w) {
				none.Notes = append(none.Notes, fmt.Sprintf("webhook %s sends to %s: if that was this hookd's address, name it by --former", w.ID, bareURL(w.URL)))
			}
		}
		if full := p.Full(p.found, providers.Webhook{}); len(full) > 0 {
			none.Notes = append(none.Notes, fmt.Sprintf("%d webhooks hear %s already, which is the most there may be", p.PerEvent, strings.Join(full, ", ")))
		}
		return []hookRow{none}
	}
	var rows []hookRow
	for i, step := range p.Plan(p.found, k.want) {
		row := k.row(p, step.Webhook)
		if i > 0 {
			row.Flaws = append(row.Flaws, step.Why...)
		} else if last := k.lastDelivery(ctx, p, step.Webhook.ID); last != nil {
			row.Last = &hookLast{last.At, last.Event, last.Taken, last.Answer}
			if !last.Taken {
				row.Flaws = append(row.Flaws, providers.Flaw{Kind: flawDelivery, Text: "the last delivery, " + cmp.Or(last.Event, "of an unknown event") + ", was answered " + last.Answer})
			}
		}
		if p.Outdated(step.Webhook, k.want) {
			row.Notes = append(row.Notes, "the newest secret was written after the webhook got its own")
		}
		if row.State = hookOK; len(row.Flaws) > 0 {
			row.State, row.Fix = hookDrift, k.installCommand(p)
		}
		rows = append(rows, row)
	}
	return rows
}

// flawDelivery: what was sent last was not taken. It may be the secret, or that
// the forge does not reach hookd.
const flawDelivery providers.FlawKind = "delivery"

// row tells of a webhook of ours.
func (k *hookKeeper) row(p *hookPlace, w providers.Webhook) hookRow {
	row := hookRow{
		Provider: k.cfg.Name, Place: p.Kind, Org: p.Org.Name, ID: w.ID, Ours: true, URL: w.URL, Events: append([]string{}, w.Events...), Missing: []string{},
		Active: w.Active, Disabled: w.Disabled, Secret: string(w.Secret), Created: w.Created, Updated: w.Updated, Flaws: []providers.Flaw{}, place: p.Name(),
	}
	if w.ID == "" {
		row.URL, row.Missing = k.want.URL(), append(row.Missing, p.Events...)
		return row
	}
	row.Missing = append(row.Missing, p.Missing(w)...)
	row.Flaws = append(row.Flaws, p.Flaws(w, k.want)...)
	if p.TellsTLS {
		row.TLS = new(!w.Insecure)
	}
	if row.Secret == "" {
		row.Secret = "unknown"
	}
	if at, known := secretAge(w); known {
		row.SetAt = &at
	}
	return row
}

// others tells of webhooks that are none of ours business: not where they send
// to in full, since such addresses hold the secrets of chats and the like.
func (k *hookKeeper) others(s *hookSurvey) []hookRow {
	var rows []hookRow
	for _, p := range s.places {
		for _, w := range p.found {
			if k.want.Ours(w) {
				continue
			}
			row := k.row(p, w)
			row.Ours, row.State, row.Flaws, row.Missing = false, hookOther, []providers.Flaw{}, []string{}
			if row.URL = shortURL(w.URL); k.want.Stray(w) {
				row.URL = bareURL(w.URL)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func shortURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "…"
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// bareURL is an address without what may be secret in it.
func bareURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "…"
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

func (k *hookKeeper) installCommand(p *hookPlace) string {
	cmd := "hookd hooks install --provider " + k.cfg.Name
	if !p.Whole() {
		cmd += " --org " + p.Org.Name
	}
	return cmd
}

// remedy says what to do about an error of the forge. Where a token lacks
// something, the error says what.
func (k *hookKeeper) remedy(p *hookPlace, err error) string {
	switch {
	case errors.Is(err, providers.ErrUnauthorized) && k.cfg.Token == "" && !k.cfg.App.set():
		return "set token_file of provider " + k.cfg.Name
	case errors.Is(err, providers.ErrUnauthorized):
		return "make a new token and put it where provider " + k.cfg.Name + " has its token_file"
	case errors.Is(err, providers.ErrWithheld):
		return "install the App on the organization, on all of its repositories"
	case errors.Is(err, providers.ErrForbidden) && p != nil:
		return "give the token of provider " + k.cfg.Name + " what it lacks, or " + k.byHand(p)
	case errors.Is(err, providers.ErrForbidden):
		return "give the token of provider " + k.cfg.Name + " what it lacks"
	case errors.Is(err, providers.ErrLimited):
		return "wait until the rate limit allows more"
	case errors.Is(err, providers.ErrUnavailable):
		return "see whether url of provider " + k.cfg.Name + " is right, and reachable from here"
	case errors.Is(err, providers.ErrNonsense):
		return "see whether url of provider " + k.cfg.Name + " is the web root of a " + k.cfg.Kind
	}
	return "do what the forge says"
}

// byHand tells how to set the webhook without hookd.
func (k *hookKeeper) byHand(p *hookPlace) string {
	events := "its events"
	if len(p.Events) > 0 {
		events = "the events " + strings.Join(p.Events, ", ")
	}
	return fmt.Sprintf("set it by hand: %s, JSON, the newest webhook secret, %s", k.want.URL(), events)
}

// summary is the row in a few words.
func (r hookRow) summary() string {
	switch {
	case r.Error != "":
		return r.Error
	case len(r.Flaws) > 0:
		var texts []string
		for _, f := range r.Flaws {
			texts = append(texts, f.Text)
		}
		return "webhook " + r.ID + " " + strings.Join(texts, "; ")
	}
	return "webhook " + r.ID + " sends to " + r.URL
}

// detail is what is known of a webhook that is right.
func (r hookRow) detail(now time.Time) string {
	var parts []string
	if len(r.Events) > 0 {
		parts = append(parts, "hears "+strings.Join(r.Events, ", "))
	}
	switch {
	case r.Last == nil:
	case r.Last.At.IsZero():
		parts = append(parts, "last delivery taken")
	default:
		parts = append(parts, "last delivery taken "+age(r.Last.At, now)+" ago")
	}
	switch {
	case r.SetAt != nil:
		parts = append(parts, "secret set "+age(*r.SetAt, now)+" ago")
	case r.ID != "":
		parts = append(parts, "secret of unknown age")
	}
	return strings.Join(parts, ", ")
}

func driftOf(rows []hookRow) bool {
	return slices.ContainsFunc(rows, func(r hookRow) bool { return r.State != hookOK && r.State != hookOther })
}
