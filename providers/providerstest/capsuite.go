package providerstest

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hookd/hookd/providers"
)

// A twist is what stands between a driver and a sound forge does to an answer.
type twist struct {
	name   string
	ask    func(r *http.Request)                    // may be nil
	answer func(r *http.Response, elsewhere string) // may be nil
	sound  bool                                     // a complete answer is as good as an error: the twist need not matter to a driver
}

// mostRequests is what one question may take here, however it is led on.
const mostRequests = 60

var twists = []twist{
	{name: "an answer without end", answer: func(r *http.Response, _ string) { rewrite(r, append(bodyOf(r), bytes.Repeat([]byte(" "), 17<<20)...)) }},
	{name: "lists within lists within lists", answer: func(r *http.Response, _ string) { rewrite(r, bytes.Repeat([]byte("["), 1<<20)) }},
	{name: "objects within objects within objects", answer: func(r *http.Response, _ string) {
		rewrite(r, bytes.Repeat([]byte(`{"id":`), 1<<18))
	}},
	{name: "a redirect to another host", answer: func(r *http.Response, elsewhere string) { redirect(r, elsewhere+r.Request.URL.Path) }},
	{name: "a redirect to another scheme", answer: func(r *http.Response, _ string) {
		redirect(r, "https://"+r.Request.Header.Get("X-Asked")+r.Request.URL.Path)
	}},
	{name: "redirects in a circle", answer: func(r *http.Response, _ string) { redirect(r, r.Request.URL.Path) }},
	{name: "a next page on another host", sound: true, answer: func(r *http.Response, elsewhere string) {
		if link := r.Header.Get("Link"); link != "" {
			r.Header.Set("Link", strings.ReplaceAll(link, "http://"+r.Request.Header.Get("X-Asked"), elsewhere))
		}
	}},
	{name: "the first page for ever", sound: true, ask: func(r *http.Request) {
		q := r.URL.Query()
		q.Del("page")
		r.URL.RawQuery = q.Encode()
	}},
}

func bodyOf(r *http.Response) []byte {
	body, _ := io.ReadAll(r.Body) // of a simulator in this process
	r.Body.Close()
	return body
}

func rewrite(r *http.Response, body []byte) {
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	r.Header.Del("ETag")
}

func redirect(r *http.Response, to string) {
	bodyOf(r)
	rewrite(r, nil)
	r.StatusCode = http.StatusFound
	r.Header.Set("Location", to)
}

// RunCaps examines what bounds a driver: the size and depth of an answer, where
// its token goes by redirects and links, and how long it pages. The driver that
// open makes reads the simulated forge at root through something that twists its
// answers; w is that forge, whose pages are short.
func RunCaps(t *testing.T, root string, w World, open func(root string) (providers.Forge, error)) {
	forge := must[*url.URL](t)(url.Parse(root))
	var led atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		led.Add(1)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "[]")
	}))
	defer elsewhere.Close()
	var now atomic.Pointer[twist]
	var requests atomic.Int32
	between := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			requests.Add(1)
			p.Out.URL.Scheme, p.Out.URL.Host = forge.Scheme, forge.Host
			p.Out.Header.Set("X-Asked", p.In.Host)
			if x := now.Load(); x != nil && x.ask != nil {
				x.ask(p.Out)
			}
		},
		ModifyResponse: func(r *http.Response) error {
			for _, name := range []string{"Link", "Location"} { // which name the forge as it knows itself
				if v := r.Header.Get(name); v != "" {
					r.Header.Set(name, strings.ReplaceAll(v, root, "http://"+r.Request.Header.Get("X-Asked")))
				}
			}
			if x := now.Load(); x != nil && x.answer != nil {
				x.answer(r, elsewhere.URL)
			}
			return nil
		},
	})
	defer between.Close()
	ask := capQuestions(t, w)
	fresh := func() providers.Forge { return must[providers.Forge](t)(open(between.URL)) }
	sound := map[string]int{}
	for name, q := range ask {
		n, err := q(fresh())
		if sound[name] = n; n == 0 || err != nil {
			t.Fatalf("%s, untwisted: %d, %v", name, n, err)
		}
	}
	for _, x := range twists {
		t.Run(x.name, func(t *testing.T) {
			now.Store(&x)
			defer now.Store(nil)
			failed := 0
			for _, name := range slices.Sorted(maps.Keys(ask)) {
				requests.Store(0)
				n, err := ask[name](fresh())
				switch {
				case err != nil:
					failed++
					if n != 0 || !errors.Is(err, providers.ErrNonsense) {
						t.Errorf("%s: %d yielded, %v", name, n, err)
					}
				case !x.sound || n != sound[name]:
					t.Errorf("%s: %d of %d and no error", name, n, sound[name])
				}
				if got := requests.Load(); got > mostRequests {
					t.Errorf("%s: %d requests", name, got)
				}
			}
			if failed == 0 && x.ask != nil {
				t.Error("nothing noticed")
			}
			if n := led.Swap(0); n != 0 {
				t.Errorf("%d requests were led to another host", n)
			}
		})
	}
}

// capQuestions fills a world so that every list has some pages, and asks for
// each. A question tells how much a complete answer has.
func capQuestions(t *testing.T, w World) map[string]func(providers.Forge) (int, error) {
	o := must[providers.Org](t)(w.CreateOrg("caps", "private"))
	team := must[providers.Team](t)(w.CreateTeam(o, "core", providers.Write, true))
	var u providers.User
	var r providers.Repo
	for i := range 7 {
		u = must[providers.User](t)(w.CreateUser("capped" + strconv.Itoa(i)))
		ok(t, w.AddMember(o, team, u))
		r = must[providers.Repo](t)(w.CreateRepo(o.Name, "r"+strconv.Itoa(i), true))
		ok(t, w.AddCollaborator(r, u, providers.Admin))
	}
	org := providers.Subject{Kind: providers.SubjectOrg, ID: o.ID, Name: o.Name}
	one := func(err error) (int, error) {
		if err != nil {
			return 0, err
		}
		return 1, nil
	}
	return map[string]func(providers.Forge) (int, error){
		"Repo":        func(f providers.Forge) (int, error) { _, err := f.Repo(t.Context(), r.ID); return one(err) },
		"User":        func(f providers.Forge) (int, error) { _, err := f.User(t.Context(), u.Login); return one(err) },
		"UserByID":    func(f providers.Forge) (int, error) { _, err := f.UserByID(t.Context(), u.ID); return one(err) },
		"Org":         func(f providers.Forge) (int, error) { _, err := f.Org(t.Context(), o.Name); return one(err) },
		"RepoAccess":  func(f providers.Forge) (int, error) { return count(f.RepoAccess(t.Context(), r)) },
		"UserAccess":  func(f providers.Forge) (int, error) { return count(f.UserAccess(t.Context(), u)) },
		"ScopeAccess": func(f providers.Forge) (int, error) { return count(f.ScopeAccess(t.Context(), u, org)) },
		"Members":     func(f providers.Forge) (int, error) { return count(f.Members(t.Context(), org)) },
		"Repos":       func(f providers.Forge) (int, error) { return count(f.(providers.RepoFeed).Repos(t.Context(), o)) },
		"Model": func(f providers.Forge) (int, error) {
			m, err := f.(providers.TeamForge).Model(t.Context(), o)
			return m.Size(), err
		},
	}
}

// count drains a sequence and tells how much it yielded before its error.
func count[T any](seq iter.Seq2[T, error]) (n int, err error) {
	for _, e := range seq {
		if e != nil {
			return n, e
		}
		n++
	}
	return n, nil
}
