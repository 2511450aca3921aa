package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// An activateConfig says which new repositories a CI server is to build without
// anybody's click.
type activateConfig struct {
	DryRun bool
	Rules  []*ruleConfig
}

// A ruleConfig selects repositories, and says what becomes of them.
type ruleConfig struct {
	Orgs, Names, Visibility, Topics, Files []string

	Forks bool
	Skip  bool
	As    []string // logins or target.Sender
	Set   settingsConfig
}

type settingsConfig struct {
	Visibility string
	Protected  bool
	Trusted    bool
	Timeout    string // "" leaves it to the CI server
	Config     string

	timeout time.Duration // what the text amounts to
}

// activated are the kinds of target whose repositories have to be activated.
var activated = []string{"drone", "woodpecker"}

func (t *targetConfig) addRule() int {
	t.Activate.Rules = append(t.Activate.Rules, &ruleConfig{})
	return len(t.Activate.Rules) - 1
}

func (c *config) ruleTable(target, i int) table {
	r := c.Targets[target].Activate.Rules[i]
	return table{prefix: fmt.Sprintf("targets[%d].activate.rules[%d].", target, i), settings: []setting{
		{path: "orgs", into: &r.Orgs},
		{path: "names", into: &r.Names},
		{path: "visibility", into: &r.Visibility, words: visibilities},
		{path: "topics", into: &r.Topics},
		{path: "files", into: &r.Files},
		{path: "forks", into: &r.Forks},
		{path: "skip", into: &r.Skip},
		{path: "as", into: &r.As},
		{path: "set.visibility", into: &r.Set.Visibility, words: visibilities},
		{path: "set.protected", into: &r.Set.Protected},
		{path: "set.trusted", into: &r.Set.Trusted},
		{path: "set.timeout", into: &r.Set.Timeout},
		{path: "set.config", into: &r.Set.Config},
	}}
}

var visibilities = []string{string(providers.Public), string(providers.Internal), string(providers.Private)}

// policy is what the rules amount to.
func (a activateConfig) policy() target.Policy {
	p := target.Policy{DryRun: a.DryRun}
	yes := true
	for _, r := range a.Rules {
		rule := target.Rule{
			Orgs: r.Orgs, Names: r.Names, Topics: r.Topics, Files: r.Files, Forks: r.Forks, Skip: r.Skip, As: r.As,
			Set: target.Settings{Visibility: providers.Visibility(r.Set.Visibility), Timeout: r.Set.timeout, Config: r.Set.Config},
		}
		for _, v := range r.Visibility {
			rule.Visibility = append(rule.Visibility, providers.Visibility(v))
		}
		if r.Set.Protected {
			rule.Set.Protected = &yes
		}
		if r.Set.Trusted {
			rule.Set.Trusted = &yes
		}
		p.Rules = append(p.Rules, rule)
	}
	return p
}

// activate checks the rules of a target.
func (k checker) activate(prefix string, t *targetConfig) {
	if len(t.Activate.Rules) == 0 {
		return
	}
	at := prefix + "activate.rules[0]"
	if !slices.Contains(activated, t.Kind) {
		k.fault(at, "activate is not for targets of kind %s", t.Kind)
		return
	}
	if t.Mode == "database" && (t.URL == "" || t.Token == "") {
		k.fault(at, "activate in mode database needs url and token_file: Drone's database makes no webhook")
	}
	for i, r := range t.Activate.Rules {
		k.rule(fmt.Sprintf("%sactivate.rules[%d].", prefix, i), t, r)
	}
}

func (k checker) rule(prefix string, t *targetConfig, r *ruleConfig) {
	p := k.c.provider(t.Provider)
	for i, org := range r.Orgs {
		if p != nil && !follows(p.Orgs, org) {
			k.fault(fmt.Sprintf("%sorgs[%d]", prefix, i), "orgs: provider %s does not follow %q", p.Name, org)
		}
	}
	for i, name := range r.Names {
		if err := target.CheckPattern(name); err != nil {
			k.fault(fmt.Sprintf("%snames[%d]", prefix, i), "names: %v", err)
		}
	}
	for i, v := range r.Visibility {
		if !slices.Contains(visibilities, v) {
			k.fault(fmt.Sprintf("%svisibility[%d]", prefix, i), "visibility: %q is none of %s", v, strings.Join(visibilities, ", "))
		}
	}
	for i, file := range r.Files {
		if strings.HasPrefix(file, "/") || strings.Contains("/"+file+"/", "/../") {
			k.fault(fmt.Sprintf("%sfiles[%d]", prefix, i), "files: %q is no path below the root of a repository", file)
		}
	}
	if r.Skip {
		for _, key := range []string{"as", "set"} {
			if _, given := k.c.origins[prefix+key]; given {
				k.fault(prefix+key, "%s is for what is activated: this rule says skip", key)
			}
		}
		return
	}
	if len(r.As) == 0 {
		r.As = []string{target.Sender}
	}
	if r.Set.Visibility != "" {
		k.oneOf(prefix+"set.visibility", r.Set.Visibility, visibilities...)
	}
	if r.Set.Timeout != "" {
		var err error
		if r.Set.timeout, err = parseDuration(r.Set.Timeout); err != nil || r.Set.timeout < time.Minute || r.Set.timeout%time.Minute != 0 {
			k.fault(prefix+"set.timeout", "timeout: %q: write whole minutes, such as 90m", r.Set.Timeout)
		}
	}
	for key, set := range map[string]bool{"trusted": r.Set.Trusted, "timeout": t.Kind == "drone" && r.Set.Timeout != ""} {
		if set && t.Token == "" && t.TokenFile == "" {
			k.fault(prefix+"set."+key, "only an administrator of the CI server may set %s: give the target token_file", key)
		}
	}
}

// follows reports whether an organization is, or lies below, one of orgs.
func follows(orgs []string, org string) bool {
	return slices.ContainsFunc(orgs, func(o string) bool {
		o, org := providers.Fold(o), providers.Fold(org)
		return o == "*" || o == org || strings.HasPrefix(org, o+"/")
	})
}
