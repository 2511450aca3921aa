package dashboard_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

func whyAddress(user, repo string) string {
	return "/dashboard/why?" + url.Values{"provider": {"git"}, "user": {user}, "repo": {repo}}.Encode()
}

func TestThePageExplainsWhySomebodySeesARepository(t *testing.T) {
	w := newWorld(t)
	id := w.push("g-1", created("41", "acme/app"))
	ana := providers.User{ID: "7", Login: "ana"}
	w.work(syncqueue.Outcome{Change: &storage.Change{Provider: "git", Cells: []providers.Access{{User: ana, Repo: providers.Repo{ID: "41", Path: "acme/app"}, Permission: providers.Write}}}}, nil)
	w.visibles = append(w.visibles, storage.Visible{Target: "drone", Provider: "git", UserID: "7", User: "ana", RepoID: "41", Repo: "acme/app", Asked: w.now.Add(-time.Minute), At: w.now})
	w.credentials["ana"] = "missing"
	b := w.signedIn("viewer")
	over := b.page("/")
	link := "/dashboard/why?provider=git&amp;repo=41&amp;user=7"
	if !strings.Contains(over, `<a href="`+link+`">why</a>`) || !strings.Contains(over, `action="/dashboard/why"`) {
		t.Error("the overview does not lead there")
	}
	page := b.page(unescape.Replace(link))
	for _, want := range []string{
		`<bdi>ana does not see acme/app in drone: no credential for drone</bdi>`, "What to do: <bdi>give hookd a token of ana for drone",
		`<td>catalogue</td>`, "write is held since", `<td><strong>no</strong></td>`, `<a href="/?delivery=` + id + `">the delivery</a>`,
		`<input name="user" value="7"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s on the page", want)
		}
	}
	if rec := b.get(whyAddress("nobody", "acme/app")); rec.Code != http.StatusNotFound || !strings.Contains(rec.Body.String(), "hookd sync git/nobody") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if page := b.page("/dashboard/why?user=ana"); strings.Contains(page, "notice") || !strings.Contains(page, `value="ana"`) {
		t.Error("half a question was answered")
	}
}

func TestTheExplanationIsForWhoSignedIn(t *testing.T) {
	w := newWorld(t)
	rec := w.browser().get(whyAddress("ana", "acme/app"))
	if body := rec.Body.String(); !strings.Contains(body, "Admin token") || strings.Contains(body, "catalogue") {
		t.Errorf("%d %s", rec.Code, body)
	}
	if rec := w.signedIn("admin").post("/dashboard/why", nil); rec.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", rec.Code)
	}
}

func TestHostileNamesStayTextInAnExplanation(t *testing.T) {
	w := newWorld(t)
	var change storage.Change
	change.Provider = "git"
	for i, name := range hostile {
		change.Cells = append(change.Cells, providers.Access{User: providers.User{ID: fmt.Sprint("u", i), Login: name}, Repo: providers.Repo{ID: fmt.Sprint("r", i), Path: name}, Permission: providers.Read})
	}
	w.push("g-1", created("41", "acme/app"))
	w.work(syncqueue.Outcome{Change: &change}, nil)
	b := w.signedIn("viewer")
	for i, name := range hostile {
		addresses := []string{whyAddress(fmt.Sprint("u", i), fmt.Sprint("r", i)), whyAddress("u1", "nothing")}
		if len(name) < 1000 {
			addresses = append(addresses, whyAddress(name, name), whyAddress("u1", name+"?"), whyAddress(name+"?", "r1"))
		}
		for _, address := range addresses {
			body := b.get(address).Body.String()
			if strings.Contains(body, "<script") || strings.Contains(body, "<img") || strings.Contains(body, "<svg") || strings.ContainsAny(body, "\x00\x1b\r\u202e") {
				t.Errorf("%.60s: a name became markup", address)
			}
			if len(body) > 64<<10 {
				t.Errorf("%.60s: %d bytes", address, len(body))
			}
		}
	}
}
