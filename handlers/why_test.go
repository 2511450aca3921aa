package handlers_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

var (
	anna = providers.User{ID: "70", Login: "Ana"}
	lily = providers.User{ID: "80", Login: "li"}
)

// ask asks why, and returns the answer, its first verdict and its links by name.
func (w *world) ask(user, repo string) (answer, verdict map[string]any, chain map[string]map[string]any) {
	w.t.Helper()
	answer = w.get("/api/v1/why?" + url.Values{"provider": {"a"}, "user": {user}, "repo": {repo}}.Encode())
	chain = map[string]map[string]any{}
	for _, l := range answer["chain"].([]any) {
		l := l.(map[string]any)
		chain[l["link"].(string)] = l
	}
	return answer, answer["targets"].([]any)[0].(map[string]any), chain
}

// judged asks, and expects a result and its words.
func (w *world) judged(user, repo, result string, says ...string) (verdict map[string]any, chain map[string]map[string]any) {
	w.t.Helper()
	answer, verdict, chain := w.ask(user, repo)
	if verdict["result"] != result {
		w.t.Errorf("%s and %s: %v, want %s", user, repo, verdict, result)
	}
	for _, s := range says {
		if !strings.Contains(verdict["says"].(string), s) {
			w.t.Errorf("%s and %s: %q does not say %q", user, repo, verdict["says"], s)
		}
	}
	if answer["verdict"] != verdict["says"] || answer["fix"] != verdict["fix"] {
		w.t.Errorf("of one target: %v, %v", answer["verdict"], answer["fix"])
	}
	return verdict, chain
}

// change applies c by a job with a cause.
func (w *world) change(cause syncqueue.Cause, c storage.Change) {
	w.t.Helper()
	cause.At = w.now()
	j := syncqueue.RepoJob("a", repo(1), syncqueue.LaneAddition, w.now())
	if _, err := w.db.Enqueue(context.Background(), cause, j); err != nil {
		w.t.Fatal(err)
	}
	c.Provider = "a"
	w.run(syncqueue.Outcome{Change: &c, Publish: []string{"drone"}}, syncqueue.KindRepo)
}

func cell(u providers.User, r providers.Repo, p providers.Permission) storage.Change {
	return storage.Change{Cells: []providers.Access{{User: u, Repo: r, Permission: p}}}
}

func TestWhyTellsWhatADeliveryLedTo(t *testing.T) {
	w := newWorld(t)
	rec, _ := w.send(created("guid-1"))
	if rec.Code != http.StatusAccepted {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	now := time.Now().Add(time.Minute)
	w.now = func() time.Time { return now }
	app := providers.Repo{ID: "42", Path: "acme/app", Org: acme, Visibility: providers.Private}
	w.run(syncqueue.Outcome{
		Note: "1 user", Publish: []string{"drone"},
		Change: &storage.Change{Provider: "a", Audiences: []storage.Audience{{Repo: app, Users: []storage.Member{{User: anna, Permission: providers.Write}}}}},
	}, syncqueue.KindRepo)

	v, chain := w.judged("ana", "acme/app", "pending", "the publish job is due")
	if v["sees"] != false || v["fix"] != nil {
		t.Errorf("%v", v)
	}
	if chain["server"]["state"] != "wait" || chain["server"]["job"] == nil || chain["credential"]["state"] != "unknown" {
		t.Errorf("%v", chain)
	}

	w.desk.credentials["Ana"] = "ok"
	w.show(anna, nil)
	v, chain = w.judged("ANA", "ACME/App", "visible", "Ana sees acme/app in drone since ")
	if v["sees"] != true || v["since"] == nil {
		t.Errorf("%v", v)
	}
	if says := chain["event"]["says"].(string); !strings.HasPrefix(says, "repository.created, delivered at ") || chain["event"]["delivery"] == nil {
		t.Errorf("%v", chain["event"])
	}
	if chain["job"]["says"] != "a repo job asked the forge: 1 user" || chain["job"]["job"] == nil {
		t.Errorf("%v", chain["job"])
	}
	for _, l := range []string{"forge", "event", "job", "catalogue", "credential", "server"} {
		if chain[l]["state"] != "yes" || chain[l]["at"] == nil && l != "credential" {
			t.Errorf("%s: %v", l, chain[l])
		}
	}
}

func TestWhyTellsApartWhoFoundIt(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		cause syncqueue.Cause
		says  string
	}{
		{syncqueue.Cause{By: "sweep"}, "found by reconcile at "},
		{syncqueue.Cause{By: "poll", Why: "member poll: joined team core"}, "joined team core, found by member poll at "},
		{syncqueue.Cause{By: "poll"}, "found by a poll at "},
		{syncqueue.Cause{By: "operator olga"}, ", when operator olga asked"},
		{syncqueue.Cause{By: "stray"}, "(stray)"},
	} {
		for _, p := range []providers.Permission{providers.None, providers.Write} {
			w.change(c.cause, cell(anna, repo(1), p))
		}
		_, _, chain := w.ask("ana", "acme/app-01")
		if says := chain["event"]["says"].(string); !strings.Contains(says, c.says) || !strings.HasSuffix(says, "; no webhook announced it") || chain["event"]["delivery"] != nil {
			t.Errorf("%v: %q", c.cause, says)
		}
	}
	w.change(syncqueue.Cause{By: "poll", Why: "member poll: left team core"}, cell(anna, repo(1), providers.None))
	w.change(syncqueue.Cause{By: syncqueue.ByFill}, cell(lily, repo(1), providers.Read))
	if _, _, chain := w.ask("li", "1"); chain["event"]["says"].(string)[:len("found by the first fill at ")] != "found by the first fill at " {
		t.Errorf("%v", chain["event"])
	}
	w.judged("ana", "acme/app-01", "leaving", "Ana may still see acme/app-01 in drone, although: removed: left team core, found by member poll at ", "; no webhook announced it; the publish job is")
}

func TestWhyOfWhatDoesNotShow(t *testing.T) {
	w := newWorld(t)
	w.hold(anna, repo(1), repo(2))
	publish := func(o syncqueue.Outcome) { w.run(o, syncqueue.KindPublish) }
	w.show(anna, map[string]string{"1": "archived"})
	w.judged("Ana", "acme/app-01", "hidden", "expected hidden: archived")
	if v, _ := w.judged("Ana", "2", "visible"); v["fix"] != nil {
		t.Errorf("%v", v)
	}

	// Parked, in each way that a job parks.
	w.hold(anna, repo(1), repo(2), repo(3))
	publish(syncqueue.Outcome{Result: syncqueue.ResultParked, Note: "no credential for this user"})
	w.desk.credentials["Ana"] = "missing"
	v, chain := w.judged("Ana", "acme/app-03", "no_credential", "Ana does not see acme/app-03 in drone: no credential for drone")
	if !strings.Contains(v["fix"].(string), "token of Ana") || chain["credential"]["state"] != "no" || chain["forge"]["state"] != "yes" {
		t.Errorf("%v %v", v, chain)
	}
	w.judged("Ana", "acme/app-02", "visible")
	w.desk.credentials["Ana"] = "rejected"
	w.judged("Ana", "acme/app-03", "no_credential", "drone rejects the credential")
	w.desk.standing.MustLogIn = true
	v, chain = w.judged("Ana", "acme/app-03", "no_credential", "drone cannot read the forge for Ana until he logs in there")
	if says, _ := chain["credential"]["says"].(string); v["fix"] != "Ana logs in to drone once" || !strings.Contains(says, "must log in") {
		t.Errorf("%v %v", v, chain)
	}
	w.desk.standing.MustLogIn = false
	w.desk.standing.Account = false
	v, _ = w.judged("Ana", "acme/app-03", "parked", "Ana has no account in drone")
	if v["fix"] != "Ana logs in to drone once" {
		t.Errorf("%v", v)
	}
	w.desk.standing.Account, w.desk.credentials["Ana"] = true, "ok"
	v, _ = w.judged("Ana", "acme/app-03", "parked", "the publish job is parked: no credential for this user")
	j, err := w.db.Pending(context.Background(), syncqueue.PublishJob("drone", "a", anna, syncqueue.Job{}, 0, w.now()).Key)
	if err != nil || v["fix"] != "hookd queue retry "+j.ID {
		t.Errorf("%v, %v", v, err)
	}
	if _, err := w.db.Revive(context.Background(), j.ID); err != nil {
		t.Fatal(err)
	}
	publish(syncqueue.Outcome{Result: syncqueue.ResultParked, Note: "held: by the shrink guard; release with: hookd queue retry X"})
	w.judged("Ana", "acme/app-03", "held", "the publish job is held: by the shrink guard")

	// Given up, with a CI server that does not answer.
	if _, err := w.db.Revive(context.Background(), j.ID); err != nil {
		t.Fatal(err)
	}
	l, err := w.db.Lease(context.Background(), time.Minute, syncqueue.Filter{Kinds: []syncqueue.Kind{syncqueue.KindPublish}})
	if err == nil {
		err = w.db.Bury(context.Background(), l, errors.New("connection refused"))
	}
	if err != nil {
		t.Fatal(err)
	}
	w.desk.standing.Healthy, w.desk.standing.Checked, w.desk.standing.Problem = false, w.now(), "connection refused"
	_, chain = w.judged("Ana", "acme/app-03", "dead", "given up: connection refused")
	if !strings.Contains(chain["server"]["says"].(string), "; drone did not answer at ") {
		t.Errorf("%v", chain["server"])
	}
	if err := w.db.Drop(context.Background(), j.ID); err != nil {
		t.Fatal(err)
	}
	v, _ = w.judged("Ana", "acme/app-03", "pending", "no publish job is queued")
	if v["fix"] != "hookd sync a/Ana" {
		t.Errorf("%v", v)
	}
	w.hold(anna, repo(1), repo(2), repo(3), repo(4))
	if err := w.db.Pause(context.Background(), true); err != nil {
		t.Fatal(err)
	}
	if v, _ = w.judged("Ana", "acme/app-04", "pending", "the queue is paused"); v["fix"] != "hookd queue resume" {
		t.Errorf("%v", v)
	}
}

func TestWhyOfWhatIsNotGranted(t *testing.T) {
	w := newWorld(t)
	w.change(syncqueue.Cause{By: "sweep"}, cell(lily, repo(1), providers.Read))
	w.hold(anna, repo(2))
	w.judged("Ana", "acme/app-01", "not_granted", "the forge does not grant it: it was not in the list of Ana, read at ")
	if v, chain := w.judged("li", "acme/app-02", "unread", "the whole list of li was not read yet"); v["sees"] != nil || v["fix"] != "hookd sync a/li" || chain["forge"]["state"] != "unknown" {
		t.Errorf("%v %v", v, chain)
	}

	// Lost, and then seen to be gone.
	w.show(anna, nil)
	w.hold(anna)
	if v, chain := w.judged("Ana", "acme/app-02", "leaving", "removed: found at "); v["sees"] != nil || chain["server"]["state"] != "unknown" {
		t.Errorf("%v %v", v, chain)
	}
	w.run(syncqueue.Outcome{Confirm: &storage.Confirm{Target: "drone", Provider: "a", User: "70", Version: 2, Gone: []string{"2"}}}, syncqueue.KindPublish)
	if v, chain := w.judged("Ana", "acme/app-02", "removed", "Ana does not see acme/app-02 in drone: removed: found at "); v["since"] == nil || chain["server"]["state"] != "no" {
		t.Errorf("%v %v", v, chain)
	}
	w.change(syncqueue.Cause{By: "sweep"}, storage.Change{Gone: []string{"1"}})
	w.judged("Ana", "1", "deleted", "the repository was deleted")
	w.judged("li", "1", "leaving", "the repository was deleted: found by reconcile at ")
}

func TestWhyLeadsFromOldNamesToTheCurrentOnes(t *testing.T) {
	w := newWorld(t)
	w.hold(anna, repo(1))
	moved := repo(1)
	moved.Path = "acme/moved"
	w.hold(providers.User{ID: "70", Login: "anna"}, moved)
	for _, names := range [][2]string{{"ana", "acme/moved"}, {"70", "1"}, {"ANNA", "acme/app-01"}, {"Ana", "ACME/APP-01"}} {
		answer, _, chain := w.ask(names[0], names[1])
		if answer["user"].(map[string]any)["login"] != "anna" || answer["repo"].(map[string]any)["repo"] != "acme/moved" {
			t.Errorf("%v: %v", names, answer)
		}
		if old := names[0] != "70"; (chain["name"] != nil) != old {
			t.Errorf("%v: %v", names, chain["name"])
		}
	}
	// Who has the name now comes before who had it.
	w.hold(providers.User{ID: "90", Login: "ana"}, repo(5))
	if answer, _, _ := w.ask("ana", "acme/moved"); answer["user"].(map[string]any)["id"] != "90" {
		t.Errorf("%v", answer)
	}
}

func TestWhyOfTheUnknownSaysHowToAsk(t *testing.T) {
	w := newWorld(t)
	w.hold(anna, repo(1))
	for _, c := range []struct {
		user, repo string
		want       []string
	}{
		{"nobody", "acme/app-01", []string{`no user "nobody" of a`, "hookd sync a/nobody"}},
		{"ana", "acme/none", []string{`no repository "acme/none" of a`, "hookd reconcile --provider a --org acme"}},
		{"$(reboot)", "acme/app-01", []string{`hookd sync a/"$(reboot)"`}},
		{strings.Repeat("x", 5000), "acme/app-01", []string{"…"}},
	} {
		rec, problem := w.call("viewer", "GET", "/api/v1/why?"+url.Values{"provider": {"a"}, "user": {c.user}, "repo": {c.repo}}.Encode(), "")
		detail, _ := problem["detail"].(string)
		if rec.Code != http.StatusNotFound || len(detail) > 1000 {
			t.Errorf("%.20s: %d, %d bytes", c.user, rec.Code, len(detail))
		}
		for _, want := range c.want {
			if !strings.Contains(detail, want) {
				t.Errorf("%q does not say %q", detail, want)
			}
		}
	}
	// The delivery told of it, but the forge could not be asked.
	w.send(created("guid-2"))
	l, err := w.db.Lease(context.Background(), time.Minute, syncqueue.Filter{Kinds: []syncqueue.Kind{syncqueue.KindRepo}})
	if err == nil {
		err = w.db.Bury(context.Background(), l, errors.New("the forge is down"))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, problem := w.call("viewer", "GET", "/api/v1/why?provider=a&user=ana&repo=Acme/App", ""); !strings.Contains(problem["detail"].(string), "is dead: the forge is down; hookd queue retry "+l.Job.ID) {
		t.Errorf("%v", problem)
	}
}

func TestWhyChecksItsQuestion(t *testing.T) {
	w := newWorld(t)
	for target, want := range map[string]int{
		"?provider=a&user=x":               http.StatusBadRequest,
		"?provider=a&user=x&repo=y&oops=1": http.StatusBadRequest,
		"?provider=zz&user=x&repo=y":       http.StatusNotFound,
		"?provider=b&user=Ana&repo=acme/x": http.StatusNotFound,
	} {
		if rec, _ := w.call("viewer", "GET", "/api/v1/why"+target, ""); rec.Code != want {
			t.Errorf("%s: %d, want %d", target, rec.Code, want)
		}
	}
	if rec, _ := w.call("", "GET", "/api/v1/why?provider=a&user=x&repo=y", ""); rec.Code != http.StatusUnauthorized {
		t.Errorf("without a token: %d", rec.Code)
	}
}
