package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// schema describes a configuration file in JSON Schema 2020-12, out of the
// tables that the file is read by. It says what may stand where and in which
// form; whether the values fit together and the secret files are there, only
// `config check` knows. It accepts whatever that accepts, so nothing is
// required that the environment may give as well.
func schema() ([]byte, error) {
	root := defaults().table().schema("")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "hookd.yaml"
	root["description"] = "The configuration of hookd."
	return json.MarshalIndent(root, "", "  ")
}

// A node is a part of a schema.
type node = map[string]any

// schema describes a mapping with the settings of t. at is where its list
// stands, "" for the whole file.
func (t table) schema(at string) node {
	root := section()
	for _, s := range t.settings {
		n := s.schema()
		n["description"] = help[join(at, s.path)]
		root.place(s.path, n)
		if s.path == "name" {
			root["required"] = []string{"name"} // the environment cannot give it
		}
	}
	for _, path := range slices.Sorted(maps.Keys(t.lists)) {
		full := join(at, path)
		root.place(path, node{"type": []string{"array", "null"}, "items": t.lists[path]().schema(full), "description": help[full]})
	}
	var rules []any
	for _, pair := range t.alternatives() {
		rules = append(rules, node{"not": node{"allOf": []any{present(pair[0]), present(pair[1])}}})
	}
	for _, kind := range t.kinds() {
		foreign := shape{}
		for _, s := range t.settings {
			if !s.has(kind) {
				foreign.place(s.path, false)
			}
		}
		if len(foreign) > 0 {
			is := node{"properties": node{"kind": node{"const": kind}}, "required": []string{"kind"}}
			rules = append(rules, node{"if": is, "then": node(foreign)})
		}
	}
	if rules != nil {
		root["allOf"] = rules
	}
	return node(root)
}

// A shape is the schema of a mapping.
type shape node

// section is the schema of a mapping in which nothing may stand but what is
// placed in it.
func section() shape {
	return shape{"type": []string{"object", "null"}, "additionalProperties": false}
}

// place puts the schema of what stands under a dotted path.
func (o shape) place(path string, schema any) {
	properties, ok := o["properties"].(node)
	if !ok {
		properties = node{}
		o["properties"] = properties
	}
	key, rest, below := strings.Cut(path, ".")
	if !below {
		properties[key] = schema
		return
	}
	inner, ok := properties[key].(shape)
	if !ok {
		inner = shape{}
		if _, closed := o["additionalProperties"]; closed {
			inner = section()
		}
		properties[key] = inner
	}
	inner.place(rest, schema)
}

// present is the schema of a mapping in which there is something under a path.
func present(path string) node {
	key, rest, below := strings.Cut(path, ".")
	n := node{"required": []string{key}}
	if below {
		inner := present(rest)
		inner["type"] = "object"
		n["properties"] = node{key: inner}
	}
	return n
}

// alternatives are the pairs of settings of which one may be given: the
// spellings of a secret, itself or in a file, one or several.
func (t table) alternatives() [][2]string {
	spellings := map[string][]string{}
	for _, s := range t.settings {
		switch s.into.(type) {
		case *secret:
			spellings[s.path] = append(spellings[s.path], s.path)
		case *[]secret:
			one := strings.TrimSuffix(s.path, "s")
			spellings[one] = append(spellings[one], s.path)
		}
	}
	var pairs [][2]string
	for _, name := range slices.Sorted(maps.Keys(spellings)) {
		all := spellings[name]
		for _, s := range t.settings {
			if s.path == name+"_file" || s.path == name+"_files" {
				all = append(all, s.path)
			}
		}
		for i, a := range all {
			for _, b := range all[i+1:] {
				pairs = append(pairs, [2]string{a, b})
			}
		}
	}
	return pairs
}

// kinds are those of the parties that t describes, if it describes any.
func (t table) kinds() []string {
	for _, s := range t.settings {
		if s.path == "kind" {
			return s.words
		}
	}
	return nil
}

// The forms of values, as put reads them.
const (
	durationForm = `^([0-9]+d|[-+]?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+))$`
	sizeForm     = `^[0-9]+ *(TiB|GiB|MiB|KiB|B)?$`
	numberForm   = `^[-+]?[0-9]+$`
)

// schema describes the value of s. Numbers pass for text, as they do for the
// reader: a name may consist of digits.
func (s setting) schema() node {
	var n node
	switch s.into.(type) {
	case *int:
		n = node{"type": []string{"integer", "string"}, "pattern": numberForm}
	case *size:
		n = node{"type": []string{"integer", "string"}, "minimum": 0, "pattern": sizeForm}
	case *time.Duration, *[]time.Duration:
		// Without a unit only 0 is a duration.
		n = node{"type": []string{"string", "integer"}, "minimum": 0, "maximum": 0, "pattern": durationForm}
	case *bool:
		n = node{"enum": []any{true, false, "true", "false"}, "default": false}
	default:
		n = node{"type": []string{"string", "number"}, "minLength": 1}
	}
	if s.words != nil {
		n = node{"enum": s.words}
	}
	values := format(s.into)
	if isList(s.into) {
		n = node{"type": "array", "items": n}
		if values != nil {
			n["default"] = values
		}
	} else if values != nil {
		n["default"] = values[0]
	}
	return n
}
