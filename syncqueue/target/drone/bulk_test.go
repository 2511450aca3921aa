package drone_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// While Drone reads page after page, what is deleted on an earlier one makes it
// skip as many living ones, which it then revokes (measured). The look after a
// sync names them, and another one brings them back.
func TestDeletionsBetweenPagesAreMadeUpFor(t *testing.T) {
	for _, deleted := range []int{1, 30} {
		t.Run(fmt.Sprint(deleted), func(t *testing.T) {
			s := newSim(t)
			var repos []providers.Repo
			for i := range 140 { // three pages
				repos = append(repos, s.forge.add(fmt.Sprintf("acme/app-%03d", i), "ana"))
			}
			ana := s.join(t, "ana")
			if got, err := s.target.Sync(t.Context(), ana, target.Desired{Present: of(repos...)}); err != nil || !got.Settled() {
				t.Fatalf("%d missing, %v", len(got.Missing), err)
			}

			// They go when the sync itself, after a look at what it would read,
			// has read its first page.
			gone, alive := repos[:deleted], append(slices.Clone(repos[deleted:]), s.forge.add("acme/zzz", "ana")) // the reason to sync
			second := 0
			s.forge.mu.Lock()
			s.forge.fail = func(page int) (int, string) {
				if page == 2 {
					second++
				}
				if page == 2 && second == 2 {
					for _, r := range gone {
						s.forge.set("ana", r.ID, false)
					}
				}
				return 0, ""
			}
			s.forge.mu.Unlock()
			want := target.Desired{Present: of(alive...), Absent: of(gone...)}
			lost := 0
			for look := 1; ; look++ {
				got, err := s.target.Sync(t.Context(), ana, want)
				if err != nil {
					t.Fatalf("look %d: %v", look, err)
				}
				lost = max(lost, len(got.Missing))
				if got.Settled() {
					break
				}
				if look == 5 { // as many as the verify ladder has by default
					t.Fatalf("after %d looks %d are missing and %d remain", look, len(got.Missing), len(got.Remaining))
				}
			}
			if lost == 0 {
				t.Error("the simulated Drone lost nothing, which a real one does")
			}
			s.shows(t, "ana", len(alive))
		})
	}
}
