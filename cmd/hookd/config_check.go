package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A checker looks for what is wrong with the values of a configuration.
type checker struct {
	c *config
	f *faults
}

// fault reports a value, unless it could not even be read. A value that is not
// there is reported where its mapping begins.
func (k checker) fault(path, format string, args ...any) {
	if k.c.bad[path] {
		return
	}
	at, ok := k.c.origins[path]
	for parent := path; !ok; {
		i := strings.LastIndexByte(parent, '.')
		if i < 0 {
			at = origin{File: k.c.source.name}
			break
		}
		parent = parent[:i]
		at, ok = k.c.origins[parent]
	}
	k.f.add(at, format, args...)
}

// check looks at every value, fills in what follows from others, and reads the
// secret files.
func (c *config) check(f *faults) {
	k := checker{c, f}
	k.addresses()
	k.oneOf("log.level", c.Log.Level, logLevels...)
	k.oneOf("log.format", c.Log.Format, logFormats...)
	for i, t := range c.Tokens {
		k.token(fmt.Sprintf("admin.tokens[%d].", i), t)
	}
	if len(c.Providers) == 0 {
		k.fault("providers", "no provider is configured: without one there is nobody to receive from (providers in the file, or HOOKD_PROVIDER_<NAME>_KIND and its like)")
	}
	for i, p := range c.Providers {
		k.provider(fmt.Sprintf("providers[%d].", i), p)
	}
	for i, t := range c.Targets {
		k.foreign(c.targetTable(i))
		k.target(fmt.Sprintf("targets[%d].", i), t)
	}
	k.duplicates("admin.tokens", len(c.Tokens), func(i int) string { return c.Tokens[i].Name })
	k.duplicates("providers", len(c.Providers), func(i int) string { return c.Providers[i].Name })
	k.duplicates("targets", len(c.Targets), func(i int) string { return c.Targets[i].Name })
	k.shared()
	k.sync()
	k.retention()
}

// shared refuses one token of two names: it could not be told whose role it has.
func (k checker) shared() {
	first := map[secret]string{}
	for i, t := range k.c.Tokens {
		other, twice := first[t.Token]
		switch {
		case t.Token == "":
		case twice:
			key := "token_file"
			if _, given := k.c.origins[fmt.Sprintf("admin.tokens[%d].token", i)]; given {
				key = "token"
			}
			k.fault(fmt.Sprintf("admin.tokens[%d].%s", i, key), "%q has the same token as %q: give each a token of its own", t.Name, other)
		default:
			first[t.Token] = t.Name
		}
	}
}

func (k checker) addresses() {
	c := k.c
	listen := k.address("listen", c.Listen)
	admin := k.address("admin_listen", c.AdminListen)
	if listen && admin && c.Listen == c.AdminListen && !strings.HasSuffix(c.Listen, ":0") {
		k.fault("admin_listen", "admin_listen is the same address as listen: the intake is for the forges, the other for you")
	}
	if c.PublicURL != "" {
		k.url("public_url", c.PublicURL)
	}
	if info, err := os.Stat(c.DataDir); err == nil && !info.IsDir() {
		k.fault("data_dir", "data_dir: %s is not a folder", c.DataDir)
	}
}

func (k checker) address(path, text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		if n, convErr := strconv.Atoi(port); convErr == nil && n >= 0 && n <= 65535 {
			return true
		}
	}
	k.fault(path, "%s: %q is not an address: write host:port, such as 127.0.0.1:8080 or :8080", path, text)
	return false
}

func (k checker) oneOf(path, text string, known ...string) bool {
	if slices.Contains(known, text) {
		return true
	}
	key := last(path)
	if text == "" {
		k.fault(path, "%s is missing: one of %s", key, strings.Join(known, ", "))
		return false
	}
	hint := ""
	if near := closest(text, known); near != "" {
		hint = fmt.Sprintf(", did you mean %q?", near)
	}
	k.fault(path, "unknown %s %q%s (one of %s)", key, text, hint, strings.Join(known, ", "))
	return false
}

// url checks a web address without credentials, query or fragment.
func (k checker) url(path, text string) {
	key := last(path)
	if text == "" {
		k.fault(path, "%s is missing", key)
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		k.fault(path, "%s: not a web address: write https://host", key)
	case u.User != nil:
		k.fault(path, "%s must not hold credentials: use token or token_file", key)
	case u.RawQuery != "" || u.Fragment != "":
		k.fault(path, "%s must not have a query or fragment", key)
	}
}

var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

func (k checker) name(path, name string) {
	switch {
	case name == "":
		k.fault(path, "name is missing")
	case !nameRule.MatchString(name):
		k.fault(path, "name %q: use lower-case letters, digits and hyphens; it is part of an address", name)
	}
}

func (k checker) duplicates(list string, n int, name func(i int) string) {
	seen := map[string]int{}
	for i := range n {
		first, dup := seen[name(i)]
		if name(i) == "" {
			continue
		}
		if !dup {
			seen[name(i)] = i
			continue
		}
		k.fault(fmt.Sprintf("%s[%d].name", list, i), "duplicate name %q in %s, first at %s", name(i), list, k.c.origins[fmt.Sprintf("%s[%d]", list, first)])
	}
}

func (k checker) sync() {
	s := k.c.Sync
	k.atLeast("sync.debounce", s.Debounce, 0)
	if s.MaxDelay < s.Debounce {
		k.fault("sync.max_delay", "max_delay (%s) must not be less than debounce (%s)", formatDuration(s.MaxDelay), formatDuration(s.Debounce))
	}
	if s.Workers < 1 || s.Workers > 1024 {
		k.fault("sync.workers", "workers must be between 1 and 1024")
	}
	if len(s.Verify) == 0 {
		k.fault("sync.verify", "verify must name at least one time to look again")
	}
	for i, d := range s.Verify {
		k.atLeast(fmt.Sprintf("sync.verify[%d]", i), d, time.Millisecond)
	}
	k.atLeast("sync.retry.first", s.Retry.First, time.Millisecond)
	k.atLeast("sync.retry.max", s.Retry.Max, s.Retry.First)
	k.atLeast("sync.retry.give_up", s.Retry.GiveUp, s.Retry.First)
	if s.Guard.Percent < 1 || s.Guard.Percent > 100 {
		k.fault("sync.shrink_guard.percent", "percent must be between 1 and 100")
	}
	if s.Guard.MinRepos < 0 {
		k.fault("sync.shrink_guard.min_repos", "min_repos must not be negative")
	}
	k.atLeast("sync.reconcile", s.Reconcile, time.Second)
}

func (k checker) retention() {
	r := k.c.Retention
	k.atLeast("retention.deliveries", r.Deliveries, time.Second)
	k.atLeast("retention.bodies", r.Bodies, time.Second)
	if r.MaxBytes < mib {
		k.fault("retention.max_bytes", "max_bytes must be at least 1MiB")
	}
}

func (k checker) atLeast(path string, d, least time.Duration) {
	if d < least {
		k.fault(path, "%s must be at least %s", last(path), formatDuration(least))
	}
}

// last is the key at the end of a path.
func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
