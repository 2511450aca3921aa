package main

import (
	"slices"
	"strings"
)

// An environ is the process's environment, as os.Environ returns it. It is a
// list and not a lookup, because providers and targets are named by the names
// of their variables.
type environ []string

// get returns a variable's value. An empty variable is an unset one: compose
// files and charts pass those on.
func (e environ) get(name string) string {
	for _, kv := range slices.Backward(e) {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

// readEnv overlays c with HOOKD_* variables.
//
// An unknown HOOKD_PROVIDER_* or HOOKD_TARGET_* is a fault. Of the others only
// a near miss is one: Kubernetes puts HOOKD_PORT and its like into every
// container beside a service that is called hookd.
func (c *config) readEnv(env environ, f *faults) {
	vars := slices.Clone(env)
	slices.Sort(vars)
	base := c.table()
	var known []string
	for _, s := range base.settings {
		for _, v := range s.variables() {
			known = append(known, "HOOKD_"+v)
		}
	}
	for _, kv := range vars {
		name, value, _ := strings.Cut(kv, "=")
		rest, ours := strings.CutPrefix(name, "HOOKD_")
		if !ours || value == "" {
			continue
		}
		if s, ok := base.byVariable(rest); ok {
			c.putText(s, s.path, value, origin{Var: name}, f)
			continue
		}
		switch {
		case strings.HasPrefix(rest, "PROVIDER_"):
			c.elementVar(name, rest[len("PROVIDER_"):], value, (*config).providerNamed, f)
		case strings.HasPrefix(rest, "TARGET_"):
			c.elementVar(name, rest[len("TARGET_"):], value, (*config).targetNamed, f)
		case rest == "ADMIN_TOKEN_FILE":
			i := c.addToken()
			c.Tokens[i].Name, c.Tokens[i].Role, c.Tokens[i].TokenFile = "environment", "admin", value
			prefix := c.tokenTable(i).prefix
			c.origins[strings.TrimSuffix(prefix, ".")] = origin{Var: name}
			c.origins[prefix+"token_file"] = origin{Var: name}
		case rest == "ADMIN_TOKEN":
			f.add(origin{Var: name}, "an admin token is not taken from the environment, where every process of the user reads it: put it into a file and name that by HOOKD_ADMIN_TOKEN_FILE")
		case slices.Contains(clientVars, name):
		default:
			if near := closest(name, append(known, clientVars...)); near != "" && distance(near, name) <= 2 {
				f.add(origin{Var: name}, "unknown variable, did you mean %s?", near)
			}
		}
	}
}

// clientVars are variables that choose the configuration or the server to talk
// to and are not part of the configuration.
var clientVars = []string{"HOOKD_CONFIG", "HOOKD_ADMIN", "HOOKD_TOKEN_FILE"}

// byVariable finds the setting that a variable's last part fills.
func (t table) byVariable(part string) (setting, bool) {
	for _, s := range t.settings {
		if slices.Contains(s.variables(), part) {
			return s, true
		}
	}
	return setting{}, false
}

// providerNamed returns the table of the provider of a name, which it adds if
// there is none; targetNamed does so for targets.
func (c *config) providerNamed(name string) table {
	for i, p := range c.Providers {
		if p.Name == name {
			return c.providerTable(i)
		}
	}
	return c.providerTable(c.addProvider(name))
}

func (c *config) targetNamed(name string) table {
	for i, t := range c.Targets {
		if t.Name == name {
			return c.targetTable(i)
		}
	}
	return c.targetTable(c.addTarget(name))
}

// elementVar reads one variable of a provider or target: rest is NAME_KEY, of
// which the longest known KEY counts, so that GIT_TOKEN_FILE is git's
// TOKEN_FILE.
func (c *config) elementVar(name, rest, value string, named func(*config, string) table, f *faults) {
	var parts []string
	for _, s := range named(defaults(), "").settings {
		parts = append(parts, s.variables()...)
	}
	slices.SortFunc(parts, func(a, b string) int { return len(b) - len(a) })
	for _, part := range parts {
		element, ok := strings.CutSuffix(rest, "_"+part)
		if !ok || element == "" {
			continue
		}
		t := named(c, strings.ReplaceAll(strings.ToLower(element), "_", "-"))
		if at := strings.TrimSuffix(t.prefix, "."); c.origins[at] == (origin{}) {
			c.origins[at] = origin{Var: strings.TrimSuffix(name, part) + "*"}
			c.origins[t.prefix+"name"] = c.origins[at]
		}
		s, _ := t.byVariable(part)
		c.putText(s, t.prefix+s.path, value, origin{Var: name}, f)
		return
	}
	f.add(origin{Var: name}, "unknown variable: it must end in one of %s", strings.Join(slices.Sorted(slices.Values(parts)), ", "))
}

// putText fills a setting from a layer above the file: a list is separated by
// commas, and replaces that of the file.
func (c *config) putText(s setting, path, value string, at origin, f *faults) {
	values := []string{value}
	if isList(s.into) {
		values = strings.Split(value, ",")
		clearList(s.into)
		for i := range values {
			values[i] = strings.TrimSpace(values[i])
		}
	}
	c.origins[path] = at
	delete(c.bad, path)
	for _, v := range values {
		if err := put(s.into, v); err != nil {
			f.add(at, "%v", err)
			c.bad[path] = true
		}
	}
}
