package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
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
		add(fmt.Sprintf("providers.%s.", cmp.Or(p.Name, "?")), c.providerTable(i))
	}
	for i, t := range c.Targets {
		add(fmt.Sprintf("targets.%s.", cmp.Or(t.Name, "?")), c.targetTable(i))
	}
	return out
}

// live reports whether a running server follows a setting.
func live(s setting) bool {
	switch s.path {
	case "log.level", "token", "token_file", "secret", "secret_file", "secrets", "secret_files":
		return true
	}
	return false
}
