package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A setting ties a path of the file to the variable it fills. The tables of
// settings are the one description of the configuration: the file's reader,
// the environment's reader, `config show` and `config schema` all go by them.
type setting struct {
	path string // below the table's prefix: "poll.members"
	into any    // *string, *secret, *int, *time.Duration, *size, or a pointer to a slice of those
	vars []string
	of   []string // the kinds that have it; nil if all do
	// words are all that it may hold, nil if it is not one of few words.
	words []string
}

// has reports whether a party of a kind has the setting. One of a kind that
// nobody knows may have any.
func (s setting) has(kind string) bool {
	return s.of == nil || kind == "" || slices.Contains(s.of, kind) || !slices.Contains(servedTargets, kind)
}

// variables returns the last parts of the environment variables that fill s:
// those given, else the path in capitals.
func (s setting) variables() []string {
	if s.vars != nil {
		return s.vars
	}
	return []string{strings.ToUpper(strings.ReplaceAll(s.path, ".", "_"))}
}

// A table is what may stand in one mapping of the file, and below it.
type table struct {
	prefix   string // of its origins: "providers[0]."
	kind     string // of the target it describes, if it does
	settings []setting
	lists    map[string]func() table // by path: appends an element and returns its table
	later    map[string]string       // known, but not served by this build -> what to do instead
}

// noVars marks a setting that has no environment variable.
var noVars = []string{}

func (c *config) table() table {
	return table{
		settings: []setting{
			{path: "listen", into: &c.Listen},
			{path: "admin_listen", into: &c.AdminListen},
			{path: "public_url", into: &c.PublicURL},
			{path: "data_dir", into: &c.DataDir},
			{path: "log.level", into: &c.Log.Level, words: logLevels},
			{path: "log.format", into: &c.Log.Format, words: logFormats},
			{path: "sync.debounce", into: &c.Sync.Debounce},
			{path: "sync.max_delay", into: &c.Sync.MaxDelay},
			{path: "sync.workers", into: &c.Sync.Workers},
			{path: "sync.verify", into: &c.Sync.Verify},
			{path: "sync.retry.first", into: &c.Sync.Retry.First},
			{path: "sync.retry.max", into: &c.Sync.Retry.Max},
			{path: "sync.retry.give_up", into: &c.Sync.Retry.GiveUp},
			{path: "sync.shrink_guard.percent", into: &c.Sync.Guard.Percent},
			{path: "sync.shrink_guard.min_repos", into: &c.Sync.Guard.MinRepos},
			{path: "sync.reconcile", into: &c.Sync.Reconcile},
			{path: "retention.deliveries", into: &c.Retention.Deliveries},
			{path: "retention.bodies", into: &c.Retention.Bodies},
			{path: "retention.max_bytes", into: &c.Retention.MaxBytes},
		},
		lists: map[string]func() table{
			"admin.tokens": func() table { return c.tokenTable(c.addToken()) },
			"providers":    func() table { return c.providerTable(c.addProvider("")) },
			"targets":      func() table { return c.targetTable(c.addTarget("")) },
		},
	}
}

func (c *config) addToken() int {
	c.Tokens = append(c.Tokens, &tokenConfig{})
	return len(c.Tokens) - 1
}

func (c *config) tokenTable(i int) table {
	t := c.Tokens[i]
	return table{prefix: fmt.Sprintf("admin.tokens[%d].", i), settings: []setting{
		{path: "name", into: &t.Name},
		{path: "role", into: &t.Role, words: roles},
		{path: "token", into: &t.Token},
		{path: "token_file", into: &t.TokenFile},
	}}
}

func (c *config) addProvider(name string) int {
	c.Providers = append(c.Providers, &providerConfig{
		Name: name,
		Poll: pollConfig{Members: 5 * time.Minute, Repos: 10 * time.Minute, Deliveries: 10 * time.Minute},
	})
	return len(c.Providers) - 1
}

func (c *config) providerTable(i int) table {
	p := c.Providers[i]
	return table{prefix: fmt.Sprintf("providers[%d].", i), settings: []setting{
		{path: "name", into: &p.Name, vars: noVars},
		{path: "kind", into: &p.Kind, words: servedForges},
		{path: "url", into: &p.URL},
		{path: "token", into: &p.Token},
		{path: "token_file", into: &p.TokenFile},
		{path: "secret", into: &p.Secret},
		{path: "secret_file", into: &p.SecretFile},
		{path: "secrets", into: &p.Secrets, vars: noVars},
		{path: "secret_files", into: &p.SecretFiles},
		{path: "app.id", into: &p.App.ID},
		{path: "app.installation_id", into: &p.App.InstallationID},
		{path: "app.private_key_file", into: &p.App.PrivateKeyFile},
		{path: "orgs", into: &p.Orgs},
		{path: "poll.members", into: &p.Poll.Members},
		{path: "poll.repos", into: &p.Poll.Repos},
		{path: "poll.deliveries", into: &p.Poll.Deliveries},
	}}
}

func (c *config) addTarget(name string) int {
	c.Targets = append(c.Targets, &targetConfig{Name: name, Mode: "api", Timeout: time.Minute, Offboard: "never"})
	return len(c.Targets) - 1
}

func (c *config) targetTable(i int) table {
	t := c.Targets[i]
	return table{
		prefix: fmt.Sprintf("targets[%d].", i),
		kind:   t.Kind,
		settings: []setting{
			{path: "name", into: &t.Name, vars: noVars},
			{path: "kind", into: &t.Kind, words: servedTargets},
			{path: "provider", into: &t.Provider},
			{path: "concurrency", into: &t.Concurrency},
			{path: "interval", into: &t.Interval},
			{path: "url", into: &t.URL, of: []string{"drone", "woodpecker", "http"}},
			{path: "token", into: &t.Token, of: []string{"drone", "woodpecker"}},
			{path: "token_file", into: &t.TokenFile, of: []string{"drone", "woodpecker"}},
			{path: "mode", into: &t.Mode, of: []string{"drone"}, words: servedModes},
			{path: "users.token_dir", into: &t.TokenDir, vars: []string{"TOKEN_DIR", "USERS_TOKEN_DIR"}, of: []string{"drone", "woodpecker"}},
			{path: "users.link", into: &t.Link, vars: []string{"LINK", "USERS_LINK"}, of: []string{"drone"}},
			{path: "users.provision", into: &t.Provision, vars: []string{"PROVISION", "USERS_PROVISION"}, of: []string{"drone"}},
			{path: "users.key_file", into: &t.KeyFile, vars: []string{"KEY_FILE", "USERS_KEY_FILE"}, of: []string{"drone"}},
			{path: "users.session_secret", into: &t.Session, vars: noVars, of: []string{"drone"}},
			{path: "users.session_secret_file", into: &t.SessionFile, vars: []string{"SESSION_SECRET_FILE", "USERS_SESSION_SECRET_FILE"}, of: []string{"drone"}},
			{path: "users.session_allow_remote", into: &t.SessionRemote, vars: []string{"SESSION_ALLOW_REMOTE", "USERS_SESSION_ALLOW_REMOTE"}, of: []string{"drone"}},
			{path: "users.session_allow_admins", into: &t.SessionAdmins, vars: []string{"SESSION_ALLOW_ADMINS", "USERS_SESSION_ALLOW_ADMINS"}, of: []string{"drone"}},
			{path: "users.database_url", into: &t.Database, vars: noVars, of: []string{"drone"}},
			{path: "users.database_url_file", into: &t.DatabaseFile, vars: []string{"DATABASE_URL_FILE", "USERS_DATABASE_URL_FILE"}, of: []string{"drone"}},
			{path: "events_secret", into: &t.Events, of: []string{"drone"}},
			{path: "events_secret_file", into: &t.EventsFile, of: []string{"drone"}},
			{path: "secret", into: &t.Secret, of: []string{"http"}},
			{path: "secret_file", into: &t.SecretFile, of: []string{"http"}},
			{path: "allow", into: &t.Allow, of: []string{"http"}},
			{path: "command", into: &t.Command, vars: noVars, of: []string{"command"}}, // a comma may belong to an argument
			{path: "dir", into: &t.Dir, of: []string{"command"}},
			{path: "env", into: &t.Env, of: []string{"command"}},
			{path: "timeout", into: &t.Timeout, of: []string{"http", "command"}},
			{path: "offboard", into: &t.Offboard, of: []string{"drone"}, words: offboardings},
			{path: "offboard_admins", into: &t.OffboardAdmins, of: []string{"drone"}},
			{path: "activate.dry_run", into: &t.Activate.DryRun, of: activated},
		},
		lists: map[string]func() table{
			"activate.rules": func() table { return c.ruleTable(i, t.addRule()) },
		},
		later: map[string]string{
			"database_url_file":   "write users.database_url_file",
			"session_secret_file": "write users.session_secret_file",
		},
	}
}
