package target

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hookd/hookd/providers"
)

// A Policy decides which new repositories a CI server is to build without
// anybody's click. The zero Policy activates nothing.
type Policy struct {
	Rules  []Rule // the first that matches decides
	DryRun bool   // decide and tell, and change nothing
}

// A Rule selects repositories. What is empty selects all, but for forks.
type Rule struct {
	Orgs       []string // their owners, in any case; what lies below a group belongs to it
	Names      []string // patterns as of path.Match, in any case, for the name after the owner
	Visibility []providers.Visibility
	Topics     []string // at least one of them
	Files      []string // at least one of them is on the default branch; a folder ends in a slash
	Forks      bool     // forks, too

	Skip bool     // what matches is left alone
	As   []string // who activates: logins, or Sender; the first who can
	Set  Settings
}

// Sender stands for whom the forge names as the one who made the repository.
const Sender = "sender"

// Facts are what was asked about a repository beside what its record tells.
type Facts struct {
	Asked  bool     // for the topics
	Topics []string // if asked
	Paths  map[string]bool
}

// A Question is about a fact that a decision needs; the zero Question is none.
type Question struct {
	Topics bool
	Path   string // is it there?
}

// A Decision is what a Policy makes of a repository.
type Decision struct {
	Ask   Question // has to be answered first: nothing else is decided
	Rule  int      // the rule that matches, from 1; 0 if none does
	Skip  bool     // and it says to leave the repository alone
	Later bool     // none does, but one may once there are topics or files
	Why   string   // what each rule lacks, or why no rule was looked at
}

// Decide is pure: what it cannot know it asks for, and it is called again with
// the answer. It asks as little as it can, and never twice.
func (p Policy) Decide(r providers.Repo, known Facts) Decision {
	if r.Archived {
		return Decision{Why: "it is archived"}
	}
	d := Decision{}
	var lacks []string
	for i, rule := range p.Rules {
		m := rule.match(r, known)
		switch {
		case m.ask != Question{}:
			return Decision{Ask: m.ask}
		case m.lacks == "":
			return Decision{Rule: i + 1, Skip: rule.Skip}
		}
		lacks = append(lacks, fmt.Sprintf("rule %d wants %s", i+1, m.lacks))
		d.Later = d.Later || m.later && !rule.Skip
	}
	d.Why = strings.Join(lacks, "; ")
	return d
}

// match is how a rule fits: it does if it lacks nothing.
type match struct {
	ask   Question
	lacks string
	later bool // what it lacks may come
}

func (u Rule) match(r providers.Repo, known Facts) match {
	switch name := providers.Fold(r.Path[strings.LastIndexByte(r.Path, '/')+1:]); {
	case len(u.Orgs) > 0 && !slices.ContainsFunc(u.Orgs, func(org string) bool { return owns(org, r) }):
		return match{lacks: "an owner of " + strings.Join(u.Orgs, ", ")}
	case len(u.Names) > 0 && !slices.ContainsFunc(u.Names, func(pattern string) bool { return fits(pattern, name) }):
		return match{lacks: "a name like " + strings.Join(u.Names, ", ")}
	case len(u.Visibility) > 0 && !slices.Contains(u.Visibility, r.Visibility):
		return match{lacks: fmt.Sprintf("another visibility than %s", r.Visibility)}
	case r.Fork && !u.Forks:
		return match{lacks: "no fork"}
	}
	if len(u.Topics) > 0 {
		if !known.Asked {
			return match{ask: Question{Topics: true}}
		}
		if !slices.ContainsFunc(u.Topics, func(t string) bool { return tagged(known.Topics, t) }) {
			return match{lacks: "a topic of " + strings.Join(u.Topics, ", "), later: true}
		}
	}
	for _, file := range u.Files {
		there, asked := known.Paths[file]
		switch {
		case !asked:
			return match{ask: Question{Path: file}}
		case there:
			return match{}
		}
	}
	if len(u.Files) > 0 {
		return match{lacks: strings.Join(u.Files, " or "), later: true}
	}
	return match{}
}

// owns reports whether org is the owner in the repository's path, or a group
// above that.
func owns(org string, r providers.Repo) bool {
	owner := providers.Fold(providers.OwnerOf(r.Path))
	org = providers.Fold(org)
	return owner == org || strings.HasPrefix(owner, org+"/")
}

// fits reports whether a folded name matches a pattern. One that is malformed
// fits nothing; CheckPattern tells of it before.
func fits(pattern, name string) bool {
	ok, err := path.Match(providers.Fold(pattern), name)
	return err == nil && ok
}

// CheckPattern says what is wrong with a pattern for names.
func CheckPattern(pattern string) error {
	if strings.Contains(pattern, "/") {
		return fmt.Errorf("%q: a name has no slash, owners are named by orgs", pattern)
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("%q is no pattern: a bracket or a backslash at its end", pattern)
	}
	return nil
}

func tagged(topics []string, topic string) bool {
	return slices.ContainsFunc(topics, func(t string) bool { return providers.Fold(t) == providers.Fold(topic) })
}
