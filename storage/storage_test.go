package storage_test

import (
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

func TestTheLaterReadDecides(t *testing.T) {
	held := func(read uint64) storage.Cell { return storage.Cell{Permission: providers.Write, Read: read} }
	for _, c := range []struct {
		name             string
		old              storage.Cell
		user, repo, read uint64
		p                providers.Permission
		want             storage.Verdict
	}{
		{"the same is kept", held(5), 0, 0, 9, providers.Write, storage.Keep},
		{"the same is kept, however late", held(5), 9, 9, 1, providers.Write, storage.Keep},
		{"nothing stays nothing", storage.Cell{}, 0, 0, 9, providers.None, storage.Keep},
		{"a later read writes", held(5), 0, 0, 6, providers.Read, storage.Write},
		{"the same lease writes again", held(5), 5, 5, 5, providers.Read, storage.Write},
		{"an earlier read than the cell's", held(5), 0, 0, 4, providers.None, storage.Stale},
		{"an earlier read than the user's list", held(5), 7, 0, 6, providers.None, storage.Stale},
		{"an earlier read than the audience", storage.Cell{}, 0, 7, 6, providers.Read, storage.Stale},
	} {
		if got := storage.Judge(c.old, c.user, c.repo, c.read, c.p); got != c.want {
			t.Errorf("%s: verdict %d, want %d", c.name, got, c.want)
		}
	}
}

func TestAListSaysNothingAboutWhatCameLater(t *testing.T) {
	for _, c := range []struct{ floor, born, want uint64 }{{7, 3, 7}, {7, 7, 7}, {7, 8, 0}, {0, 8, 0}} {
		if got := storage.RowFloor(c.floor, c.born); got != c.want {
			t.Errorf("RowFloor(%d, %d) = %d, want %d", c.floor, c.born, got, c.want)
		}
	}
}

func TestRelabelKeepsWhatIsNotTold(t *testing.T) {
	old := providers.Repo{
		ID: "41", Path: "acme/app", Org: providers.Org{ID: "5", Name: "acme"},
		Visibility: providers.Private, Archived: true, Created: time.Unix(1, 0),
	}
	if got := storage.Relabel(old, providers.Repo{ID: "41"}); got != old {
		t.Errorf("a bare id made it %+v", got)
	}
	want := old
	want.Path, want.Archived = "acme/application", false
	if got := storage.Relabel(old, providers.Repo{ID: "41", Path: "acme/application"}); got != want {
		t.Errorf("a new path made it %+v, want %+v", got, want)
	}
}

func TestAbsentIsWhatATargetHasYetToConfirm(t *testing.T) {
	lost := func(id string, version uint64) storage.Cell {
		return storage.Cell{Repo: providers.Repo{ID: id}, Version: version}
	}
	h := storage.Holdings{
		Version: 5,
		Cells: []storage.Cell{
			lost("1", 3), lost("2", 5), {Repo: providers.Repo{ID: "3"}, Permission: providers.Read, Version: 5},
		},
		Targets: map[string]storage.Published{"drone": {Version: 3}, "woodpecker": {Version: 5}},
	}
	for target, want := range map[string]int{"drone": 1, "woodpecker": 0, "new": 2} {
		if got := h.Absent(target); len(got) != want {
			t.Errorf("%s has yet to confirm %d, want %d", target, len(got), want)
		}
		if got := h.Behind(target); got != (want > 0) {
			t.Errorf("%s is behind: %v", target, got)
		}
	}
	if got := h.Present(); len(got) != 1 || got[0].Repo.ID != "3" {
		t.Errorf("present are %v", got)
	}
}
