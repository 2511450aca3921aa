package gitlab

import (
	"cmp"
	"slices"
	"time"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

// expiryLag is how long after the beginning of its last day GitLab still counts
// a membership or share. What it authorizes does not look at the date
// (lib/gitlab/project_authorizations.rb): access ends when its own workers have
// taken away what is over, at ten past midnight in UTC unless configured
// otherwise (config/initializers/1_settings.rb, remove_expired_members_worker and
// remove_expired_group_links_worker).
const expiryLag = 11 * time.Minute

func until(day *sdk.ISOTime) time.Time {
	if day == nil {
		return time.Time{}
	}
	return time.Time(*day).UTC().Add(expiryLag)
}

// memberEnds are the memberships that expire, by the groups they were read of.
// One that is inherited is in several of them.
func memberEnds(rows map[int64][]*member) []providers.End {
	type end struct {
		user int64
		at   time.Time
	}
	seen := map[end]bool{}
	var ends []providers.End
	for _, some := range rows {
		for _, m := range some {
			e := end{m.ID, m.until()}
			if e.at.IsZero() || !m.active() || seen[e] {
				continue
			}
			seen[e] = true
			ends = append(ends, providers.End{At: e.at, Words: "his membership of a group expires", User: m.user()})
		}
	}
	slices.SortFunc(ends, func(a, b providers.End) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.User.ID, b.User.ID))
	})
	return ends
}

// shareEnds are the shares of projects that expire.
func shareEnds(projects []*sdk.Project) []providers.End {
	var ends []providers.End
	for _, p := range projects {
		for _, s := range p.SharedWithGroups {
			if at := until(s.ExpiresAt); !at.IsZero() {
				ends = append(ends, providers.End{At: at, Words: "its share with " + s.GroupFullPath + " expires", Repo: text(p.ID)})
			}
		}
	}
	return ends
}
