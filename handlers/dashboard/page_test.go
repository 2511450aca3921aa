package dashboard_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

func TestEveryAnswerHasAStrictPolicy(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("operator")
	for _, c := range []struct {
		method, target string
		want           int
		mediaType      string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/", 200, "text/html; charset=utf-8"},
		{"GET", "/dashboard", 303, ""},
		{"GET", "/dashboard/", 303, ""},
		{"GET", "/dashboard/style.css", 200, "text/css; charset=utf-8"},
		{"GET", "/dashboard/favicon.svg", 200, "image/svg+xml"},
		{"GET", "/favicon.ico", 200, "image/svg+xml"},
		{"GET", "/dashboard/overview.html", 404, ""},
		{"GET", "/dashboard/nothing", 404, ""},
		{"POST", "/", 405, ""},
		{"PUT", "/dashboard/style.css", 405, ""},
		{"BREW", "/", 405, ""},
		{"POST", "/dashboard/sign-out", 403, "text/html; charset=utf-8"},
	} {
		r, err := http.NewRequest(c.method, c.target, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		rec := b.do(r)
		h := rec.Header()
		if rec.Code != c.want || c.mediaType != "" && h.Get("Content-Type") != c.mediaType {
			t.Errorf("%s %s: %d %v", c.method, c.target, rec.Code, h)
		}
		csp := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "style-src 'self'", "img-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp+";", part+";") {
				t.Errorf("%s %s: no %s in %s", c.method, c.target, part, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s: %v", c.method, c.target, h)
		}
		if strings.HasPrefix(c.mediaType, "text/html") && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s may be cached: %v", c.method, c.target, h)
		}
	}
}

// The policy would block what is inline; a page that needs it is broken.
func TestThePageNeedsNothingInline(t *testing.T) {
	w := newWorld(t)
	w.full()
	page := w.signedIn("operator").page("/")
	for _, bad := range []string{"<script", "<style", " style=", " onclick", "javascript:", "http://", "https://", "data:", "ZgotmplZ", "<iframe", "<base"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %s", bad)
		}
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "/") && !strings.HasPrefix(m[1], "#") || strings.HasPrefix(m[1], "//") {
			t.Errorf("the page refers to %s", m[1])
		}
	}
}

func TestEveryTableHasACaptionAndEveryFieldAName(t *testing.T) {
	w := newWorld(t)
	id := w.full()
	page := w.signedIn("operator").page("/?delivery=" + id)
	if tables, captions := strings.Count(page, "<table"), strings.Count(page, "<caption"); tables < 6 || tables != captions {
		t.Errorf("%d tables, %d captions", tables, captions)
	}
	for _, th := range regexp.MustCompile(`<th[ >][^>]*>`).FindAllString(page, -1) {
		if !strings.Contains(th, `scope="col"`) {
			t.Errorf("%s has no scope", th)
		}
	}
	ids := map[string]int{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		ids[m[1]]++
	}
	for name, n := range ids {
		if n > 1 {
			t.Errorf("%d elements are called %s", n, name)
		}
	}
	for _, m := range regexp.MustCompile(`(?:aria-labelledby|href|for|list)="#?([a-z-]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[m[1]] == 0 {
			t.Errorf("nothing is called %s", m[1])
		}
	}
}

// full fills the world with one of everything, and returns a delivery's id.
func (w *world) full() (id string) {
	w.t.Helper()
	w.push("dead", created("1", "acme/dead"))
	w.work(syncqueue.Outcome{}, errBroken)
	w.push("parked", created("2", "acme/parked"))
	w.work(syncqueue.Outcome{Result: syncqueue.ResultParked, Note: "waits for a token"}, nil)
	id = w.push("done", created("3", "acme/done"))
	ana := providers.User{ID: "7", Login: "ana"}
	cell := providers.Access{User: ana, Repo: providers.Repo{ID: "3", Path: "acme/done"}, Permission: providers.Read}
	w.work(syncqueue.Outcome{Change: &storage.Change{Provider: "git", Cells: []providers.Access{cell}}}, nil)
	w.credentials["ana"] = "missing"
	for i := range 20 {
		asked := w.now.Add(-time.Duration(i+1) * time.Minute)
		w.visibles = append(w.visibles, storage.Visible{Target: "drone", Provider: "git", UserID: "7", User: "ana", RepoID: fmt.Sprint(i), Repo: fmt.Sprint("acme/app-", i), Asked: asked, At: asked.Add(time.Duration(i+1) * time.Second)})
	}
	return id
}

func TestThePageTellsWhatThereIs(t *testing.T) {
	w := newWorld(t)
	id := w.full()
	w.visibles = append(w.visibles,
		storage.Visible{Repo: "acme/gone", Gone: true, Asked: w.now.Add(-time.Minute), At: w.now},
		storage.Visible{Repo: "acme/polled", At: w.now},
		storage.Visible{Repo: "acme/yesterday", Asked: w.now.Add(-25 * time.Hour), At: w.now.Add(-24 * time.Hour)},
	)
	page := w.signedIn("viewer").page("/")
	for _, want := range []string{
		`<bdi>vera</bdi> (viewer)`, `<td class="bad">1<small>`, "Dead letters (1)", "Parked (1)",
		"<dd>20</dd>", "<dd>10.0 s</dd>", "<dd>19.0 s</dd>", "<dd>20.0 s</dd>", `<bdi class="message">the forge is broken</bdi>`, `<bdi class="message">waits for a token</bdi>`,
		id, "<bdi>acme/done</bdi>", "<bdi>ana</bdi>", "<strong>missing</strong>", "acme/app-0 for ana in drone: 1.0 s",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s on the page", want)
		}
	}
	for _, other := range []string{"acme/gone", "acme/polled", "acme/yesterday"} {
		if strings.Contains(page, other) {
			t.Errorf("%s has no time from a delivery to showing in this hour", other)
		}
	}
	if n := strings.Count(page, "<circle"); n != 20 {
		t.Errorf("%d points of 20", n)
	}
	for _, m := range regexp.MustCompile(`<circle cx="(-?\d+)" cy="(-?\d+)"`).FindAllStringSubmatch(page, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		if x < 56 || x > 1072 || y < 10 || y > 192 {
			t.Errorf("a point at %d, %d is not on the chart", x, y)
		}
	}
}

func TestAnEmptyWorldHasAPage(t *testing.T) {
	page := newWorld(t).signedIn("operator").page("/")
	if n := strings.Count(page, "None."); n != 3 || !strings.Contains(page, "No delivery is like this.") || strings.Contains(page, "<svg") {
		t.Errorf("%s", page)
	}
}

func TestDeliveriesAreFilteredAndPaged(t *testing.T) {
	w := newWorld(t)
	for i := range 60 {
		ev := created(fmt.Sprint(i), fmt.Sprint("acme/app-", i, "."))
		if i == 0 {
			ev = providers.Event{Name: "push", Org: providers.Org{Name: "acme"}, Detail: "nobody's access"}
		}
		w.push(fmt.Sprint("g", i), ev)
		w.now = w.now.Add(time.Second)
	}
	b := w.signedIn("viewer")
	rows := func(page string) int { return strings.Count(page, `<a class="id"`) }
	first := b.page("/?result=accepted")
	m := regexp.MustCompile(`href="([^"]*)">Older`).FindStringSubmatch(first)
	if rows(first) != 50 || m == nil || !strings.Contains(first, "acme/app-59.") || strings.Contains(first, ">Newest<") {
		t.Fatalf("%d rows, %v", rows(first), m)
	}
	second := b.page(unescape.Replace(m[1]))
	if rows(second) != 9 || !strings.Contains(second, "acme/app-1.") || strings.Contains(second, ">Older<") || !strings.Contains(second, ">Newest<") {
		t.Errorf("%d rows on the second page", rows(second))
	}
	for query, want := range map[string]int{
		"result=ignored": 1, "result=ping": 0, "event=push": 1, "event=repository.created": 50, "provider=git": 50, "provider=other": 0,
		"result=nonsense": 50, "event=" + strings.Repeat("x", 300): 50, "delivery=01NONE": 50, "delivery=0": 50, "every=1": 50,
	} {
		if got := rows(b.page("/?" + query)); got != want {
			t.Errorf("%.40s: %d rows, want %d", query, got, want)
		}
	}
}

func TestDeadLettersAreGroupedByCause(t *testing.T) {
	w := newWorld(t)
	fail := func(n int, format string) {
		for i := range n {
			path := fmt.Sprintf("acme/app-%d", i)
			w.push(fmt.Sprint(format, i), created(fmt.Sprint(format, i), path))
			err := fmt.Errorf("%s", strings.NewReplacer("PATH", path, "N", fmt.Sprint(1000+i)).Replace(format))
			w.work(syncqueue.Outcome{}, err)
		}
	}
	fail(3, "GET /repos/PATH: unavailable (status 502)")
	fail(2, "GET /repos/PATH: token refused (status 401)")
	fail(4, "PATH would keep N of N repositories")
	page := w.signedIn("operator").page("/")
	for _, want := range []string{"unavailable (status 502)", "token refused (status 401)", "… would keep … of … repositories", "Retry all 3", "Drop all 2 jobs", "Retry all 4"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q on\n%s", want, page)
		}
	}
	if n := strings.Count(page, "/dashboard/causes/retry"); n != 3 {
		t.Errorf("%d causes", n)
	}
}

// hostile are names that strangers may choose.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `{{.Form}}`, `javascript:alert(1)`, `</title><svg onload=alert(1)>`,
	"a\u202egpj.exe", "\u2066isolate\u2069", "\x1b[31mred\x1b[0m", "nul\x00byte", "cr\r\nlf: x", "\x9b31m", "zero\u200bwidth", "bad\xff\xfeutf8", "\xed\xa0\x80",
	"../../etc/passwd", "%2f%2e%2e", "مرحبا", "👩‍💻", strings.Repeat("x", 64<<10), strings.Repeat("é", 32<<10), "<!--", "]]>", "&lt;b&gt;",
}

func TestHostileNamesStayText(t *testing.T) {
	w := newWorld(t)
	var change storage.Change
	change.Provider = "git"
	for i, name := range hostile {
		n := fmt.Sprint(i)
		w.push("dead "+name, providers.Event{
			Name: "repository." + name, Effect: providers.EffectRepo, Repo: &providers.Repo{ID: "d" + n, Path: name, Org: providers.Org{ID: "5", Name: name}},
			User: &providers.User{ID: n, Login: name}, Org: providers.Org{ID: "5", Name: name}, Sender: providers.User{ID: n, Login: name},
		})
		w.work(syncqueue.Outcome{}, fmt.Errorf("broken by %s", name))
		w.push("parked "+name, created("p"+n, name))
		w.work(syncqueue.Outcome{Result: syncqueue.ResultParked, Note: name}, nil)
		w.push("ignored "+name, providers.Event{Name: name, Detail: "not for " + name})
		user := providers.User{ID: n, Login: n + name}
		change.Cells = append(change.Cells, providers.Access{User: user, Repo: providers.Repo{ID: n, Path: name}, Permission: providers.Read})
		w.credentials[user.Login] = "missing"
		w.visibles = append(w.visibles, storage.Visible{Target: name, User: name, Repo: name, Asked: w.now.Add(-time.Duration(i+2) * time.Minute), At: w.now.Add(-time.Duration(i+1) * time.Minute)})
	}
	last := w.push("last", created("last", "acme/last"))
	w.work(syncqueue.Outcome{Change: &change, Details: map[string]providers.Details{last: {Summary: strings.Join(hostile, " ")}}}, nil)
	b := w.signedIn("operator")
	pages := []string{b.page("/"), b.page("/?delivery=" + last)}
	for _, name := range hostile {
		records, _, err := w.db.Deliveries(t.Context(), syncqueue.DeliveryQuery{Event: name}, "", 1)
		if err != nil || len(records) != 1 {
			t.Fatalf("%.20q: %v %v", name, records, err)
		}
		pages = append(pages, b.page("/?delivery="+records[0].Delivery.ID))
	}
	allowed := regexp.MustCompile(`^</?(!doctype|html|head|meta|title|link|body|a|header|h1|h2|nav|form|span|input|button|main|p|time|strong|section|table|caption|thead|tbody|tr|th|td|small|dl|div|dt|dd|figure|figcaption|svg|line|text|circle|details|summary|bdi|label|select|option|datalist|code|footer)[ >/]`)
	tag := regexp.MustCompile(`<[^>]*>`)
	for _, page := range pages {
		if len(page) > 1<<20 {
			t.Errorf("a page has %d bytes", len(page))
		}
		if !utf8.ValidString(page) {
			t.Error("a page is not UTF-8")
		}
		for _, r := range page {
			if r != '\n' && !strconv.IsPrint(r) {
				t.Errorf("a page holds %U", r)
				break
			}
		}
		for _, m := range tag.FindAllString(page, -1) {
			if !allowed.MatchString(m) || regexp.MustCompile(`\son[a-z]+=`).MatchString(regexp.MustCompile(`"[^"]*"`).ReplaceAllString(m, "")) || strings.Contains(m, `"javascript:`) {
				t.Errorf("a name became %s", m)
			}
		}
	}
	for _, want := range []string{`&lt;script&gt;alert(1)&lt;/script&gt;`, `a\u202egpj.exe`, `\x1b[31mred`, `bad\xff\xfeutf8`, `zero\u200bwidth`, "مرحبا", "{{.Form}}"} {
		if !strings.Contains(pages[0], want) {
			t.Errorf("%s is not on the page", want)
		}
	}
}

// What stands in an address comes back on the page.
func TestHostileAddressesStayText(t *testing.T) {
	w := newWorld(t)
	w.full()
	b := w.signedIn("operator")
	for _, param := range []string{"provider", "event", "result", "delivery", "every"} {
		for _, name := range hostile {
			r, err := http.NewRequest(http.MethodGet, "/", nil)
			if err != nil {
				t.Fatal(err)
			}
			q := r.URL.Query()
			q.Set(param, name)
			r.URL.RawQuery = q.Encode()
			rec := b.do(r)
			if rec.Code != http.StatusOK || strings.Contains(rec.Body.String(), "<script") || strings.Contains(rec.Body.String(), "<img") || strings.ContainsAny(rec.Body.String(), "\x00\x1b\r") {
				t.Errorf("%s=%.20q: %d", param, name, rec.Code)
			}
		}
	}
	if rec := b.get("/?cursor=nonsense"); rec.Code != http.StatusOK && rec.Code != http.StatusBadRequest {
		t.Errorf("a cursor that is none: %d", rec.Code)
	}
}
