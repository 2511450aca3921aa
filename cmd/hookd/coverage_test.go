package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
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
