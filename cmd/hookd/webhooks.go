package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// A hookKeeper looks after the webhooks of one provider.
type hookKeeper struct {
	cfg   *providerConfig
	forge providers.Forge
	admin providers.HookAdmin
	want  providers.WebhookSpec
}

// newHookKeeper returns nil where the forge's webhooks are not administered
// through its API.
func newHookKeeper(p *providerConfig, forge providers.Forge, public string) *hookKeeper {
	admin, ok := forge.(providers.HookAdmin)
	if !ok {
		return nil
	}
	return &hookKeeper{p, forge, admin, webhookSpec(p, public)}
}

// webhookSpec is what a provider's webhook has to be. It gets the newest
// secret, which stands first. While a signing token of GitLab is live, plain
// tokens are refused, so then it is the first of those.
func webhookSpec(p *providerConfig, public string) providers.WebhookSpec {
	want := providers.WebhookSpec{Public: public, Provider: p.Name}
	if len(p.Hooks) == 0 {
		return want
	}
	chosen := 0
	for i, s := range p.Hooks {
		if p.Kind == "gitlab" && strings.HasPrefix(string(s), signingPrefix) {
			chosen, want.Signing = i, true
			break
		}
	}
	want.Secret = string(p.Hooks[chosen])
	file := p.SecretFile
	if chosen < len(p.SecretFiles) {
		file = p.SecretFiles[chosen]
	}
	if info, err := os.Stat(file); err == nil {
		want.Since = info.ModTime()
	}
	return want
}

// A hookPlace is a place with what was found there.
type hookPlace struct {
	providers.WebhookPlace
	found []providers.Webhook
	err   error // why that is not known
}

// ours are those of the webhooks that send to us.
func (p *hookPlace) ours(want providers.WebhookSpec) []providers.Webhook {
	var ours []providers.Webhook
	for _, w := range p.found {
		if want.Ours(w) {
			ours = append(ours, w)
		}
	}
	return ours
}

// A hookSurvey is what a provider's places have, and which of them ours belong
// in.
type hookSurvey struct {
	places []*hookPlace
	wanted []*hookPlace
	lost   []error // organizations that could not be found
}

// choice narrows where webhooks are looked for.
type choice struct {
	org    string // only this organization's
	system bool   // the whole instance's
}

// survey reads every place that may tell of the configured organizations.
func (k *hookKeeper) survey(ctx context.Context, c choice) (*hookSurvey, error) {
	s := &hookSurvey{}
	all := providers.NewOrgSet(k.cfg.Orgs...).All() && c.org == ""
	names := k.cfg.Orgs
	if c.org != "" {
		names = []string{c.org}
	}
	var orgs []providers.Org
	for _, name := range names {
		if name == "*" {
			continue
		}
		o, err := k.forge.Org(ctx, name)
		if err != nil {
			if !errors.Is(err, providers.ErrNotFound) {
				return nil, err
			}
			s.lost = append(s.lost, fmt.Errorf("organization %s: %w", name, err))
			continue
		}
		orgs = append(orgs, o)
	}
	if len(orgs) == 0 && len(s.lost) > 0 && !c.system {
		return s, nil // the whole instance is no substitute for an organization
	}
	places, err := k.admin.WebhookPlaces(ctx, orgs, all)
	if err != nil {
		return nil, err
	}
	if lister, can := k.forge.(providers.OrgLister); all && can && len(places) == len(orgs) {
		// Nothing here tells of the whole instance.
		for o, err := range lister.Orgs(ctx) {
			if err != nil {
				return nil, err
			}
			orgs = append(orgs, o)
		}
		if places, err = k.admin.WebhookPlaces(ctx, orgs, all); err != nil {
			return nil, err
		}
	}
	for _, p := range places {
		at := &hookPlace{WebhookPlace: p}
		at.found, at.err = k.admin.Webhooks(ctx, p)
		s.places = append(s.places, at)
	}
	s.wanted = s.choose(c, k.want)
	return s, nil
}

// choose says where our webhooks belong: where the operator wants them, else
// where they are, else where the forge's driver puts them first. One that tells
// of the whole instance makes those of organizations superfluous, whichever are
// asked about.
func (s *hookSurvey) choose(c choice, want providers.WebhookSpec) []*hookPlace {
	var whole, single []*hookPlace
	wholeHas, singleHas := false, false
	for _, p := range s.places {
		has := len(p.ours(want)) > 0
		if p.Whole() {
			whole, wholeHas = append(whole, p), wholeHas || has
		} else {
			single, singleHas = append(single, p), singleHas || has
		}
	}
	switch {
	case c.system, wholeHas:
		return whole
	case c.org != "", singleHas, len(whole) == 0, !s.places[0].Whole():
		return single
	}
	return whole
}

func (s *hookSurvey) wants(p *hookPlace) bool {
	return slices.Contains(s.wanted, p)
}

// lastDelivery is how the newest delivery of a webhook went, nil where the
// forge does not tell.
func (k *hookKeeper) lastDelivery(ctx context.Context, p *hookPlace, id string) *providers.Attempt {
	log, ok := k.forge.(providers.DeliveryLog)
	if !ok {
		return nil
	}
	for a, err := range log.Attempts(ctx, providers.HookLog{Org: p.Org, Hook: id}) {
		if err != nil {
			return nil
		}
		return &a
	}
	return nil
}

// secretAge says since when a webhook has its secret, as far as that can be
// known: only of one that was not touched since it was made.
func secretAge(w providers.Webhook) (time.Time, bool) {
	return w.Created, !w.Created.IsZero() && w.Created.Equal(w.Updated)
}
