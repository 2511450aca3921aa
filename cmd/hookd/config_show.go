package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// show writes the effective configuration as a file that hookd would read,
// with secrets masked, and beside each value where it came from.
func (c *config) show(w io.Writer) {
	base := c.table()
	c.showTable(w, base, "", nil)
	c.showList(w, "admin:\n  tokens:", "    ", len(c.Tokens), c.tokenTable)
	c.showList(w, "providers:", "  ", len(c.Providers), c.providerTable)
	c.showList(w, "targets:", "  ", len(c.Targets), c.targetTable, c.showRules)
}

// showRules writes the rules of a target, whose setting activate.dry_run is the
// last that was written, if it is set.
func (c *config) showRules(w io.Writer, i int) {
	a := c.Targets[i].Activate
	if len(a.Rules) == 0 {
		return
	}
	if !a.DryRun {
		fmt.Fprintln(w, "    activate:")
	}
	c.showList(w, "      rules:", "        ", len(a.Rules), func(j int) table { return c.ruleTable(i, j) })
}

// showList writes tables one below the other, and below each what more has to
// say of it.
func (c *config) showList(w io.Writer, head, indent string, n int, tableOf func(int) table, more ...func(io.Writer, int)) {
	if n == 0 {
		return
	}
	fmt.Fprintln(w, head)
	for i := range n {
		bullet := indent + "- "
		c.showTable(w, tableOf(i), indent+"  ", &bullet)
		for _, m := range more {
			m(w, i)
		}
	}
}

// showTable writes the settings of t that are set. The first line begins with
// bullet, if there is one.
func (c *config) showTable(w io.Writer, t table, indent string, bullet *string) {
	var open []string
	line := func(depth int, text, from string) {
		lead := indent + strings.Repeat("  ", depth)
		if bullet != nil {
			lead, bullet = *bullet, nil
		}
		if from != "" {
			text = fmt.Sprintf("%-*s # %s", max(44-len(lead), 0), text, from)
		}
		fmt.Fprintln(w, lead+text)
	}
	for _, s := range t.settings {
		values := format(s.into)
		if values == nil || !s.has(t.kind) || c.fromFile(t, s) {
			continue
		}
		parts := strings.Split(s.path, ".")
		sections := parts[:len(parts)-1]
		for i, name := range sections {
			if i >= len(open) || open[i] != name {
				line(i, name+":", "")
				open = append(open[:i:i], name)
			}
		}
		open = open[:len(sections)]
		if _, word := s.into.(*bool); !word {
			for i, v := range values {
				values[i] = quote(v)
			}
		}
		text := values[0]
		if isList(s.into) {
			text = "[" + strings.Join(values, ", ") + "]"
		}
		line(len(sections), parts[len(parts)-1]+": "+text, c.origins[t.prefix+s.path].String())
	}
}

// fromFile reports whether s is a secret that was read from the file beside
// it: the file's name is shown instead.
func (c *config) fromFile(t table, s setting) bool {
	if _, ok := s.into.(*secret); !ok {
		return false
	}
	for _, other := range t.settings {
		if p, ok := other.into.(*string); ok && other.path == s.path+"_file" && *p != "" {
			return true
		}
	}
	return false
}

var plain = regexp.MustCompile(`^[A-Za-z0-9./][A-Za-z0-9./:_@-]*$`)

// quote writes a scalar so that YAML reads it back as the same text.
func quote(s string) string {
	switch s {
	case "true", "false", "null":
		return strconv.Quote(s)
	}
	if plain.MatchString(s) && !strings.HasSuffix(s, ":") {
		return s
	}
	return strconv.Quote(s)
}
