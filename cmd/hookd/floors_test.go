package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/hookd/hookd/"
)

// A floor is what a package's production files may import beside the standard
// library.
type floor struct {
	ours    []string // packages of this module
	foreign []string // modules
}

// floors is the architecture. A package that is not listed fails the test: add
// it here, where it belongs, in the commit that makes it.
var floors = map[string]floor{
	"providers":               {},
	"providers/transport":     {[]string{"providers"}, nil},
	"providers/document":      {[]string{"providers"}, nil},
	"providers/gitea":         {[]string{"providers", "providers/document", "providers/transport"}, []string{"code.gitea.io/sdk/gitea", "github.com/go-playground/webhooks/v6"}},
	"providers/github":        {[]string{"providers", "providers/document", "providers/transport"}, []string{"github.com/bradleyfalzon/ghinstallation/v2", "github.com/google/go-github/v88", "github.com/go-playground/webhooks/v6"}},
	"providers/gitlab":        {[]string{"providers", "providers/document", "providers/transport"}, []string{"gitlab.com/gitlab-org/api/client-go/v2", "github.com/go-playground/webhooks/v6"}},
	"providers/providerstest": {[]string{"providers"}, []string{"github.com/google/go-cmp"}},

	"storage":             {[]string{"providers"}, nil},
	"storage/bolt":        {[]string{"providers", "syncqueue", "storage"}, []string{"go.etcd.io/bbolt", "github.com/klauspost/compress", "github.com/oklog/ulid/v2"}},
	"storage/vault":       {[]string{"providers", "storage"}, nil},
	"storage/memory":      {[]string{"providers", "syncqueue", "storage"}, nil},
	"storage/storagetest": {[]string{"providers", "syncqueue", "storage"}, []string{"github.com/google/go-cmp", "pgregory.net/rapid"}},

	"syncqueue":           {[]string{"providers", "storage"}, []string{"github.com/oklog/ulid/v2"}},
	"syncqueue/queuetest": {[]string{"providers", "storage", "syncqueue"}, []string{"github.com/google/go-cmp", "pgregory.net/rapid"}},
	"syncqueue/reconcile": {[]string{"providers", "syncqueue", "syncqueue/target", "storage"}, nil},

	"syncqueue/target":            {[]string{"providers", "storage"}, nil},
	"syncqueue/target/keys":       {[]string{"providers", "storage", "syncqueue/target"}, nil},
	"syncqueue/target/transport":  {nil, nil},
	"syncqueue/target/drone":      {[]string{"providers", "storage", "syncqueue/target", "syncqueue/target/keys", "syncqueue/target/transport"}, []string{"github.com/dchest/authcookie"}},
	"syncqueue/target/dronedb":    {[]string{"providers", "storage", "syncqueue/target"}, []string{"github.com/jackc/pgx/v5", "modernc.org/sqlite"}},
	"syncqueue/target/woodpecker": {[]string{"providers", "storage", "syncqueue/target", "syncqueue/target/keys", "syncqueue/target/transport"}, nil},
	"syncqueue/target/webhook":    {[]string{"providers", "storage", "syncqueue/target"}, nil},
	"syncqueue/target/command":    {[]string{"providers", "storage", "syncqueue/target"}, nil},
	"syncqueue/target/targettest": {[]string{"providers", "storage", "syncqueue/target"}, []string{"github.com/dchest/authcookie", "github.com/google/go-cmp"}},

	"handlers": {[]string{"providers", "providers/document", "syncqueue", "storage", "handlers/why"}, []string{"github.com/go-chi/chi/v5", "github.com/go-chi/httprate", "github.com/prometheus/client_golang"}},

	"handlers/dashboard": {[]string{"providers", "syncqueue", "storage", "handlers/why"}, nil},
	"handlers/why":       {[]string{"providers", "syncqueue", "storage"}, nil},

	"cmd/hookd": {[]string{
		"handlers", "handlers/dashboard", "handlers/why", "providers", "providers/gitea", "providers/github", "providers/gitlab", "providers/providerstest",
		"storage", "storage/bolt", "storage/vault",
		"syncqueue", "syncqueue/reconcile", "syncqueue/target", "syncqueue/target/command", "syncqueue/target/drone", "syncqueue/target/dronedb", "syncqueue/target/targettest", "syncqueue/target/webhook", "syncqueue/target/woodpecker",
	}, []string{"github.com/goccy/go-yaml", "github.com/lmittmann/tint", "github.com/prometheus/client_golang", "github.com/urfave/cli/v3", "golang.org/x/term"}},
}

func TestFloors(t *testing.T) {
	seen := map[string]bool{}
	for path, imports := range productionFiles(t) {
		pkg := filepath.ToSlash(filepath.Dir(path))
		f, ok := floors[pkg]
		if !ok {
			t.Errorf("%s: package %s has no floor", path, pkg)
			continue
		}
		seen[pkg] = true
		for _, imp := range imports {
			if !f.allows(imp) {
				t.Errorf("%s imports %s, which is not below %s", path, imp, pkg)
			}
		}
	}
	for pkg := range floors {
		if !seen[pkg] {
			t.Errorf("floor %s: there is no such package", pkg)
		}
	}
}

func (f floor) allows(imp string) bool {
	if ours, ok := strings.CutPrefix(imp, module); ok {
		return slices.Contains(f.ours, ours)
	}
	first, _, _ := strings.Cut(imp, "/")
	if !strings.Contains(first, ".") {
		return true // the standard library
	}
	return slices.ContainsFunc(f.foreign, func(m string) bool { return imp == m || strings.HasPrefix(imp, m+"/") })
}

// productionFiles returns the imports of every Go file that is not a test, by
// path from the repository's root.
func productionFiles(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			// A folder with a go.mod of its own is another module.
			_, noModule := os.Stat(filepath.Join(path, "go.mod"))
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata" || noModule == nil) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		files[rel] = []string{}
		for _, s := range file.Imports {
			imp, err := strconv.Unquote(s.Path.Value)
			if err != nil {
				return err
			}
			files[rel] = append(files[rel], imp)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTopLevelStaysAsItIs(t *testing.T) {
	known := []string{
		"cmd", "deploy", "handlers", "providers", "storage", "syncqueue",
		"go.mod", "go.sum", "README.md", "Makefile", "CONTRIBUTING.md", "LICENSE", "CHANGELOG.md",
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	// What .gitignore names at the top level is not part of the house.
	ignored, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(ignored)) {
		known = append(known, strings.Trim(strings.TrimSpace(line), "/"))
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(known, e.Name()) {
			t.Errorf("%s does not belong to the top level", e.Name())
		}
	}
}
