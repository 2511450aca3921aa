package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A draft is what a CI server's environment tells of a configuration.
type draft struct {
	providers []*draftProvider
	targets   []*draftTarget
}

type draftProvider struct {
	name, kind string
	url        string // "" for github.com and gitlab.com
	orgs       []string
	remarks    []string
}

type draftTarget struct {
	name, kind, url, provider string
	remarks                   []string
	session                   bool // Drone's session secret is known to the environment
	// database is what to put into the file of mode database, "" where that is
	// not to be had.
	database string
}

// A ciForge is how a CI server is told of one kind of forge.
type ciForge struct {
	kind string
	on   []string // variables of which any says that this is the forge
	url  []string // the first that is there counts
	home string   // the address without any
	skip string   // says that certificates are not checked
}

// The variables of Drone 2 (cmd/drone-server/config/config.go, which takes the
// first forge that is configured) and Woodpecker 3 (cmd/server/flags.go).
var (
	droneForges = []ciForge{
		{"bitbucket", []string{"DRONE_BITBUCKET_CLIENT_ID"}, nil, "", ""},
		{"github", []string{"DRONE_GITHUB_CLIENT_ID", "DRONE_GITHUB_SERVER"}, []string{"DRONE_GITHUB_SERVER"}, "https://github.com", "DRONE_GITHUB_SKIP_VERIFY"},
		{"gitea", []string{"DRONE_GITEA_SERVER"}, []string{"DRONE_GITEA_SERVER"}, "", "DRONE_GITEA_SKIP_VERIFY"},
		{"gitlab", []string{"DRONE_GITLAB_CLIENT_ID", "DRONE_GITLAB_SERVER"}, []string{"DRONE_GITLAB_SERVER"}, "https://gitlab.com", "DRONE_GITLAB_SKIP_VERIFY"},
		{"gogs", []string{"DRONE_GOGS_SERVER"}, []string{"DRONE_GOGS_SERVER"}, "", "DRONE_GOGS_SKIP_VERIFY"},
		{"bitbucket-server", []string{"DRONE_STASH_SERVER"}, []string{"DRONE_STASH_SERVER"}, "", "DRONE_STASH_SKIP_VERIFY"},
	}
	woodpeckerForges = []ciForge{
		woodpeckerForge("github", "GITHUB", "https://github.com"),
		woodpeckerForge("gitlab", "GITLAB", "https://gitlab.com"),
		woodpeckerForge("gitea", "GITEA", ""),
		woodpeckerForge("forgejo", "FORGEJO", ""),
		woodpeckerForge("bitbucket", "BITBUCKET", ""),
		woodpeckerForge("bitbucket-server", "BITBUCKET_DC", ""),
	}
)

func woodpeckerForge(kind, word, home string) ciForge {
	name := "WOODPECKER_" + word
	return ciForge{kind, []string{name}, []string{name + "_URL", "WOODPECKER_FORGE_URL"}, home, name + "_SKIP_VERIFY"}
}

// draftOf makes a draft of an environment. It fails if that tells of no forge,
// or of one that this build does not serve.
func draftOf(env ciEnv) (*draft, error) {
	d := &draft{}
	err := errors.Join(d.drone(env), d.woodpecker(env))
	if err == nil && len(d.providers) == 0 {
		err = errors.New("no DRONE_* or WOODPECKER_* variable names a forge: is this the environment of the server, and not of a runner or agent?\nsee: hookd config import --help")
	}
	return d, err
}

func (d *draft) drone(env ciEnv) error {
	i := slices.IndexFunc(droneForges, func(f ciForge) bool { return slices.ContainsFunc(f.on, env.has) })
	if i < 0 {
		return nil
	}
	p, err := d.provider(env, droneForges[i])
	if err != nil {
		return err
	}
	if p.kind == "gitea" {
		p.remarks = append(p.remarks, "If it is Forgejo, write kind: forgejo.")
	}
	p.follow(env.list("DRONE_REPOSITORY_FILTER"), "DRONE_REPOSITORY_FILTER")

	// Drone's own rule and defaults.
	proto, host := cmp.Or(env.get("DRONE_SERVER_PROTO"), "http"), env.get("DRONE_SERVER_HOST")
	if env.yes("DRONE_TLS_AUTOCERT") || env.has("DRONE_TLS_CERT") || env.has("DRONE_TLS_KEY") {
		proto = "https"
	}
	t := &draftTarget{name: "drone", kind: "drone", provider: p.name, session: env.has("DRONE_COOKIE_SECRET")}
	if host == "" {
		host = "localhost:8080"
		t.remarks = append(t.remarks, "DRONE_SERVER_HOST is not known: write Drone's address.")
	}
	if t.url, err = webAddress("DRONE_SERVER_HOST", proto+"://"+host); err != nil {
		return err
	}
	if strings.Contains(env.get("DRONE_USER_CREATE"), "admin:true") {
		t.remarks = append(t.remarks, "DRONE_USER_CREATE holds an administrator's token (behind token:), if it has one: it may be that of token_file.")
	}
	switch source := env.get("DRONE_DATABASE_DATASOURCE"); env.get("DRONE_DATABASE_DRIVER") {
	case "postgres":
		t.database = "what DRONE_DATABASE_DATASOURCE holds"
	case "", "sqlite3":
		if strings.HasPrefix(source, "/") && clean(source) == source {
			t.database = "sqlite://" + source
		}
	case "mysql":
		t.remarks = append(t.remarks, "Drone's database is MySQL, which mode: database does not serve.")
	}
	d.targets = append(d.targets, t)
	return nil
}

func (d *draft) woodpecker(env ciEnv) error {
	i := slices.IndexFunc(woodpeckerForges, func(f ciForge) bool { return env.yes(f.on[0]) })
	if i < 0 {
		// One address alone says it as well.
		i = slices.IndexFunc(woodpeckerForges, func(f ciForge) bool { return env.has(f.url[0]) && !env.has(f.on[0]) })
	}
	if i < 0 {
		return nil
	}
	p, err := d.provider(env, woodpeckerForges[i])
	if err != nil {
		return err
	}
	if owners := env.list("WOODPECKER_REPO_OWNERS"); owners != nil {
		p.follow(owners, "WOODPECKER_REPO_OWNERS")
	} else {
		p.follow(env.list("WOODPECKER_ORGS"), "WOODPECKER_ORGS, whose members may sign in")
	}
	t := &draftTarget{name: "woodpecker", kind: "woodpecker", provider: p.name, url: "http://localhost:8000"}
	if env.get("WOODPECKER_HOST") == "" {
		t.remarks = append(t.remarks, "WOODPECKER_HOST is not known: write Woodpecker's address.")
	} else if t.url, err = webAddress("WOODPECKER_HOST", env.get("WOODPECKER_HOST")); err != nil {
		return err
	}
	d.targets = append(d.targets, t)
	return nil
}

// provider returns the provider of a forge; two CI servers may have the same.
func (d *draft) provider(env ciEnv, f ciForge) (*draftProvider, error) {
	if !slices.Contains(servedForges, f.kind) {
		return nil, fmt.Errorf("the forge is of kind %s, which is not served yet: this build serves %s", f.kind, enumerate(servedForges))
	}
	p := &draftProvider{kind: f.kind, url: f.home}
	for _, name := range f.url {
		if env.get(name) != "" {
			var err error
			if p.url, err = webAddress(name, env.get(name)); err != nil {
				return nil, err
			}
			break
		}
		if env.has(name) {
			p.remarks = append(p.remarks, name+" is not known: write the forge's address.")
			break
		}
	}
	if p.url == "" {
		return nil, fmt.Errorf("%s says where the forge is, and its value is not known here: add %s=https://…", f.url[0], f.url[0])
	}
	if hasHome(f.kind) && p.url == f.home {
		p.url = ""
	}
	if env.yes(f.skip) {
		p.remarks = append(p.remarks, f.skip+" has no counterpart: hookd checks certificates. Trust the authority, by SSL_CERT_FILE for example.")
	}
	for _, other := range d.providers {
		if other.url == p.url && (other.kind == p.kind || p.url != "") {
			if p.kind == "forgejo" {
				other.kind = p.kind
			}
			return other, nil
		}
	}
	p.name = p.kind
	if slices.ContainsFunc(d.providers, func(o *draftProvider) bool { return o.name == p.name }) {
		p.name += "-2"
	}
	d.providers = append(d.providers, p)
	return p, nil
}

// follow adds organizations to those of the provider. A CI server without a
// filter follows all of them.
func (p *draftProvider) follow(orgs []string, from string) {
	if orgs == nil {
		from, _, _ = strings.Cut(from, ",")
		p.remarks = append(p.remarks, from+" names nobody, so every organization is followed. Better name yours.")
		orgs = []string{"*"}
	} else {
		p.remarks = append(p.remarks, "The organizations of "+from+".")
	}
	for _, org := range orgs {
		if !slices.Contains(p.orgs, org) {
			p.orgs = append(p.orgs, org)
		}
	}
	if slices.Contains(p.orgs, "*") {
		p.orgs = []string{"*"}
	}
}

// webAddress checks an address that is going to be written into the file.
func webAddress(name, text string) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	switch {
	case err != nil || !isWeb(u):
		return "", fmt.Errorf("%s is not a web address", name)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%s holds more than an address: leave credentials and query out of it", name)
	}
	return u.String(), nil
}
