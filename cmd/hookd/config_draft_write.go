package main

import (
	"io"
	"path"
	"strings"
)

// write writes a configuration file in which every secret is in a file of
// secretsDir.
func (d *draft) write(w io.Writer, secretsDir string) error {
	b := &draftWriter{dir: secretsDir}
	b.line("# The configuration of hookd, made by `hookd config import`. Put the files that it")
	b.line("# names in place, then: hookd config check && hookd doctor")
	b.line("")
	b.line("# 0.0.0.0:8080 in a container; only /hooks/ belongs on the internet.")
	b.line("#listen: 127.0.0.1:8080")
	b.line("#admin_listen: 127.0.0.1:8081")
	b.line("# The address of listen as the forge sees it. No CI server knows it, and")
	b.line("# `hookd hooks install` needs it.")
	b.line("#public_url: https://hookd.example.com")
	b.line("#data_dir: ./data")
	b.line("")
	b.line("providers:")
	for _, p := range d.providers {
		b.provider(p)
	}
	b.line("")
	b.line("targets:")
	for _, t := range d.targets {
		b.target(t)
	}
	_, err := io.WriteString(w, b.text.String())
	return err
}

type draftWriter struct {
	text strings.Builder
	dir  string // of the secrets
}

func (b *draftWriter) line(text string) { b.text.WriteString(text + "\n") }

// key writes a key of a party, and before it what there is to know about it.
func (b *draftWriter) key(key, value string, about ...string) {
	b.about(about...)
	b.line("    " + key + ": " + value)
}

func (b *draftWriter) about(remarks ...string) {
	for _, r := range remarks {
		b.line("    # " + r)
	}
}

func (b *draftWriter) file(name string) string { return quote(path.Join(b.dir, name)) }

// tokens says what the token of each kind of forge has to be.
var tokens = map[string]string{
	"gitea":   "A site administrator's access token: read:organization, read:repository, read:user; write:organization for hooks install.",
	"forgejo": "A site administrator's access token: read:organization, read:repository, read:user; write:organization for hooks install.",
	"github":  "A token of the organizations' owner: repo, read:org; admin:org_hook for hooks install and the delivery log. Or an app, see the README.",
	"gitlab":  "An administrator's token: api, sudo. On gitlab.com a group owner's: api.",
}

func (b *draftWriter) provider(p *draftProvider) {
	b.line("  - name: " + p.name)
	b.about(p.remarks...)
	b.key("kind", p.kind)
	if p.url != "" {
		b.key("url", quote(p.url))
	}
	b.key("token_file", b.file(p.name+"-token"), tokens[p.kind])
	b.key("secret_file", b.file(p.name+"-hook"), "A new secret, for hookd's own webhook: openssl rand -hex 32")
	names := make([]string, len(p.orgs))
	for i, org := range p.orgs {
		names[i] = quote(org)
	}
	b.key("orgs", "["+strings.Join(names, ", ")+"]")
}

func (b *draftWriter) target(t *draftTarget) {
	b.line("  - name: " + t.name)
	b.about(t.remarks...)
	b.key("kind", t.kind)
	b.key("url", quote(t.url))
	b.key("provider", t.provider)
	b.about("Optional, an administrator's token: look-ups get cheaper, and new users are noticed.")
	b.line("    #token_file: " + b.file(t.name+"-admin"))
	b.key("users", "{token_dir: "+b.file(t.name+"-users")+"}",
		"A folder: one file for each user, its name the login, its content his token.")
	if t.session {
		b.about("Instead of users' tokens, for everybody at once: the secret of Drone's sessions, where Drone is on the same",
			"machine or in the same pod. Needs token_file. The file then holds: what DRONE_COOKIE_SECRET holds")
		b.line("    #users: {session_secret_file: " + b.file(t.name+"-cookie") + "}")
	}
	if t.database != "" {
		b.about("Instead of users' tokens, for everybody at once: Drone's database (README, \"The ways into Drone\").",
			"The file then holds: "+t.database)
		b.line("    #mode: database")
		b.line("    #users: {database_url_file: " + b.file(t.name+"-database") + "}")
	}
}
