package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
)

// A ciEnv is the environment of a CI server, as far as it is its own. A
// variable whose value stands elsewhere, in a Kubernetes Secret for example, is
// there with the value nil.
type ciEnv map[string]*string

var (
	ciVariable = regexp.MustCompile(`^(DRONE|WOODPECKER)_[A-Z0-9_]+$`)
	assignment = regexp.MustCompile(`^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$`)
)

// get returns a value, "" if there is none or nobody knows it.
func (e ciEnv) get(name string) string {
	if v := e[name]; v != nil {
		return *v
	}
	return ""
}

// has reports whether a variable is there, known or not. An empty one is not.
func (e ciEnv) has(name string) bool {
	v, ok := e[name]
	return ok && (v == nil || *v != "")
}

// yes reports whether a variable is true, as strconv.ParseBool has it.
func (e ciEnv) yes(name string) bool {
	switch e.get(name) {
	case "1", "t", "T", "true", "TRUE", "True":
		return true
	}
	return false
}

// list returns the parts of a value between commas.
func (e ciEnv) list(name string) []string {
	var out []string
	for part := range strings.SplitSeq(e.get(name), ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func (e ciEnv) set(name, value string) {
	if ciVariable.MatchString(name) {
		e[name] = &value
	}
}

func (e ciEnv) hide(name string) {
	if ciVariable.MatchString(name) {
		e[name] = nil
	}
}

// assign takes NAME=VALUE.
func (e ciEnv) assign(text string) {
	if name, value, ok := strings.Cut(text, "="); ok {
		e.set(name, value)
	}
}

// read takes the variables out of a file: KEY=VALUE lines, or else YAML or JSON
// in which they stand anywhere.
func (e ciEnv) read(text []byte) error {
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if assignment.MatchString(line) {
			e.readLines(string(text))
			return nil
		}
		break
	}
	d := yaml.NewDecoder(bytes.NewReader(text), yaml.UseOrderedMap())
	for {
		var doc any
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			// The library's message shows the lines, which may be secret.
			return errors.New("it holds neither KEY=VALUE lines nor YAML nor JSON")
		}
		e.walk(doc, false)
	}
}

func (e ciEnv) readLines(text string) {
	for line := range strings.Lines(text) {
		m := assignment.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			continue
		}
		value := strings.TrimSpace(m[2])
		for _, q := range []string{`"`, `'`} {
			if len(value) > 1 && strings.HasPrefix(value, q) && strings.HasSuffix(value, q) {
				value = value[1 : len(value)-1]
				break
			}
		}
		e.set(m[1], value)
	}
}

// walk looks everywhere: {name: X, value: v} and {name: X, valueFrom: …} of a
// container, X: v of a compose file or ConfigMap, "X=v" in a list of compose and
// of docker inspect. Below the data of a Secret values are in base64.
func (e ciEnv) walk(v any, encoded bool) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if s, ok := item.(string); ok {
				e.assign(s)
			}
			e.walk(item, encoded)
		}
	case yaml.MapSlice:
		fields := map[string]any{}
		for _, item := range v {
			fields[fmt.Sprint(item.Key)] = item.Value
		}
		if name, ok := fields["name"].(string); ok {
			if value, given := scalar(fields["value"]); given {
				e.set(name, value)
			} else if fields["valueFrom"] != nil {
				e.hide(name)
			}
		}
		for _, item := range v {
			key := fmt.Sprint(item.Key)
			value, given := scalar(item.Value)
			if given && encoded {
				b, err := base64.StdEncoding.DecodeString(value)
				value, given = strings.TrimSuffix(string(b), "\n"), err == nil
			}
			switch {
			case given:
				e.set(key, value)
			case item.Value == nil:
				e.hide(key)
			default:
				e.walk(item.Value, key == "data" && fields["kind"] == "Secret")
			}
		}
	}
}

// scalar returns a single value as text.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool, int, int64, uint64, float64:
		return fmt.Sprint(v), true
	}
	return "", false
}
