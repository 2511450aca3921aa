package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// changed lists the settings that differ between c and d and that a running
// server cannot take over.
func (c *config) changed(d *config) []string {
	a, b := c.flat(), d.flat()
	all := maps.Clone(a)
	maps.Copy(all, b)
	var paths []string
	for path := range all {
		if a[path] != b[path] {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// flat returns the values of all settings that need a restart, by path, where
// providers and targets go by their names.
func (c *config) flat() map[string]string {
	out := map[string]string{}
	add := func(prefix string, t table) {
		for _, s := range t.settings {
			if !live(s) {
				out[prefix+s.path] = strings.Join(format(s.into), ",")
			}
		}
	}
	add("", c.table())
	for i, p := range c.Providers {
		prefix := fmt.Sprintf("providers.%s.", cmp.Or(p.Name, "?"))
		add(prefix, c.providerTable(i))
		out[prefix+"token"] = given(p.Token)
		if p.App.key != "" {
			out[prefix+"app.private_key_file"] += digest(string(p.App.key))
		}
	}
	for i, t := range c.Targets {
		prefix := fmt.Sprintf("targets.%s.", cmp.Or(t.Name, "?"))
		add(prefix, c.targetTable(i))
		for j := range t.Activate.Rules {
			add(fmt.Sprintf("%sactivate.rules[%d].", prefix, j), c.ruleTable(i, j))
		}
		out[prefix+"token"] = given(t.Token)
		out[prefix+"users.session_secret"] = given(t.Session)
		out[prefix+"users.key_file"] += digest(string(t.key))
	}
	return out
}

// digest stands for the content of a file.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// given tells whether there is a token. One that is replaced by another is
// followed, but a driver without any has no place for one.
func given(token secret) string { return strconv.FormatBool(token != "") }

// live reports whether a running server follows a setting.
func live(s setting) bool {
	switch s.path {
	case "log.level", "token", "token_file", "secret", "secret_file", "secrets", "secret_files", "users.database_url", "users.database_url_file", "users.session_secret", "users.session_secret_file", "events_secret", "events_secret_file":
		return true
	}
	return false
}
