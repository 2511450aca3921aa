package reconcile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// A bill is the table of what each kind of change costs on each forge.
type bill struct {
	company
	names []string // of the rows, in the order of their coming
	cells map[string]map[string]string
}

func newBill(c company) *bill { return &bill{company: c, cells: map[string]map[string]string{}} }

func (b *bill) row(name, forge, cell string) {
	if b.cells[name] == nil {
		b.names, b.cells[name] = append(b.names, name), map[string]string{}
	}
	b.cells[name][forge] = cell
}

func (b *bill) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "| %d members, %d repositories, %d teams | Gitea | GitHub | GitLab |\n|---|--:|--:|--:|\n", b.people, b.repos, b.teams)
	for _, name := range b.names {
		c := b.cells[name]
		fmt.Fprintf(&s, "| %s | %s | %s | %s |\n", name, c["gitea"], c["github"], c["gitlab"])
	}
	return s.String()
}

func (c company) golden() string {
	return fmt.Sprintf("testdata/costs-%dx%d.golden", c.people, c.repos)
}

// compare holds the bill against its golden.
func (b *bill) compare(t *testing.T) {
	t.Helper()
	if *update {
		if err := os.WriteFile(b.golden(), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(b.golden())
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("other costs than in %s (-update writes them anew):\n%s", b.golden(), got)
	}
}

// TestReadmeTellsTheCostsThatWereCounted keeps the README's table the one that
// was counted at the largest size.
func TestReadmeTellsTheCostsThatWereCounted(t *testing.T) {
	const file, begin, end = "../../README.md", "<!-- costs: counted by go test ./syncqueue/reconcile -->\n", "<!-- /costs -->"
	table, err := os.ReadFile(large500.golden())
	if errors.Is(err, fs.ErrNotExist) {
		table, err = os.ReadFile(small100.golden())
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, opened := strings.Cut(string(b), begin)
	old, tail, closed := strings.Cut(rest, end)
	switch {
	case !opened || !closed:
		t.Fatalf("README.md has no place between %q and %q", begin, end)
	case old == string(table):
	case !*update:
		t.Errorf("README.md tells other costs than were counted: go test ./syncqueue/reconcile -run Readme -update")
	default:
		if err := os.WriteFile(file, []byte(head+begin+string(table)+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
