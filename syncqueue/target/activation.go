package target

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// An Activator is a target that builds a repository only after somebody
// activated it.
type Activator interface {
	// Activate lets the CI server build r, acting as the first of the logins
	// who can, and sets it so before its first build. What is active already is
	// left as it is, whoever did that. It reads back what it did, and is
	// idempotent: a call that was cut short is repeated as a whole. Errors
	// beside those below mean that a retry may help.
	Activate(ctx context.Context, r providers.Repo, as []string, set Settings) (Activation, error)
}

// An Activation is what the CI server shows after Activate.
type Activation struct {
	Already bool   // it was active before: nothing was changed
	As      string // who activated it
	Hook    string // the host that the forge is to send builds to, "" if not known
	Note    string // what else is to be known
}

// ErrNotListed means that the CI server does not know the repository yet:
// nobody who may activate it was synchronized since it was made.
var ErrNotListed = errors.New("the CI server does not list this repository yet")

// An UnableError means that nobody could activate the repository. It parks the
// job until something outside changes.
type UnableError struct{ Reasons []string } // one for each who was to

func (e *UnableError) Error() string {
	if len(e.Reasons) == 0 {
		return "nobody is named who could activate it"
	}
	return "nobody can activate it: " + strings.Join(e.Reasons, "; ")
}

// Settings are what a repository is set to as it is activated. What is zero is
// left to the CI server.
type Settings struct {
	Visibility providers.Visibility
	Protected  *bool
	Trusted    *bool
	Timeout    time.Duration // of a build, in whole minutes
	Config     string        // path of the pipeline file
}

// For returns the settings that are fit for r: nothing is shown to more people
// than the forge shows it to.
func (s Settings) For(r providers.Repo) Settings {
	if s.Visibility != "" && r.Visibility.Narrower(s.Visibility) {
		s.Visibility = r.Visibility
	}
	return s
}

func (s Settings) String() string {
	var out []string
	add := func(format string, v any) { out = append(out, fmt.Sprintf(format, v)) }
	if s.Visibility != "" {
		add("visibility %s", s.Visibility)
	}
	if s.Protected != nil {
		add("protected %t", *s.Protected)
	}
	if s.Trusted != nil {
		add("trusted %t", *s.Trusted)
	}
	if s.Timeout > 0 {
		add("timeout %dm", int(s.Timeout.Minutes()))
	}
	if s.Config != "" {
		add("config %s", s.Config)
	}
	return strings.Join(out, ", ")
}
