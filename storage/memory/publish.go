package memory

import (
	"maps"
	"slices"
	"strings"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// publish returns a job for each target and user whose holdings changed.
func (a *applying) publish(targets []string) []syncqueue.Job {
	for _, t := range targets {
		a.db.target(a.job.Provider, t)
	}
	users := map[providers.User]bool{}
	for who, lost := range a.lost {
		users[a.db.users[who].User] = lost
	}
	jobs := syncqueue.OfChange(targets, &storage.Change{Provider: a.provider}, a.job, users, a.now)
	slices.SortFunc(jobs, func(x, y syncqueue.Job) int { return strings.Compare(string(x.Key), string(y.Key)) })
	return jobs
}

// publishRepos returns a job for each target and repository that was met.
func (a *applying) publishRepos(targets []string) []syncqueue.Job {
	var met []storage.Met
	for _, repoID := range slices.Sorted(maps.Keys(a.met)) {
		if r := a.db.repos[id{a.provider, repoID}]; r.gone == 0 {
			met = storage.Meet(met, a.met[repoID], r.Repo)
		}
	}
	return syncqueue.OfRepos(targets, a.provider, met, a.job, a.now)
}

// target remembers that a target follows a provider.
func (db *DB) target(provider, target string) {
	if db.targets[provider] == nil {
		db.targets[provider] = map[string]bool{}
	}
	db.targets[provider][target] = true
}
