package gitlab

import "github.com/hookd/hookd/providers"

// Price counts everybody whom a repository is shared with by whatever way: he
// is on a page of its people, but for the few whom RepoAccess finds beyond it.
func (f *Forge) Price(s providers.Size) providers.Price {
	return providers.Price{List: pages(s.Repos), Repo: 1, Audience: pages(s.People)}
}

func pages(n int) int { return max(1, (n+pageSize-1)/pageSize) }
