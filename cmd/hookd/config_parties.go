package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hookd/hookd/providers"
)

// The kinds that hookd is made for, and those that this build serves.
var (
	forgeKinds   = []string{"github", "gitlab", "gitea", "forgejo", "gogs", "bitbucket", "bitbucket-server", "azuredevops", "coding"}
	servedForges = []string{"gitea", "forgejo", "github", "gitlab"}

	targetKinds   = []string{"drone", "woodpecker", "http", "command"}
	servedTargets = []string{"drone", "woodpecker", "http", "command"}

	targetModes = []string{"api", "database"}
	servedModes = []string{"api", "database"}

	roles = []string{"viewer", "operator", "admin"} // each includes those before it

	logLevels  = []string{"debug", "info", "warn", "error"}
	logFormats = []string{"auto", "text", "json"}
)

// served checks a value of which this build serves some.
func (k checker) served(path, text string, known, served []string) {
	if k.oneOf(path, text, known...) && !slices.Contains(served, text) {
		k.fault(path, "%s %q is not served yet: this build serves %s", last(path), text, enumerate(served))
	}
}

func enumerate(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

func (k checker) token(prefix string, t *tokenConfig) {
	if t.Name == "" {
		k.fault(prefix+"name", "name is missing")
	}
	k.oneOf(prefix+"role", t.Role, roles...)
	if k.secret(prefix, "token", &t.Token, t.TokenFile) && t.Token == "" {
		k.fault(prefix+"token_file", "token_file is missing")
	}
	k.long(prefix, "token", t.Token)
}

func (k checker) provider(prefix string, p *providerConfig) {
	k.name(prefix+"name", p.Name)
	k.served(prefix+"kind", p.Kind, forgeKinds, servedForges)
	if p.URL != "" || !hasHome(p.Kind) {
		k.url(prefix+"url", p.URL)
	}
	// A provider without a token may start: it takes deliveries and keeps them,
	// and says at every start that it cannot ask what they mean.
	k.secret(prefix, "token", &p.Token, p.TokenFile)
	k.app(prefix, p)
	k.hooks(prefix, p)
	if len(p.Orgs) == 0 {
		k.fault(prefix+"orgs", `orgs is missing: name the organizations to follow, or ["*"] for all`)
	}
	k.atLeast(prefix+"poll.members", p.Poll.Members, time.Second)
	k.atLeast(prefix+"poll.repos", p.Poll.Repos, time.Second)
	k.atLeast(prefix+"poll.deliveries", p.Poll.Deliveries, time.Second)
}

// hooks gathers the webhook secrets, however they are spelled.
func (k checker) hooks(prefix string, p *providerConfig) {
	var given []string
	for key, set := range map[string]bool{
		"secret": p.Secret != "", "secret_file": p.SecretFile != "",
		"secrets": len(p.Secrets) > 0, "secret_files": len(p.SecretFiles) > 0,
	} {
		if set || k.c.bad[prefix+key] {
			given = append(given, key)
		}
	}
	slices.Sort(given)
	switch len(given) {
	case 0:
		k.fault(prefix+"secret", "secret is missing: without one anybody could send deliveries (secret, secret_file, secrets or secret_files)")
		return
	case 1:
	default:
		k.fault(prefix+given[1], "%s are both set: give one of them", strings.Join(given, " and "))
		return
	}
	p.Hooks = nil
	add := func(path string, s secret) {
		k.longAt(path, "secret", s)
		k.signing(path, p.Kind, s)
		p.Hooks = append(p.Hooks, s)
	}
	switch given[0] {
	case "secret":
		add(prefix+"secret", p.Secret)
	case "secrets":
		for i, s := range p.Secrets {
			add(fmt.Sprintf("%ssecrets[%d]", prefix, i), s)
		}
	case "secret_file":
		if s, ok := k.file(prefix+"secret_file", p.SecretFile); ok {
			add(prefix+"secret_file", s)
		}
	case "secret_files":
		for i, name := range p.SecretFiles {
			path := fmt.Sprintf("%ssecret_files[%d]", prefix, i)
			if s, ok := k.file(path, name); ok {
				add(path, s)
			}
		}
	}
}

// secret reads x_file into x. It reports whether there was nothing wrong,
// which includes that neither is set.
func (k checker) secret(prefix, key string, into *secret, file string) bool {
	if file == "" {
		return !k.c.bad[prefix+key] && k.sendable(prefix+key, key, *into)
	}
	if *into != "" {
		k.fault(prefix+key+"_file", "%s and %s_file are both set (%s at %s): give one of them", key, key, key, k.c.origins[prefix+key])
		return false
	}
	s, ok := k.file(prefix+key+"_file", file)
	*into = s
	return ok && k.sendable(prefix+key+"_file", key, s)
}

// sendable refuses a token that a header cannot carry as it is: nobody could
// ever be let in with it.
func (k checker) sendable(path, key string, s secret) bool {
	text := string(s)
	if strings.TrimSpace(text) == text && !strings.ContainsFunc(text, unicode.IsControl) {
		return true
	}
	k.fault(path, "%s has white space at an end, or a line break or control character in it: it could not be sent", key)
	return false
}

// file reads a secret file. One trailing newline does not belong to the
// secret: editors and echo leave it behind.
func (k checker) file(path, name string) (secret, bool) {
	b, ok := k.raw(path, name)
	if !ok {
		return "", false
	}
	s := strings.TrimSuffix(string(b), "\n")
	s = strings.TrimSuffix(s, "\r")
	switch {
	case s == "":
		k.fault(path, "the secret file %s is empty", name)
		return "", false
	case strings.HasPrefix(s, byteOrderMark):
		k.fault(path, "the secret file %s begins with a byte order mark, which would be a part of it: save it without one", name)
		return "", false
	}
	return secret(s), true
}

// raw reads a secret file as it is.
func (k checker) raw(path, name string) ([]byte, bool) {
	b, err := os.ReadFile(name)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		k.fault(path, "cannot read the secret file %s: %v", name, err)
		return nil, false
	}
	return b, true
}

// long refuses secrets that can be guessed.
func (k checker) long(prefix, key string, s secret) {
	path := prefix + key
	if _, ok := k.c.origins[path]; !ok {
		path += "_file"
	}
	k.longAt(path, key, s)
}

func (k checker) longAt(path, key string, s secret) {
	if s != "" && len(s) < providers.MinSecret {
		k.fault(path, "%s has %d bytes: at least %d are needed (openssl rand -hex 32)", key, len(s), providers.MinSecret)
	}
}
