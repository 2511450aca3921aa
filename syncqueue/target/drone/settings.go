package drone

import (
	"fmt"
	"strings"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// patch is what is to be set of a repository. What is nil is left.
type patch struct {
	Visibility *providers.Visibility `json:"visibility,omitempty"`
	Config     *string               `json:"config_path,omitempty"`
	Protected  *bool                 `json:"protected,omitempty"`
	Trusted    *bool                 `json:"trusted,omitempty"` // administrators of Drone only
	Timeout    *int64                `json:"timeout,omitempty"` // minutes; administrators of Drone only
}

// settings parts what a repository's administrator may set from what only
// Drone's may.
func settings(set target.Settings) (own, admins patch) {
	if set.Visibility != "" {
		own.Visibility = &set.Visibility
	}
	if set.Config != "" {
		own.Config = &set.Config
	}
	own.Protected, admins.Trusted = set.Protected, set.Trusted
	if minutes := int64(set.Timeout.Minutes()); minutes > 0 {
		admins.Timeout = &minutes
	}
	return own, admins
}

// differs names what is not as set.
func (r repository) differs(set target.Settings) string {
	own, admins := settings(set)
	own.Trusted, own.Timeout = admins.Trusted, admins.Timeout
	return r.misses(own)
}

// misses names what of a patch does not show.
func (r repository) misses(p patch) string {
	var off []string
	add := func(name string, is, want any) { off = append(off, fmt.Sprintf("%s is %v, not %v", name, is, want)) }
	if p.Visibility != nil && *p.Visibility != r.Visibility {
		add("visibility", r.Visibility, *p.Visibility)
	}
	if p.Config != nil && *p.Config != r.Config {
		add("config", r.Config, *p.Config)
	}
	if p.Protected != nil && *p.Protected != r.Protected {
		add("protected", r.Protected, *p.Protected)
	}
	if p.Trusted != nil && *p.Trusted != r.Trusted {
		add("trusted", r.Trusted, *p.Trusted)
	}
	if p.Timeout != nil && *p.Timeout != r.Timeout {
		add("timeout", r.Timeout, *p.Timeout)
	}
	return strings.Join(off, ", ")
}
