package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compiledSchema is what `config schema` prints. The library checks it against
// the meta-schema.
func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("hookd.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("hookd.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// conforms decodes a file as an editor's YAML server does and validates it.
func conforms(s *jsonschema.Schema, text string) error {
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

var (
	hiddenSetting = regexp.MustCompile(`(?m)^#(\S| )`)
	yamlBlock     = regexp.MustCompile("(?ms)^( *)```yaml\n(.*?)^ *```")
)

func TestSchemaAcceptsTheExamples(t *testing.T) {
	s := compiledSchema(t)
	file, err := os.ReadFile(root + "/deploy/hookd.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string]string{"hookd.example.yaml": string(file)}
	// With every setting that it hides behind a "#": "# " begins a remark.
	examples["hookd.example.yaml, all of it"] = hiddenSetting.ReplaceAllStringFunc(string(file), func(m string) string {
		if m == "# " {
			return m
		}
		return m[1:]
	})
	readme, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for i, m := range yamlBlock.FindAllSubmatch(readme, -1) {
		text := regexp.MustCompile("(?m)^"+string(m[1])).ReplaceAllString(string(m[2]), "")
		text = strings.ReplaceAll(text, ", …", "") // where something is left out
		if key, _, _ := strings.Cut(text, ":"); slices.Contains(defaults().table().keys(""), key) {
			examples[fmt.Sprintf("README.md, block %d", i+1)] = text
			blocks++
		}
	}
	if blocks < 3 {
		t.Errorf("README.md has %d examples of the configuration, and had more", blocks)
	}
	for name, text := range examples {
		if err := conforms(s, text); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

// TestSchemaAndReaderAgree holds the schema against the reader of the file, on
// whose tables it rests, and against the check.
func TestSchemaAndReaderAgree(t *testing.T) {
	s := compiledSchema(t)
	for _, text := range []string{
		"listen: 127.0.0.1:1", "log: {level: debug}", "log:", "providers:", "sync: {workers: 3, debounce: 0}", "sync: {workers: '3'}",
		"sync: {verify: [2s, 1m30s, 1d, .5s]}", "retention: {max_bytes: 5000000}", "retention: {max_bytes: 3 MiB, bodies: 30d}",
		"providers: [{name: 7, kind: github, app: {id: 12, private_key_file: k}, orgs: [1, '*']}]",
		"targets: [{name: a, kind: http, url: 'https://x', secret_file: f, allow: [10.0.0.0/8]}]",
		"targets: [{name: a, kind: drone, mode: database, users: {database_url_file: f}}]",
		"admin: {tokens: [{name: a, role: viewer, token_file: f}]}",
		"targets: [{name: a, kind: drone, activate: {dry_run: true, rules: [{names: ['a*'], files: [x/]}, {skip: true}]}}]",
		"targets: [{name: a, kind: drone, token_file: f, activate: {rules: [{as: [sender, 7], set: {protected: true, timeout: 90m}}]}}]",
	} {
		if err := conforms(s, text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if f := faultsOf(t, text); readFaults(f) > 0 {
			t.Errorf("%s is meant to be right in form: %v", text, f)
		}
	}
	for _, text := range []string{
		"lsten: x", "log: debug", "log: {level: loud}", "log: {level: }", "listen: [a]", "listen: true", "listen: ''", "- a",
		"sync: {workers: many}", "sync: {debounce: 5}", "sync: {debounce: 5 s}", "sync: {verify: 2s}", "sync: {verify: [2x]}",
		"retention: {max_bytes: 1GB}", "retention: {deliveries: 30x}", "providers: {name: git}", "providers: [{kind: gitea}]",
		"providers: [{name: a, kind: gita}]", "providers: [{name: a, orgs: acme}]", "providers: [{name: a, poll: {members: 5}}]",
		"providers: [{name: a, token: t, token_file: f}]", "providers: [{name: a, secret: s, secret_files: [f]}]",
		"providers: [{name: a, secrets: [s], secret_file: f}]", "admin: {tokens: [{name: a, role: root}]}",
		"targets: [{name: a, kind: drone, secret_file: f}]", "targets: [{name: a, kind: http, users: {token_dir: d}}]",
		"targets: [{name: a, kind: drone, mode: magic}]", "targets: [{name: a, kind: command, command: run}]",
		"targets: [{name: a, kind: drone, users: {database_url: u, database_url_file: f}}]", "targets: [{name: a, kind: jenkins}]",
		"targets: [{name: a, kind: drone, activate: [{skip: true}]}]", "targets: [{name: a, kind: drone, activate: {rules: [{as: sender}]}}]",
		"targets: [{name: a, kind: drone, activate: {dry_run: perhaps}}]", "targets: [{name: a, kind: drone, activate: {rules: [{set: {visibility: hidden}}]}}]",
	} {
		if conforms(s, text) == nil {
			t.Errorf("%s: the schema has nothing against it", text)
		}
		if f := faultsOf(t, text); len(f) == 0 {
			t.Errorf("%s: the check has nothing against it", text)
		}
	}
}

func faultsOf(t *testing.T, text string) []fault {
	c, f := readConfig(write(t, "hookd.yaml", text+"\n"), nil)
	if c != nil {
		c.check(f)
	}
	return f.list
}

// readFaults counts those that are about form, and not about what is missing,
// cannot be read or is too short.
func readFaults(list []fault) (n int) {
	for _, x := range list {
		if !regexp.MustCompile(`is missing|cannot read|no provider|must be at least|not a folder|must not be less`).MatchString(x.msg) {
			n++
		}
	}
	return n
}

// TestEverySettingIsInTheSchema walks the tables: for each setting a value that
// the reader takes must conform, and one that it cannot take must not.
func TestEverySettingIsInTheSchema(t *testing.T) {
	s := compiledSchema(t)
	explained := maps.Clone(help)
	var visit func(at string, tab table)
	visit = func(at string, tab table) {
		for _, x := range tab.settings {
			path := join(at, x.path)
			if help[path] == "" {
				t.Errorf("%s is not explained in config_help.go", path)
			}
			delete(explained, path)
			good, bad := samples(x)
			if err := conforms(s, fileWith(at, x, good)); err != nil {
				t.Errorf("%s: %s: %v", path, good, err)
			}
			if conforms(s, fileWith(at, x, bad)) == nil {
				t.Errorf("%s: %s conforms", path, bad)
			}
		}
		for path, list := range tab.lists {
			if help[join(at, path)] == "" {
				t.Errorf("%s is not explained in config_help.go", path)
			}
			delete(explained, join(at, path))
			visit(join(at, path), list())
		}
	}
	visit("", defaults().table())
	for path := range explained {
		t.Errorf("config_help.go explains %s, which is no setting", path)
	}
}

// samples are a value that s may hold, as YAML, and one that it may not.
func samples(s setting) (good, bad string) {
	good, bad = "x", "{}"
	switch s.into.(type) {
	case *bool:
		good, bad = "true", "yes"
	case *int:
		good, bad = "1", "one"
	case *size:
		good, bad = "1GiB", "1GB"
	case *time.Duration, *[]time.Duration:
		good, bad = "1h", "1 hour"
	}
	if s.words != nil {
		good, bad = s.words[len(s.words)-1], "nonesuch"
	}
	if isList(s.into) {
		return "[" + good + "]", good
	}
	return good, bad
}

// fileWith is a file in which one setting is given.
func fileWith(at string, s setting, value string) string {
	nested := func(path, value string) string {
		parts := strings.Split(path, ".")
		for _, key := range slices.Backward(parts[1:]) {
			value = "{" + key + ": " + value + "}"
		}
		return parts[0] + ": " + value
	}
	own := nested(s.path, value)
	if at == "" {
		return own
	}
	if inner, ok := strings.CutPrefix(at, "targets."); ok {
		return nested("targets", "[{name: a, kind: drone, "+nested(inner, "[{"+own+"}]")+"}]")
	}
	if s.path != "name" {
		own = "name: a, " + own
	}
	if len(s.of) > 0 {
		own = "kind: " + s.of[0] + ", " + own
	}
	return nested(at, "[{"+own+"}]")
}
