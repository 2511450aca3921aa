package main

import (
	"net/netip"
	"os"
	"time"
)

func (k checker) target(prefix string, t *targetConfig) {
	k.name(prefix+"name", t.Name)
	k.served(prefix+"kind", t.Kind, targetKinds, servedTargets)
	if t.Provider == "" && len(k.c.Providers) == 1 {
		t.Provider = k.c.Providers[0].Name
	}
	names := make([]string, len(k.c.Providers))
	for i, p := range k.c.Providers {
		names[i] = p.Name
	}
	if len(names) > 0 {
		k.oneOf(prefix+"provider", t.Provider, names...)
	}
	if t.Concurrency < 0 || t.Concurrency > 1024 {
		k.fault(prefix+"concurrency", "concurrency must be between 1 and 1024, or 0 for sync.workers")
	}
	if t.Interval < 0 || t.Interval > time.Minute {
		k.fault(prefix+"interval", "interval must be between 0s and 1m")
	}
	k.activate(prefix, t)
	switch t.Kind {
	case "http":
		k.httpTarget(prefix, t)
	case "command":
		k.commandTarget(prefix, t)
	case "woodpecker":
		k.woodpeckerTarget(prefix, t)
	default:
		k.droneTarget(prefix, t)
	}
}

// foreign refuses settings of another kind: whoever gave one expects something
// of it that will not happen.
func (k checker) foreign(t table) {
	for _, s := range t.settings {
		path := t.prefix + s.path
		if _, set := k.c.origins[path]; set && !s.has(t.kind) {
			k.fault(path, "%s is not for targets of kind %s", s.path, t.kind)
			k.c.bad[path] = true // once is enough
		}
	}
}

func (k checker) droneTarget(prefix string, t *targetConfig) {
	k.served(prefix+"mode", t.Mode, targetModes, servedModes)
	k.secret(prefix, "token", &t.Token, t.TokenFile)
	k.secret(prefix, "events_secret", &t.Events, t.EventsFile)
	k.long(prefix, "events_secret", t.Events)
	k.offboard(prefix, t)
	if t.Mode == "database" {
		k.droneDatabase(prefix, t)
		return
	}
	k.url(prefix+"url", t.URL)
	for _, key := range []string{"users.database_url", "users.database_url_file"} {
		if _, set := k.c.origins[prefix+key]; set {
			k.fault(prefix+key, "%s is for mode database", key)
		}
	}
	k.credentials(prefix, t)
}

func (k checker) woodpeckerTarget(prefix string, t *targetConfig) {
	k.url(prefix+"url", t.URL)
	k.secret(prefix, "token", &t.Token, t.TokenFile)
	k.tokenDir(prefix+"users.", t)
	if t.TokenDir == "" {
		k.fault(prefix+"users.token_dir", "users.token_dir is missing: the folder that holds each user's token in a file named for his login")
	}
}

// tokenDir checks the folder with users' own tokens. It need not be there yet,
// as a mounted secret may come later.
func (k checker) tokenDir(users string, t *targetConfig) {
	if info, err := os.Stat(t.TokenDir); t.TokenDir != "" && err == nil && !info.IsDir() {
		k.fault(users+"token_dir", "users.token_dir: %s is not a folder", t.TokenDir)
	}
}

// droneDatabase checks what mode database needs. Drone itself is asked only what
// it shows to strangers, and only if its address is given.
func (k checker) droneDatabase(prefix string, t *targetConfig) {
	if t.URL != "" {
		k.url(prefix+"url", t.URL)
	}
	for _, key := range credentialSettings {
		if _, set := k.c.origins[prefix+"users."+key]; set {
			k.fault(prefix+"users."+key, "users.%s is for mode api: mode database acts as nobody", key)
		}
	}
	if !k.secret(prefix, "users.database_url", &t.Database, t.DatabaseFile) {
		return
	}
	path := prefix + "users.database_url_file"
	if _, given := k.c.origins[prefix+"users.database_url"]; given {
		path = prefix + "users.database_url"
	}
	if t.Database == "" {
		k.fault(path, "users.database_url_file is missing: the file that holds the address of Drone's database, postgres://user:password@host/name or sqlite:///path")
	} else if err := databaseAddress(t.Database); err != nil {
		k.fault(path, "%s: %v", last(path), err)
	}
}

func (k checker) httpTarget(prefix string, t *targetConfig) {
	k.url(prefix+"url", t.URL)
	if k.secret(prefix, "secret", &t.Secret, t.SecretFile) && t.Secret == "" {
		k.fault(prefix+"secret_file", "secret_file is missing: the service knows by it that a message is hookd's")
	}
	k.long(prefix, "secret", t.Secret)
	if err := signingKey(t.Secret); err != nil {
		k.fault(prefix+"secret", "secret: %v", err)
	}
	for _, network := range t.Allow {
		if _, err := netip.ParsePrefix(network); err != nil {
			k.fault(prefix+"allow", "allow: %q is not a network: write 10.0.0.0/8 or 127.0.0.1/32", network)
		}
	}
	k.atLeast(prefix+"timeout", t.Timeout, time.Second)
}

func (k checker) commandTarget(prefix string, t *targetConfig) {
	if len(t.Command) == 0 {
		k.fault(prefix+"command", "command is missing: the program and its arguments, as a list")
	}
	if t.Dir != "" {
		if info, err := os.Stat(t.Dir); err != nil || !info.IsDir() {
			k.fault(prefix+"dir", "dir: %s is not a folder", t.Dir)
		}
	}
	k.atLeast(prefix+"timeout", t.Timeout, time.Second)
}
