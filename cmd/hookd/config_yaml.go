package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// readYAML overlays c with the file's text and returns what is wrong with its
// form. It walks the syntax tree instead of decoding into a struct, because the
// library's strict mode stops at the first fault and overlooks a second
// document. It reports whether the text could be parsed at all.
func (c *config) readYAML(f *faults) bool {
	r := yamlReader{c: c, f: f, anchors: map[string]ast.Node{}}
	text := strings.Join(c.source.lines, "\n") + "\n"
	file, err := parser.ParseBytes([]byte(text), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var syntax *yaml.SyntaxError
		at := origin{File: c.source.name}
		if errors.As(err, &syntax) {
			f.add(r.at(syntax.GetToken()), "%s", syntax.GetMessage())
		} else {
			f.add(at, "%v", err)
		}
		return false
	}
	seen := false
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if _, comment := doc.Body.(*ast.CommentGroupNode); comment {
			continue
		}
		if seen {
			f.add(r.at(first(doc.Body)), "a second document: the configuration is one document")
			break
		}
		seen = true
		r.mapping(doc.Body, "", c.table())
	}
	return true
}

type yamlReader struct {
	c       *config
	f       *faults
	anchors map[string]ast.Node
}

func (r *yamlReader) at(t *token.Token) origin {
	if t == nil || t.Position == nil {
		return origin{File: r.c.source.name, Line: 1, Col: 1}
	}
	return origin{File: r.c.source.name, Line: t.Position.Line, Col: t.Position.Column}
}

// first returns the token at which a node begins. A mapping's own token is its
// first colon.
func first(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}

// resolve follows aliases and strips anchors and tags.
func (r *yamlReader) resolve(n ast.Node) ast.Node {
	for range 8 { // deeper than anybody writes; ends an alias that names itself
		switch x := n.(type) {
		case *ast.AnchorNode:
			r.anchors[x.Name.GetToken().Value] = x.Value
			n = x.Value
		case *ast.AliasNode:
			target, ok := r.anchors[x.Value.GetToken().Value]
			if !ok {
				return n
			}
			n = target
		case *ast.TagNode:
			n = x.Value
		default:
			return n
		}
	}
	return n
}

// mapping reads the part of t's settings whose paths begin with section.
func (r *yamlReader) mapping(n ast.Node, section string, t table) {
	n = r.resolve(n)
	var entries []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		entries = n.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{n}
	case *ast.NullNode:
		return
	default:
		r.f.add(r.at(first(n)), "%s must be a mapping of keys to values, not %s", cmp.Or(section, "the configuration"), describe(n))
		return
	}
	seen := map[string]origin{}
	for _, e := range entries {
		key, at := e.Key.GetToken().Value, r.at(e.Key.GetToken())
		if _, merge := e.Key.(*ast.MergeKeyNode); merge {
			r.f.add(at, "merge keys are not understood here: write the keys out")
			continue
		}
		if before, dup := seen[key]; dup {
			r.f.add(at, "duplicate key %q, first on line %d", key, before.Line)
			continue
		}
		seen[key] = at
		r.entry(join(section, key), key, at, e.Value, section, t)
	}
}

func (r *yamlReader) entry(path, key string, at origin, value ast.Node, section string, t table) {
	for _, s := range t.settings {
		if s.path == path {
			r.value(s, t.prefix+path, value)
			return
		}
	}
	if element, ok := t.lists[path]; ok {
		r.list(path, value, element)
		return
	}
	if instead, ok := t.later[path]; ok {
		r.f.add(at, "%s is not served by this build: %s", path, instead)
		return
	}
	for _, known := range t.keys(section) {
		if known == key {
			r.c.origins[t.prefix+path] = at
			r.mapping(value, path, t)
			return
		}
	}
	msg := fmt.Sprintf("unknown key %q", key)
	if near := closest(key, t.keys(section)); near != "" {
		msg += fmt.Sprintf(", did you mean %q?", near)
	}
	r.f.add(at, "%s", msg)
}

// keys are the names that may stand in a section of t.
func (t table) keys(section string) []string {
	var keys []string
	add := func(path string) {
		rest, ok := strings.CutPrefix(path, section)
		if section != "" {
			rest, ok = strings.CutPrefix(path, section+".")
		}
		if !ok {
			return
		}
		key, _, _ := strings.Cut(rest, ".")
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for _, s := range t.settings {
		add(s.path)
	}
	for path := range t.lists {
		add(path)
	}
	for path := range t.later {
		add(path)
	}
	return keys
}

// list reads a sequence of mappings, each with its own table.
func (r *yamlReader) list(path string, n ast.Node, element func() table) {
	n = r.resolve(n)
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		if _, null := n.(*ast.NullNode); !null {
			r.f.add(r.at(first(n)), "%s must be a list, not %s", path, describe(n))
		}
		return
	}
	for _, item := range seq.Values {
		t := element()
		r.c.origins[strings.TrimSuffix(t.prefix, ".")] = r.at(first(item))
		r.mapping(item, "", t)
	}
}

// value reads a scalar, or a sequence of scalars into a list.
func (r *yamlReader) value(s setting, path string, n ast.Node) {
	at := r.at(first(n))
	n = r.resolve(n)
	r.c.origins[path] = at
	if seq, ok := n.(*ast.SequenceNode); ok && isList(s.into) {
		clearList(s.into)
		for i, item := range seq.Values {
			r.scalar(s, path, fmt.Sprintf("%s[%d]", path, i), item)
		}
		return
	}
	if isList(s.into) {
		r.f.add(at, "%s must be a list, not %s", s.path, describe(n))
		r.c.bad[path] = true
		return
	}
	r.scalar(s, path, path, n)
}

func (r *yamlReader) scalar(s setting, path, itemPath string, n ast.Node) {
	at := r.at(first(n))
	r.c.origins[itemPath] = at
	text, ok := scalarText(r.resolve(n))
	if b, is := r.resolve(n).(*ast.BoolNode); is {
		if _, wanted := s.into.(*bool); wanted {
			text, ok = strconv.FormatBool(b.Value), true
		}
	}
	if !ok {
		r.f.add(at, "%s must be a single value, not %s", s.path, describe(r.resolve(n)))
		r.c.bad[path] = true
		return
	}
	if err := put(s.into, text); err != nil {
		r.f.add(at, "%s: %v", s.path, err)
		r.c.bad[path] = true
	}
}

// scalarText returns a scalar as it is written. Numbers are taken as text,
// because a name or a secret may consist of digits; a boolean is not, because
// "on" and "yes" are words in YAML and in names.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode:
		return n.Token.Value, true
	case *ast.FloatNode:
		return n.Token.Value, true
	case *ast.NullNode:
		return "", true
	}
	return "", false
}

func describe(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.BoolNode:
		return "a boolean (quote it if it is text)"
	case *ast.NullNode:
		return "nothing"
	case *ast.AliasNode:
		return "an alias of an unknown anchor"
	}
	return "a single value"
}

func join(section, key string) string {
	if section == "" {
		return key
	}
	return section + "." + key
}
