package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
)

var update = flag.Bool("update", false, "write generated parts of the README anew")

// TestReadmeTellsTheCoverageThatIsDeclared keeps the README's table the one of
// the drivers.
func TestReadmeTellsTheCoverageThatIsDeclared(t *testing.T) {
	const file, begin, end = root + "/README.md", "-update` -->\n", "<!-- /coverage -->"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), begin)
	old, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("README.md has no place between %q and %q", begin, end)
	}
	table := coverageTable()
	if old == table {
		return
	}
	if !*update {
		t.Fatalf("README.md tells another coverage than the drivers declare: go test ./cmd/hookd -run Coverage -update\n%s", table)
	}
	if err := os.WriteFile(file, []byte(head+begin+table+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

// coverageTable has a row for each change and a column for each type of hook,
// those that hear the same in one.
func coverageTable() string {
	type column struct {
		title string
		providers.Coverage
	}
	var columns []column
	for _, kind := range servedForges {
		if kind == "forgejo" {
			continue // Gitea's
		}
		same := map[string]int{}
		for _, c := range coverage(kind) {
			said := fmt.Sprint(c.Rows)
			if i, ok := same[said]; ok {
				columns[i].title += ", " + string(c.Hook)
				continue
			}
			same[said] = len(columns)
			title := map[string]string{"gitea": "Gitea, Forgejo", "github": "GitHub", "gitlab": "GitLab"}[kind]
			columns = append(columns, column{title + ": " + string(c.Hook), c})
		}
	}
	var sb strings.Builder
	sb.WriteString("| change |")
	for _, c := range columns {
		fmt.Fprintf(&sb, " %s |", c.title)
	}
	sb.WriteString("\n|---|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, change := range providers.Changes() {
		fmt.Fprintf(&sb, "| %s |", change.Words())
		for _, c := range columns {
			fmt.Fprintf(&sb, " %s |", cell(c.Coverage, change))
		}
		sb.WriteString("\n")
	}
	return sb.String()
}

func cell(c providers.Coverage, change providers.Change) string {
	h, ok := c.Of(change)
	switch {
	case !ok:
		return "–"
	case h.By == providers.ByEvent:
		return "**event**"
	case h.By == providers.ByPoll:
		return "poll." + string(h.Poll)
	}
	return string(h.By)
}

// What is told of a running hookd is the row of the hook that delivers, and
// before any delivery that of the one which tells least.
func TestTheDeskTellsTheCoverageOfTheHookThatDelivers(t *testing.T) {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "hookd.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	d := &desk{store: db, forges: []*forgeParty{{cfg: &providerConfig{Name: "git", Kind: "gitlab", Poll: pollConfig{Members: time.Minute}}}}, reconcile: time.Hour}
	tells := func(hook providers.HookType, seen bool, renamed providers.Means) {
		t.Helper()
		all, err := d.Coverage(t.Context())
		if err != nil || len(all) != 1 {
			t.Fatalf("%v, %v", all, err)
		}
		c := all[0]
		if row, _ := c.Coverage.Of(providers.RepoRenamed); c.Provider != "git" || c.Coverage.Hook != hook || c.Seen != seen || row.By != renamed || c.Members != time.Minute || c.Reconcile != time.Hour {
			t.Errorf("%s, seen %v, a rename is %s", c.Coverage.Hook, c.Seen, row.By)
		}
	}
	tells(providers.HookGroup, false, providers.ByPoll)
	for _, header := range []string{"Push Hook", "System Hook", "Member Hook"} {
		one := providers.Delivery{ID: syncqueue.NewID(time.Now()), Provider: "git", GUID: header, Header: http.Header{"X-Gitlab-Event": {header}}, Received: time.Now()}
		if _, err := db.Push(t.Context(), syncqueue.Entry{Delivery: one, Event: providers.Event{Name: "x"}, Result: syncqueue.EntryIgnored}); err != nil {
			t.Fatal(err)
		}
	}
	tells(providers.HookSystem, true, providers.ByEvent)
}
