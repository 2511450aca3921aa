package target_test

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

var app = providers.Repo{
	ID: "41", Path: "Acme/App-1", Org: providers.Org{ID: "5", Name: "Acme"}, Visibility: providers.Private,
}

func with(r providers.Repo, edit func(*providers.Repo)) providers.Repo {
	edit(&r)
	return r
}

func TestARuleSelects(t *testing.T) {
	fork := with(app, func(r *providers.Repo) { r.Fork = true })
	archived := with(app, func(r *providers.Repo) { r.Archived = true })
	nested := with(app, func(r *providers.Repo) { r.Path = "acme/team/app" })
	for _, c := range []struct {
		name  string
		rule  target.Rule
		repo  providers.Repo
		known target.Facts
		want  string // "match", "no", "later", or what is asked
	}{
		{"nothing given, any", target.Rule{}, app, target.Facts{}, "match"},
		{"a fork", target.Rule{}, fork, target.Facts{}, "no"},
		{"a fork that is asked for", target.Rule{Forks: true}, fork, target.Facts{}, "match"},
		{"archived", target.Rule{Forks: true}, archived, target.Facts{}, "no"},
		{"owner in any case", target.Rule{Orgs: []string{"other", "aCME"}}, app, target.Facts{}, "match"},
		{"another owner", target.Rule{Orgs: []string{"acm", "acme-2"}}, app, target.Facts{}, "no"},
		{"a group below", target.Rule{Orgs: []string{"acme"}}, nested, target.Facts{}, "match"},
		{"the group itself", target.Rule{Orgs: []string{"Acme/Team"}}, nested, target.Facts{}, "match"},
		{"another group", target.Rule{Orgs: []string{"acme/te"}}, nested, target.Facts{}, "no"},
		{"name in any case", target.Rule{Names: []string{"lib-*", "APP-?"}}, app, target.Facts{}, "match"},
		{"a pattern is for the whole name", target.Rule{Names: []string{"app"}}, app, target.Facts{}, "no"},
		{"a pattern is not for the owner", target.Rule{Names: []string{"acme*"}}, app, target.Facts{}, "no"},
		{"a malformed pattern", target.Rule{Names: []string{"[a"}}, app, target.Facts{}, "no"},
		{"visibility", target.Rule{Visibility: []providers.Visibility{providers.Internal, providers.Private}}, app, target.Facts{}, "match"},
		{"another visibility", target.Rule{Visibility: []providers.Visibility{providers.Public}}, app, target.Facts{}, "no"},
		{"topics not asked for yet", target.Rule{Topics: []string{"ci"}}, app, target.Facts{}, "topics?"},
		{"topic in any case", target.Rule{Topics: []string{"x", "CI"}}, app, target.Facts{Asked: true, Topics: []string{"Ci"}}, "match"},
		{"no such topic", target.Rule{Topics: []string{"ci"}}, app, target.Facts{Asked: true, Topics: []string{"go"}}, "later"},
		{"what cannot match is not asked about", target.Rule{Names: []string{"lib"}, Topics: []string{"ci"}, Files: []string{"a"}}, app, target.Facts{}, "no"},
		{"a file not asked for yet", target.Rule{Files: []string{"a", "b/"}}, app, target.Facts{}, "a?"},
		{"the second file", target.Rule{Files: []string{"a", "b/"}}, app, target.Facts{Paths: map[string]bool{"a": false}}, "b/?"},
		{"one file is enough", target.Rule{Files: []string{"a", "b/"}}, app, target.Facts{Paths: map[string]bool{"a": true}}, "match"},
		{"no file", target.Rule{Files: []string{"a"}}, app, target.Facts{Paths: map[string]bool{"a": false}}, "later"},
	} {
		if got := say(target.Policy{Rules: []target.Rule{c.rule}}.Decide(c.repo, c.known)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func say(d target.Decision) string {
	switch {
	case d.Ask.Topics:
		return "topics?"
	case d.Ask.Path != "":
		return d.Ask.Path + "?"
	case d.Rule > 0 && d.Skip:
		return "skip"
	case d.Rule > 0:
		return "match"
	case d.Later:
		return "later"
	}
	return "no"
}

func TestTheFirstRuleThatMatchesDecides(t *testing.T) {
	p := target.Policy{Rules: []target.Rule{
		{Names: []string{"secret-*"}, Skip: true},
		{Files: []string{".drone.yml"}},
		{Orgs: []string{"acme"}, Names: []string{"app-*"}},
	}}
	has := func(b bool) target.Facts { return target.Facts{Paths: map[string]bool{".drone.yml": b}} }
	if d := p.Decide(app, has(true)); d.Rule != 2 {
		t.Errorf("with the file: %+v", d)
	}
	if d := p.Decide(app, has(false)); d.Rule != 3 {
		t.Errorf("without it: %+v", d)
	}
	if d := p.Decide(with(app, func(r *providers.Repo) { r.Path = "acme/secret-app" }), target.Facts{}); d.Rule != 1 || !d.Skip {
		t.Errorf("excluded: %+v", d)
	}
	if d := p.Decide(with(app, func(r *providers.Repo) { r.Path = "acme/lib" }), has(false)); d.Rule != 0 || !d.Later ||
		!strings.Contains(d.Why, "rule 2 wants .drone.yml") || !strings.Contains(d.Why, "rule 3 wants a name like app-*") {
		t.Errorf("none: %+v", d)
	}
}

func TestNoRulesActivateNothing(t *testing.T) {
	if d := (target.Policy{}).Decide(app, target.Facts{}); d.Rule != 0 || d.Later || d.Ask != (target.Question{}) {
		t.Errorf("%+v", d)
	}
}

// TestADecisionEndsAndAsksOnce plays random policies against random
// repositories: each fact is asked for once at most, and what comes out does
// not change with facts that nobody asked for.
func TestADecisionEndsAndAsksOnce(t *testing.T) {
	words := []string{"a", "b", "ab", "A", "a*", "?", "acme", "acme/sub"}
	rapid.Check(t, func(t *rapid.T) {
		some := func(name string) []string {
			return rapid.SliceOfN(rapid.SampledFrom(words), 0, 2).Draw(t, name)
		}
		var p target.Policy
		for range rapid.IntRange(0, 4).Draw(t, "rules") {
			p.Rules = append(p.Rules, target.Rule{
				Orgs: some("orgs"), Names: some("names"), Topics: some("topics"), Files: some("files"),
				Forks: rapid.Bool().Draw(t, "forks"), Skip: rapid.Bool().Draw(t, "skip"),
			})
		}
		for i := range p.Rules {
			p.Rules[i].Names = slices.DeleteFunc(p.Rules[i].Names, func(n string) bool { return strings.Contains(n, "/") })
		}
		r := providers.Repo{
			Path: rapid.SampledFrom([]string{"acme/a", "ACME/AB", "acme/sub/b"}).Draw(t, "path"),
			Fork: rapid.Bool().Draw(t, "fork"), Archived: rapid.Bool().Draw(t, "archived"),
		}
		topics := some("tagged")
		files := map[string]bool{}
		for _, f := range some("there") {
			files[f] = true
		}
		known := target.Facts{Paths: map[string]bool{}}
		var d target.Decision
		for {
			d = p.Decide(r, known)
			if d.Ask == (target.Question{}) {
				break
			}
			_, again := known.Paths[d.Ask.Path]
			if d.Ask.Topics == (d.Ask.Path != "") || d.Ask.Topics && known.Asked || again {
				t.Fatalf("asked for %+v, knowing %+v", d.Ask, known)
			}
			if d.Ask.Topics {
				known.Asked, known.Topics = true, topics
			} else {
				known.Paths[d.Ask.Path] = files[d.Ask.Path]
			}
		}
		all := target.Facts{Asked: true, Topics: topics, Paths: maps.Clone(files)}
		for _, w := range words {
			all.Paths[w] = files[w]
		}
		if full := p.Decide(r, all); full != d {
			t.Errorf("%+v, but knowing all %+v", d, full)
		}
		switch {
		case d.Rule == 0:
		case r.Archived:
			t.Errorf("archived, and matched by rule %d", d.Rule)
		case r.Fork && !p.Rules[d.Rule-1].Forks:
			t.Errorf("a fork, and matched by rule %d", d.Rule)
		}
	})
}

func TestPatternsAreCheckedBeforeTheyAreUsed(t *testing.T) {
	for pattern, good := range map[string]bool{"app-*": true, "?": true, "[ab]c": true, "[a": false, `a\`: false, "acme/*": false} {
		if err := target.CheckPattern(pattern); (err == nil) != good {
			t.Errorf("%q: %v", pattern, err)
		}
		if _, err := path.Match(pattern, "x"); err != nil && good {
			t.Errorf("%q is let through, and is %v", pattern, err)
		}
	}
}

func TestNothingIsShownToMoreThanTheForgeShowsItTo(t *testing.T) {
	const pub, in, priv = providers.Public, providers.Internal, providers.Private
	for _, c := range []struct{ set, is, want providers.Visibility }{
		{pub, priv, priv},
		{in, priv, priv},
		{priv, priv, priv},
		{"", priv, ""},
		{pub, in, in},
		{priv, in, priv},
		{pub, pub, pub},
		{priv, pub, priv},
		{pub, "", ""},
	} {
		got := target.Settings{Visibility: c.set}.For(providers.Repo{Visibility: c.is})
		if got.Visibility != c.want {
			t.Errorf("%q of what is %q becomes %q, want %q", c.set, c.is, got.Visibility, c.want)
		}
	}
}
