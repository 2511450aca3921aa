package gitlab

import (
	"cmp"
	"slices"
	"time"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

// expiryLag is how long after the beginning of its last day GitLab still counts
// a membership or share: until its own worker has taken it away, at ten past
// midnight (config/initializers/1_settings.rb, remove_expired_members_worker
// and remove_expired_group_links_worker).
const expiryLag = 11 * time.Minute

// memberEnds are the memberships that will expire, by the groups they were read
// of. One that is inherited is in several of them.
func (f *Forge) memberEnds(rows map[int64][]*member) []providers.End {
	now := f.now()
	type end struct {
		user int64
		at   time.Time
	}
	seen := map[end]bool{}
	var ends []providers.End
	for _, some := range rows {
		for _, m := range some {
			if m.ExpiresAt == nil || !m.active(now) {
				continue
			}
			e := end{m.ID, time.Time(*m.ExpiresAt).Add(expiryLag)}
			if !seen[e] {
				seen[e] = true
				ends = append(ends, providers.End{At: e.at, Words: "his membership of a group expires", User: m.user()})
			}
		}
	}
	slices.SortFunc(ends, func(a, b providers.End) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.User.ID, b.User.ID))
	})
	return ends
}

// shareEnds are the shares of projects that will expire.
func (f *Forge) shareEnds(projects []*sdk.Project) []providers.End {
	now := f.now()
	var ends []providers.End
	for _, p := range projects {
		for _, s := range p.SharedWithGroups {
			if s.ExpiresAt != nil && time.Time(*s.ExpiresAt).After(now) {
				at := time.Time(*s.ExpiresAt).Add(expiryLag)
				ends = append(ends, providers.End{At: at, Words: "its share with " + s.GroupFullPath + " expires", Repo: text(p.ID)})
			}
		}
	}
	return ends
}
