package gitea

import "github.com/hookd/hookd/providers"

// Price counts one page of collaborators: most repositories have few.
func (f *Forge) Price(s providers.Size) providers.Price {
	return providers.Price{List: 1 + pages(s.Repos), Repo: 1, Audience: 2}
}

func pages(n int) int { return max(1, (n+pageSize-1)/pageSize) }
