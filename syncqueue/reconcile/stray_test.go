package reconcile

import (
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

func TestStraysBelongToWhatTheCatalogueCovers(t *testing.T) {
	p := &provider{Provider: Provider{Orgs: providers.NewOrgSet("acme", "big/team")}}
	h := storage.Holdings{Cells: []storage.Cell{
		{Repo: providers.Repo{ID: "1"}, Permission: providers.Read},
		{Repo: providers.Repo{ID: "2"}},
	}}
	stray := p.stray(h)
	for _, c := range []struct {
		id, path string
		want     bool
	}{
		{"1", "acme/held", false},
		{"2", "acme/taken", true},
		{"3", "acme/unheard-of", true},
		{"4", "acme/sub/nested", true},
		{"5", "big/team/ours", true},
		{"6", "big/else", false},
		{"7", "ana/dotfiles", false},
	} {
		if got := stray(c.id, c.path); got != c.want {
			t.Errorf("%s %s: %v", c.id, c.path, got)
		}
	}
}
