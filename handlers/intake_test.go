package handlers_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/storage"
)

func TestAcceptedMeansJournalledAndQueued(t *testing.T) {
	w := newWorld(t)
	rec, answer := w.send(created("g1"))
	if rec.Code != http.StatusAccepted || answer["event"] != "repository.created" || answer["jobs"] != 1.0 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	d, err := w.db.Body(context.Background(), answer["delivery"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if string(d.Body) != created("g1").body || d.GUID != "g1" || d.Provider != "a" || d.Secret != 0 {
		t.Errorf("journalled %+v", d)
	}
	jobs, err := w.db.JobsOf(context.Background(), d.ID)
	if err != nil || len(jobs) != 1 || jobs[0].Key != "repo/a/42" || !jobs[0].Since.Equal(d.Received) {
		t.Errorf("jobs %+v, %v", jobs, err)
	}
}

// TestChecksComeInTheContractsOrder spoils a delivery in every way at once,
// then mends one fault after the other: each time the next one must answer.
func TestChecksComeInTheContractsOrder(t *testing.T) {
	w := newWorld(t)
	if rec, _ := w.send(created("known")); rec.Code != http.StatusAccepted {
		t.Fatal(rec.Code)
	}
	large := `"` + strings.Repeat("x", 1<<20) + `"`
	p := post{
		provider: "nobody", method: http.MethodPut, mediaType: "text/plain", body: large,
		event: "repository.created", guid: "known",
	}
	w.queue.err = storage.ErrFull
	steps := []struct {
		name string
		mend func()
		want int
	}{
		{"provider", func() {}, http.StatusNotFound},
		{"method", func() { p.provider = "a" }, http.StatusMethodNotAllowed},
		{"type", func() { p.method = http.MethodPost }, http.StatusUnsupportedMediaType},
		{"size", func() { p.mediaType = "application/json; charset=utf-8" }, http.StatusRequestEntityTooLarge},
		{"signature", func() { p.body = "{not json" }, http.StatusUnauthorized},
		{"JSON", func() { p.secret = secretA }, http.StatusBadRequest},
		{"store", func() { p.body = created("").body }, http.StatusServiceUnavailable},
		{"nothing", func() { w.queue.err = nil; p.guid = "other" }, http.StatusAccepted},
	}
	for _, s := range steps {
		s.mend()
		before := w.queue.count()
		rec, _ := w.send(p)
		if rec.Code != s.want {
			t.Errorf("%s: %d, want %d", s.name, rec.Code, s.want)
		}
		if s.want < 500 && s.want >= 400 && w.queue.count() != before {
			t.Errorf("%s: a refused delivery reached the queue", s.name)
		}
	}
}

func TestOnlyTheProvidersOwnSecretsAreAccepted(t *testing.T) {
	w := newWorld(t)
	for _, provider := range []string{"a", "b"} {
		for secret, owner := range map[string]string{
			secretA: "a", secretA + "-old": "a", secretB: "b", "some-other-secret-89": "", "": "",
		} {
			p := created(provider + secret)
			p.provider, p.secret = provider, secret
			want := http.StatusUnauthorized
			if owner == provider {
				want = http.StatusAccepted
			}
			if rec, _ := w.send(p); rec.Code != want {
				t.Errorf("provider %s, secret of %q: %d, want %d", provider, owner, rec.Code, want)
			}
		}
	}
}

// TestEveryRejectionReadsTheSame also is the proof that a request which is not
// verified reaches nothing that writes.
func TestEveryRejectionReadsTheSame(t *testing.T) {
	w := newWorld(t)
	good := created("g")
	spoilt := map[string]func(*post){
		"no signature":    func(p *post) { p.secret = "" },
		"other secret":    func(p *post) { p.secret = secretB },
		"short":           func(p *post) { p.header = http.Header{"X-Test-Signature": {"ab"}} },
		"not hexadecimal": func(p *post) { p.header = http.Header{"X-Test-Signature": {strings.Repeat("z", 64)}} },
		"upper case":      func(p *post) { p.header = http.Header{"X-Test-Signature": {strings.ToUpper(sign(secretA, p.body))}} },
		"two signatures":  func(p *post) { p.header = http.Header{"X-Test-Signature": {"", sign(secretA, p.body)}} },
		"body changed": func(p *post) {
			s := sign(secretA, p.body)
			p.body += " "
			p.header = http.Header{"X-Test-Signature": {s}}
		},
		"not JSON":            func(p *post) { p.body, p.secret = "{", "" },
		"unknown event":       func(p *post) { p.event, p.secret = "wat", "" },
		"would panic":         func(p *post) { p.event, p.secret = "panic", "" },
		"ping":                func(p *post) { p.event, p.secret = "ping", "" },
		"empty":               func(p *post) { p.body, p.secret = "", "" },
		"without delivery id": func(p *post) { p.guid, p.secret = "", "" },
	}
	var first *httptest.ResponseRecorder
	for name, spoil := range spoilt {
		p := good
		spoil(&p)
		rec, _ := w.send(p)
		if rec.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, rec.Code)
		}
		if first == nil {
			first = rec
		}
		if !bytes.Equal(rec.Body.Bytes(), first.Body.Bytes()) || cmp.Diff(rec.Header(), first.Header()) != "" {
			t.Errorf("%s reads otherwise: %v %s", name, rec.Header(), rec.Body)
		}
	}
	if n := w.queue.count(); n != 0 {
		t.Errorf("%d pushes for deliveries that were not verified", n)
	}
	if n := strings.Count(w.log.String(), "delivery rejected"); n != 1 {
		t.Errorf("%d log lines for one burst of rejections", n)
	}
}

func TestUnacceptableRequests(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		change func(*post)
		want   int
	}{
		"GET":                    {func(p *post) { p.method = http.MethodGet }, 405},
		"HEAD":                   {func(p *post) { p.method = http.MethodHead }, 405},
		"unheard-of method":      {func(p *post) { p.method = "BREW" }, 405},
		"unknown, unheard-of":    {func(p *post) { p.method, p.provider = "BREW", "x" }, 404},
		"unknown, GET":           {func(p *post) { p.method, p.provider = "GET", "x" }, 404},
		"no type":                {func(p *post) { p.header = http.Header{"Content-Type": nil} }, 415},
		"broken type":            {func(p *post) { p.mediaType = "application/json; ;" }, 415},
		"text":                   {func(p *post) { p.mediaType = "text/json" }, 415},
		"form to a JSON forge":   {func(p *post) { p.mediaType = "application/x-www-form-urlencoded" }, 415},
		"gzip":                   {func(p *post) { p.header = http.Header{"Content-Encoding": {"gzip"}} }, 415},
		"identity":               {func(p *post) { p.header = http.Header{"Content-Encoding": {"identity"}} }, 415},
		"second encoding":        {func(p *post) { p.header = http.Header{"Content-Encoding": {"", "br"}} }, 415},
		"declared too large":     {func(p *post) { p.length = 1<<20 + 1 }, 413},
		"chunked too large":      {func(p *post) { p.chunked, p.length, p.body = true, -1, strings.Repeat(" ", 1<<20+1) }, 413},
		"chunked, exactly full":  {func(p *post) { p.chunked, p.length, p.body = true, -1, p.body+strings.Repeat(" ", 1<<20-len(p.body)) }, 202},
		"declared, exactly full": {func(p *post) { p.body += strings.Repeat(" ", 1<<20-len(p.body)) }, 202},
		"type in upper case":     {func(p *post) { p.mediaType = "Application/JSON" }, 202},
	} {
		t.Run(name, func(t *testing.T) {
			p := created(name)
			c.change(&p)
			r := p.request()
			rec := httptest.NewRecorder()
			w.intake.ServeHTTP(rec, r)
			if rec.Code != c.want {
				t.Fatalf("%d, want %d: %s", rec.Code, c.want, rec.Body)
			}
			if c.want >= 400 && rec.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("type %q", rec.Header().Get("Content-Type"))
			}
			if c.want == 405 && rec.Header().Get("Allow") != "POST" {
				t.Errorf("Allow %q", rec.Header().Get("Allow"))
			}
		})
	}
}

func TestTheListenerServesNothingElse(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/livez", 200},
		{"HEAD", "/livez", 200},
		{"POST", "/livez", 405},
		{"GET", "/", 404},
		{"GET", "/readyz", 404},
		{"GET", "/metrics", 404},
		{"GET", "/api/v1/deliveries", 404},
		{"POST", "/hooks", 404},
		{"POST", "/hooks/", 404},
		{"POST", "/hooks/a/b", 404},
		{"POST", "/targets/other/events", 404},
		{"GET", "/targets/other/events", 404},
		{"POST", "/targets/drone", 404},
		{"POST", "/targets/drone/events/1", 404},
		{"POST", "/hooks/..%2fa", 404},
	} {
		rec := httptest.NewRecorder()
		w.intake.ServeHTTP(rec, httptest.NewRequest(c.method, c.path, nil))
		if rec.Code != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, rec.Code, c.want)
		}
		if c.want >= 400 && rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: type %q", c.method, c.path, rec.Header().Get("Content-Type"))
		}
	}
}

func TestDuplicateAnswersWithTheFirst(t *testing.T) {
	w := newWorld(t)
	_, first := w.send(created("g1"))
	for range 2 {
		rec, again := w.send(created("g1"))
		if rec.Code != http.StatusOK || again["result"] != "duplicate" || again["delivery"] != first["delivery"] || again["reason"] == "" {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	}
	elsewhere := created("g1")
	elsewhere.provider, elsewhere.secret = "b", secretB
	if rec, _ := w.send(elsewhere); rec.Code != http.StatusAccepted {
		t.Errorf("the same id at another provider: %d", rec.Code)
	}
	ping := created("p1")
	ping.event = "ping"
	w.send(ping)
	if _, again := w.send(ping); again["result"] != "duplicate" {
		t.Errorf("a second ping is %v", again["result"])
	}
}

// RFC 3986, 6.2.2.2: a path is the same with an unreserved character escaped.
func TestAProvidersNameMayBeEscaped(t *testing.T) {
	w := newWorld(t)
	for provider, want := range map[string]int{"%61": 202, "%61%2f": 404, "%41": 404, "%2561": 404} {
		p := created(provider)
		p.provider = provider
		if rec, _ := w.send(p); rec.Code != want {
			t.Errorf("%s: %d, want %d", provider, rec.Code, want)
		}
	}
}

func TestDeliveryIDsTooLongToKeepStillTellDeliveriesApart(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("x", 300)
	for _, s := range []struct {
		guid string
		want int
	}{{long + "1", 202}, {long + "2", 202}, {long + "1", 200}, {"", 202}} {
		if rec, _ := w.send(created(s.guid)); rec.Code != s.want {
			t.Errorf("%d bytes ending in %.1s: %d, want %d", len(s.guid), s.guid[max(0, len(s.guid)-1):], rec.Code, s.want)
		}
	}
	for _, d := range items(w.get("/api/v1/deliveries")) {
		if id := d["delivery_id"].(string); len(id) != 64 {
			t.Errorf("kept as %d bytes", len(id))
		}
	}
}

func TestWithoutADeliveryIDTheBodyIsTheKey(t *testing.T) {
	w := newWorld(t)
	p := created("")
	_, first := w.send(p)
	if rec, again := w.send(p); again["result"] != "duplicate" || again["delivery"] != first["delivery"] {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	p.body += " "
	if rec, _ := w.send(p); rec.Code != http.StatusAccepted {
		t.Errorf("other bytes: %d", rec.Code)
	}
}
