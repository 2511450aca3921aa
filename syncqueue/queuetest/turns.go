package queuetest

import (
	"fmt"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// jobOf is a job that asks a provider about a repository of an organization.
func jobOf(provider, org, id string, lane syncqueue.Lane) syncqueue.Job {
	return syncqueue.RepoJob(provider, repoOf(id, providers.Org{ID: org, Name: org}), lane, time.Now())
}

func publishOf(target, org, user string) syncqueue.Job {
	parent := syncqueue.Job{Org: org}
	return syncqueue.PublishJob(target, "git", providers.User{ID: user, Login: user}, parent, syncqueue.LaneAddition, time.Now())
}

var (
	onlyGit   = syncqueue.Filter{Peers: []syncqueue.Peer{{Provider: "git"}}}
	onlyDrone = syncqueue.Filter{Peers: []syncqueue.Peer{{Target: "drone"}}}
)

// Workers of one peer must not use up the turns of another's: if they did, two
// that lease alternately would each serve one organization only.
func turnsArePerPeer(b *bench) {
	for _, org := range []string{"a", "b"} {
		for i := range 4 {
			b.enqueue(jobOf("git", org, fmt.Sprint(org, i), syncqueue.LaneAddition), publishOf("drone", org, fmt.Sprint(org, i)))
		}
	}
	var git, drone []string
	for range 4 {
		git = append(git, b.lease(onlyGit).Job.Org)
		drone = append(drone, b.lease(onlyDrone).Job.Org)
	}
	b.diff(git, []string{"a", "b", "a", "b"})
	b.diff(drone, []string{"a", "b", "a", "b"})
}

// What may not start yet stays ready, for everybody who asks in that way.
func pacedPeer(b *bench) {
	paced, urgent := onlyDrone, onlyDrone
	paced.Every, urgent.Every, urgent.Urgent = 3*time.Second, 3*time.Second, true
	for i := range 3 {
		b.enqueue(publishOf("drone", "a", fmt.Sprint(i)))
	}
	b.enqueue(jobOf("git", "a", "1", syncqueue.LaneAddition))
	first := b.lease(paced)
	b.none(paced)
	b.none(urgent)
	b.sleep(3*time.Second - time.Millisecond)
	b.none(paced)
	b.same(b.lease(onlyGit).Job.Subject.ID, "1")
	b.sleep(time.Millisecond)
	b.lease(paced)
	b.ok(b.Retry(b.ctx, first, time.Now(), nil)) // that it is ready again opens nothing
	b.none(paced)

	// Nobody waits for a clock that was set back.
	b.skew.Store(int64(-time.Hour))
	b.lease(paced)
}

func pacedPeerOpens(b *bench) {
	paced := onlyDrone
	paced.Every = 3 * time.Second
	b.enqueue(publishOf("drone", "a", "1"), publishOf("drone", "a", "2"), publishOf("drone", "a", "3"))
	start := time.Now()
	leased := make(chan time.Duration, 3)
	for range 3 {
		go func() {
			if _, err := b.Lease(b.ctx, ttl, paced); err == nil {
				leased <- time.Since(start)
			}
		}()
	}
	for i := range 3 {
		b.same(<-leased, time.Duration(i)*paced.Every)
	}
}

// Ids of organizations are unique within one forge only.
func sameOrgOfTwoProviders(b *bench) {
	for i := range 3 {
		b.enqueue(jobOf("git", "5", fmt.Sprint(i), syncqueue.LaneAddition))
		b.sleep(time.Millisecond)
	}
	b.enqueue(jobOf("hub", "5", "9", syncqueue.LaneAddition))
	b.same(b.lease().Job.Provider, "git")
	b.same(b.lease().Job.Provider, "hub")
	held := syncqueue.Filter{Held: []syncqueue.Hold{{Provider: "git", Org: "5"}}}
	b.none(held)
}

func peersAreApart(b *bench) {
	b.enqueue(jobOf("git", "a", "1", syncqueue.LaneAddition), jobOf("hub", "a", "2", syncqueue.LaneAddition), publishOf("drone", "a", "7"))
	b.none(syncqueue.Filter{Peers: []syncqueue.Peer{{Provider: "drone"}, {Target: "git"}}})
	others := syncqueue.Filter{Not: []syncqueue.Peer{{Provider: "git"}, {Target: "drone"}}}
	b.same(b.lease(others).Job.Provider, "hub")
	b.none(others)
	b.same(b.lease(onlyDrone).Job.Kind, syncqueue.KindPublish)
	b.none(onlyDrone)
	b.same(b.lease(onlyGit).Job.Subject.ID, "1")
}

// A flood in the upper lanes does not starve the lower ones, and a lane below
// that has its turn goes back to the end.
func patienceEnds(b *bench) {
	const rounds = 4
	for i := range 20 * rounds {
		b.enqueue(jobOf("git", "a", fmt.Sprint("gone", i), syncqueue.LaneRemoval))
	}
	for i := range 20 {
		b.enqueue(jobOf("git", "a", fmt.Sprint("poll", i), syncqueue.LanePoll), jobOf("git", "a", fmt.Sprint("fill", i), syncqueue.LaneReconcile))
	}
	served := map[syncqueue.Lane]int{}
	for i := range (syncqueue.Patience + 2) * rounds {
		lane := b.lease().Job.Lane
		if served[lane]++; i < syncqueue.Patience && lane != syncqueue.LaneRemoval {
			b.Fatalf("lease %d served lane %d before a removal", i, lane)
		}
	}
	b.diff(served, map[syncqueue.Lane]int{
		syncqueue.LaneRemoval: syncqueue.Patience * rounds, syncqueue.LanePoll: rounds, syncqueue.LaneReconcile: rounds,
	})
}

func urgentOnly(b *bench) {
	urgent := syncqueue.Filter{Urgent: true}
	b.enqueue(jobOf("git", "a", "1", syncqueue.LanePoll), jobOf("git", "a", "2", syncqueue.LaneReconcile))
	b.none(urgent)
	b.enqueue(jobOf("git", "a", "3", syncqueue.LaneAddition), jobOf("git", "a", "4", syncqueue.LaneRemoval))
	b.same(b.lease(urgent).Job.Lane, syncqueue.LaneRemoval)
	b.same(b.lease(urgent).Job.Lane, syncqueue.LaneAddition)
	b.none(urgent)
	b.same(b.lease().Job.Lane, syncqueue.LanePoll)
}

// However many jobs an organization has, whoever keeps a worker for idle ones
// has it free for another organization.
func idleOrganizationsOnly(b *bench) {
	idle := syncqueue.Filter{Idle: true}
	for i := range 4 {
		b.enqueue(jobOf("git", "a", fmt.Sprint(i), syncqueue.LaneAddition))
	}
	first := b.lease(idle)
	b.same(first.Job.Org, "a")
	b.none(idle)
	b.same(b.lease().Job.Org, "a")
	b.enqueue(jobOf("git", "b", "9", syncqueue.LaneAddition), jobOf("hub", "a", "8", syncqueue.LaneAddition))
	b.same(b.lease(idle).Job.Provider, "hub")
	b.same(b.lease(idle).Job.Org, "b")
	b.none(idle)
	// It is idle again when its leases have ended, in whatever way.
	b.sleep(ttl)
	b.same(b.lease(idle).Job.Org, "a")
}

// A budget that is down to its reserve holds everything but removals, a spent
// one these too; jobs that ask somebody else go on.
func heldLanesStay(b *bench) {
	reserve := syncqueue.Filter{Held: []syncqueue.Hold{{Provider: "git", From: syncqueue.LaneAddition}}}
	spent := syncqueue.Filter{Held: []syncqueue.Hold{{Provider: "git"}}}
	b.enqueue(jobOf("git", "a", "1", syncqueue.LaneAddition), jobOf("git", "a", "2", syncqueue.LaneReconcile))
	b.none(reserve)
	b.enqueue(jobOf("git", "b", "3", syncqueue.LaneRemoval))
	b.none(spent)
	b.same(b.lease(reserve).Job.Subject.ID, "3")
	b.none(reserve)
	b.enqueue(publishOf("drone", "a", "7"), jobOf("hub", "a", "4", syncqueue.LaneAddition))
	b.lease(spent)
	b.lease(spent)
	b.none(spent)
	b.same(b.lease().Job.Subject.ID, "1")
}
