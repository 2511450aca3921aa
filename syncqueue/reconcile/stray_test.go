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
	met := map[string]storage.Column{
		"8":  {Repo: providers.Repo{ID: "8", Org: providers.Org{ID: "9", Name: "acme"}}, Gone: true},
		"9":  {Repo: providers.Repo{ID: "9", Org: providers.Org{Name: "acme"}}},
		"10": {Repo: providers.Repo{ID: "10", Org: providers.Org{Name: "else"}}},
	}
	stray := p.stray(h, func(id string) (storage.Column, error) {
		if col, ok := met[id]; ok {
			return col, nil
		}
		return storage.Column{}, storage.ErrUnknown
	})
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
		{"2", "else/moved", true},
		{"8", "former/deleted", true},
		{"9", "former/ours-under-its-old-path", true},
		{"10", "acme/not-ours-any-more", false},
	} {
		if got := stray(c.id, c.path); got != c.want {
			t.Errorf("%s %s: %v", c.id, c.path, got)
		}
	}
}
