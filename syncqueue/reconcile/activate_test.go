package reconcile_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

func (w *world) HasPath(_ context.Context, r providers.Repo, path string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.asked("contents")
	return err == nil && w.repos[r.ID] != nil && w.repos[r.ID].files[path], err
}

func (w *world) Topics(_ context.Context, r providers.Repo) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.repos[r.ID].topics, w.asked("topics")
}

func (w *world) RepoHooks(context.Context, providers.Repo) ([]string, error) {
	return []string{"https://drone.example.com/hook"}, nil
}

// Activate, like Drone's, is for those who were synchronized since the
// repository was made, and administer it.
func (c *ci) Activate(_ context.Context, r providers.Repo, as []string, set target.Settings) (target.Activation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.active[r.ID]
	if a.on {
		return target.Activation{Already: true}, nil
	}
	unable, listed := &target.UnableError{}, true
	for _, login := range as {
		switch _, shown := c.shows[login][r.ID]; {
		case c.keys != nil && !c.keys[login]:
			unable.Reasons = append(unable.Reasons, login+": "+target.ErrNoCredential.Error())
		case !shown:
			listed = false
		case c.world.level("u-"+login, r.ID) < providers.Admin:
			unable.Reasons = append(unable.Reasons, login+": does not administer it")
		default:
			c.active[r.ID] = activated{on: true, as: login, n: a.n + 1, set: set}
			return target.Activation{As: login, Hook: "/hook"}, nil
		}
	}
	if !listed {
		return target.Activation{}, target.ErrNotListed
	}
	return target.Activation{}, unable
}

func (c *ci) activation(id string) activated {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.active[id]
}

// born makes acme/name now, administered by the admin and, as its maker, by.
func (w *world) born(id, name, by string) providers.Repo {
	w.create(id, name)
	w.change(func() {
		w.repos[id].Created = time.Now().Truncate(time.Second)
		w.repos[id].collaborators[w.user(by).ID] = providers.Admin
	})
	return w.repos[id].Repo
}

// announce says that somebody made r.
func (h *house) announce(r providers.Repo, by string) {
	h.t.Helper()
	now := time.Now()
	d := providers.Delivery{ID: syncqueue.NewID(now), Provider: "git", GUID: syncqueue.NewID(now), Received: now}
	e := providers.Event{Name: "repository.created", Effect: providers.EffectRepo, Repo: &r, Org: r.Org, Sender: providers.User{ID: "u-" + by, Login: by}}
	jobs := syncqueue.JobsFor(d, e, syncqueue.Timing{Debounce: time.Second, MaxDelay: 5 * time.Second}, now)
	if _, err := h.store.Push(h.t.Context(), syncqueue.Entry{Delivery: d, Event: e, Result: syncqueue.EntryAccepted}, jobs...); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) decided(id string) storage.Activation {
	h.t.Helper()
	b, err := h.store.Snapshot(h.t.Context(), storage.ActivationKey("drone", "git", id))
	if err != nil {
		return storage.Activation{}
	}
	a, err := storage.ReadActivation(b)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// deciding is the job that decides on a repository, if it has not ended.
func (h *house) deciding(id string) syncqueue.Job {
	h.t.Helper()
	j, _ := h.store.Pending(h.t.Context(), syncqueue.ActivationKeys("drone", "git")+syncqueue.Key(id))
	return j
}

var pipelines = target.Policy{Rules: []target.Rule{
	{Names: []string{"no-*"}, Skip: true},
	{Orgs: []string{"acme"}, Files: []string{".drone.yml"}, As: []string{target.Sender}, Set: target.Settings{Timeout: time.Hour}},
}}

func TestANewRepositoryIsActivatedOnceAsItsMaker(t *testing.T) {
	var said bytes.Buffer
	inBubble(t, acme(), plan{policy: pipelines, said: &said}, func(h *house) {
		r := h.world.born("12", "app", "ana")
		h.world.change(func() { h.world.repos["12"].files[".drone.yml"] = true })
		h.announce(r, "ana")
		h.after(10 * time.Second)
		got := h.ci.activation("12")
		if !got.on || got.as != "ana" || got.n != 1 || got.set.Timeout != time.Hour {
			t.Fatalf("the CI server has %+v; %s", got, h.deciding("12").Note)
		}
		d := h.decided("12")
		if d.State != storage.Activated || d.Rule != 2 || d.As != "ana" || !strings.Contains(d.Note, "the forge sends to drone.example.com") {
			t.Errorf("decided: %+v", d)
		}
		if s := said.String(); !strings.Contains(s, "msg=audit") || !strings.Contains(s, "repo=acme/app activation=activated rule=2 as=ana") {
			t.Errorf("the audit log has not: %s", s)
		}

		// Somebody deactivates it; whatever becomes of it later is not news.
		h.ci.mu.Lock()
		h.ci.active["12"] = activated{n: 1}
		h.ci.mu.Unlock()
		h.world.change(func() { h.world.repos["12"].Path, h.world.repos["12"].Visibility = "acme/renamed", providers.Public })
		h.announce(h.world.repos["12"].Repo, "ana")
		h.after(time.Hour)
		if got := h.ci.activation("12"); got.on {
			t.Error("it was activated again")
		}
	})
}

func TestWhatWasThereBeforeThePolicyIsLeft(t *testing.T) {
	w := acme()
	inBubble(t, w, plan{}, func(h *house) {
		old := h.world.born("12", "old", "ana")
		h.world.change(func() { h.world.repos["12"].files[".drone.yml"] = true })
		h.after(time.Minute)
		h.stop()
		h.plan.policy, h.plan.repos = pipelines, 10*time.Minute
		h.start()
		h.announce(old, "ana")
		h.announce(h.world.repos["10"].Repo, "ana")
		h.after(time.Minute)
		if d := h.deciding("12"); d.ID != "" || h.decided("12").State != "" || h.ci.activation("12").on {
			t.Errorf("an old one was decided on: %+v", d)
		}
		// In a later life, what was made while nobody listened is new still.
		h.after(time.Minute)
		h.stop()
		h.after(time.Minute)
		h.world.born("13", "missed", "ana")
		h.world.change(func() { h.world.repos["13"].files[".drone.yml"] = true })
		h.start()
		h.after(time.Hour)
		if j := h.deciding("13"); j.State != syncqueue.Parked || !strings.Contains(j.Note, "who made it is not known") {
			t.Errorf("the missed one: %s, %q, decided %+v", j.State, j.Note, h.decided("13"))
		}
	})
}

func TestAMissedRepositoryIsActivatedByWhoIsNamed(t *testing.T) {
	policy := target.Policy{Rules: []target.Rule{{As: []string{target.Sender, "admin"}}}}
	inBubble(t, acme(), plan{policy: policy, repos: 10 * time.Minute}, func(h *house) {
		h.world.born("12", "app", "ana")
		h.after(15 * time.Minute)
		if got := h.ci.activation("12"); got.as != "admin" {
			t.Errorf("the CI server has %+v; %s", got, h.deciding("12").Note)
		}
	})
}

func TestAnEmptyRepositoryIsLookedAtUntilItHasAPipeline(t *testing.T) {
	calls := 0
	w := acme()
	w.fault = func(op string) error {
		if op == "contents" {
			calls++
		}
		return nil
	}
	inBubble(t, w, plan{policy: pipelines, reconcile: 6 * time.Hour}, func(h *house) {
		for _, id := range []string{"12", "13"} {
			h.announce(h.world.born(id, "app-"+id, "ana"), "ana")
		}
		h.after(10 * time.Minute)
		if j := h.deciding("12"); j.State != syncqueue.Ready || !strings.Contains(j.Note, "rule 2 wants .drone.yml") {
			t.Fatalf("%s: %q", j.State, j.Note)
		}
		h.world.change(func() { h.world.repos["12"].files[".drone.yml"] = true })
		h.after(5*time.Minute + 10*time.Second) // half its age
		if got := h.ci.activation("12"); !got.on {
			t.Errorf("not activated; looked at %d times, next at %s", calls, h.deciding("12").NotBefore)
		}
		h.after(31 * 24 * time.Hour)
		d := h.decided("13")
		if d.State != storage.LeftAlone || !strings.Contains(d.Note, "in 30 days") || h.deciding("13").ID != "" {
			t.Errorf("the other one: %+v, %+v", d, h.deciding("13"))
		}
		if calls > 200 {
			t.Errorf("%d calls in a month", calls)
		}
		t.Logf("%d calls about files, for two repositories in 31 days", calls)
	})
}

func TestWithoutACredentialItWaitsForOne(t *testing.T) {
	inBubble(t, acme(), plan{policy: pipelines}, func(h *house) {
		h.ci.keys = map[string]bool{"admin": true, "ana": true}
		h.world.join("3", "zoe")
		r := h.world.born("12", "app", "zoe")
		h.world.change(func() { h.world.repos["12"].files[".drone.yml"] = true })
		h.announce(r, "zoe")
		h.after(time.Minute)
		if j := h.deciding("12"); j.State != syncqueue.Parked || !strings.Contains(j.Note, "zoe: no credential") {
			t.Fatalf("%s: %q", j.State, j.Note)
		}
		h.ci.mu.Lock()
		h.ci.keys["zoe"] = true
		h.ci.mu.Unlock()
		if _, err := h.engine.Welcome(t.Context(), "drone", "zoe", syncqueue.Cause{By: "credential", At: time.Now()}); err != nil {
			t.Fatal(err)
		}
		h.after(time.Minute)
		if got := h.ci.activation("12"); got.as != "zoe" {
			t.Errorf("%+v; %q", got, h.deciding("12").Note)
		}
	})
}

func TestADeliveryTellsWhoMadeWhatAPollSawFirst(t *testing.T) {
	inBubble(t, acme(), plan{policy: pipelines, repos: 10 * time.Second}, func(h *house) {
		r := h.world.born("12", "app", "ana")
		h.world.change(func() { h.world.repos["12"].files[".drone.yml"] = true })
		h.after(time.Minute)
		if j := h.deciding("12"); j.State != syncqueue.Parked {
			t.Fatalf("%s: %q", j.State, j.Note)
		}
		h.announce(r, "ana")
		h.after(10 * time.Second)
		if got := h.ci.activation("12"); got.as != "ana" {
			t.Errorf("%+v; %q", got, h.deciding("12").Note)
		}
	})
}

func TestADryRunOnlyTells(t *testing.T) {
	dry := pipelines
	dry.DryRun = true
	inBubble(t, acme(), plan{policy: dry}, func(h *house) {
		for id, name := range map[string]string{"12": "app", "13": "no-app"} {
			r := h.world.born(id, name, "ana")
			h.world.change(func() { h.world.repos[id].files[".drone.yml"] = true })
			h.announce(r, "ana")
		}
		h.after(time.Minute)
		if d := h.decided("12"); d.State != storage.WouldActivate || d.Rule != 2 || !strings.Contains(d.Note, "as ana, with timeout 60m") {
			t.Errorf("decided: %+v", d)
		}
		if d := h.decided("13"); d.State != storage.LeftAlone || d.Rule != 1 {
			t.Errorf("decided: %+v", d)
		}
		if h.ci.activation("12").n+h.ci.activation("13").n > 0 {
			t.Error("something was activated")
		}
	})
}

func TestForksArchivedAndActiveOnesAreLeft(t *testing.T) {
	inBubble(t, acme(), plan{policy: target.Policy{Rules: []target.Rule{{As: []string{"admin"}}}}}, func(h *house) {
		for id, edit := range map[string]func(*worldRepo){
			"12": func(r *worldRepo) { r.Fork = true },
			"13": func(r *worldRepo) { r.Archived = true },
			"14": func(*worldRepo) { h.ci.active["14"] = activated{on: true, as: "somebody", n: 1} },
		} {
			h.world.born(id, "app-"+id, "ana")
			h.world.change(func() { edit(h.world.repos[id]) })
			h.announce(h.world.repos[id].Repo, "ana")
		}
		h.after(time.Minute)
		if d := h.decided("12"); d.State != storage.LeftAlone || !strings.Contains(d.Note, "no fork") {
			t.Errorf("the fork: %+v", d)
		}
		if h.ci.activation("12").on || h.ci.activation("13").on {
			t.Error("activated")
		}
		if d, got := h.decided("14"), h.ci.activation("14"); d.State != storage.ActiveAlready || got.as != "somebody" || got.n != 1 {
			t.Errorf("the active one: %+v, %+v", d, got)
		}
	})
}

func TestAForgeThatFailsDecidesNothing(t *testing.T) {
	inBubble(t, acme(), plan{policy: pipelines}, func(h *house) {
		h.world.change(func() {
			h.world.fault = func(op string) error {
				if op == "contents" {
					return providers.ErrUnavailable
				}
				return nil
			}
		})
		r := h.world.born("12", "app", "ana")
		h.world.change(func() { h.world.repos["12"].files[".drone.yml"] = true })
		h.announce(r, "ana")
		h.after(10 * time.Minute)
		if d := h.decided("12"); d.State != "" {
			t.Fatalf("decided: %+v", d)
		}
		h.world.change(func() { h.world.fault = nil })
		h.after(15 * time.Minute)
		if !h.ci.activation("12").on {
			t.Errorf("not activated: %+v", h.deciding("12"))
		}
	})
}
