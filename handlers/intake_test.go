package handlers_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
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
		{"POST", "/targets/drone/events", 404},
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
	p.guid = strings.Repeat("g", 4000)
	if _, again := w.send(p); again["result"] != "duplicate" {
		t.Error("an id beyond all reason was taken as it is")
	}
}

func TestWhatChangesNobodysListIsJournalledAsIgnored(t *testing.T) {
	w := newWorld(t)
	stranger := `{"name":"repository.created","repo":{"id":"9","path":"evil/<b>app"},"org":{"id":"6","name":"evil\u001b[31m"},"effect":"repo"}`
	for name, c := range map[string]struct {
		change func(*post)
		result string
		reason string
	}{
		"ping":               {func(p *post) { p.event = "ping" }, "ping", "hello"},
		"uninteresting":      {func(p *post) { p.event = "push" }, "ignored", "changes nobody's access"},
		"no effect":          {func(p *post) { p.body = `{"name":"x","org":{"name":"acme"}}` }, "ignored", "changes nobody's list"},
		"other org":          {func(p *post) { p.body = stranger }, "ignored", "is not configured for provider a"},
		"no org":             {func(p *post) { p.body = `{"name":"x","effect":"scope"}` }, "ignored", "is not configured"},
		"names nothing":      {func(p *post) { p.body = `{"name":"x","org":{"name":"acme"},"effect":"repo"}` }, "ignored", "names nothing"},
		"null":               {func(p *post) { p.body = `null` }, "ignored", "cannot be read"},
		"number":             {func(p *post) { p.body = `7` }, "ignored", "cannot be read"},
		"wrong types":        {func(p *post) { p.body = `{"repo":[]}` }, "ignored", "cannot be read"},
		"parser that panics": {func(p *post) { p.event = "panic" }, "ignored", "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			p := created(name)
			c.change(&p)
			rec, answer := w.send(p)
			if rec.Code != http.StatusOK || answer["result"] != c.result || !strings.Contains(answer["reason"].(string), c.reason) {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			d, err := w.db.Delivery(context.Background(), answer["delivery"].(string))
			if err != nil || string(d.Result) != c.result || d.JobCount != 0 || !d.HasBody {
				t.Errorf("journalled %+v, %v", d, err)
			}
		})
	}
}

func TestOursIsJudgedByIdAndByWhereItCameFrom(t *testing.T) {
	w := newWorld(t)
	w.orgsA.Learn("acme", "5")
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"renamed organization": {`{"name":"x","org":{"id":"5","name":"acme-corp"},"repo":{"id":"1"},"effect":"repo"}`, 202},
		"stranger in its name": {`{"name":"x","org":{"id":"6","name":"acme"},"repo":{"id":"1"},"effect":"repo"}`, 200},
		"moved away":           {`{"name":"x","org":{"id":"6","name":"evil"},"from":"acme/app","repo":{"id":"1"},"effect":"repo"}`, 202},
		"moved by others":      {`{"name":"x","org":{"id":"6","name":"evil"},"from":"other/app","repo":{"id":"1"},"effect":"repo"}`, 200},
		"a user as such":       {`{"name":"user_rename","user":{"id":"7"},"effect":"user"}`, 202},
		"letters' case":        {`{"name":"x","org":{"name":"ACME"},"repo":{"id":"1"},"effect":"repo"}`, 202},
	} {
		p := created(name)
		p.body = c.body
		if rec, _ := w.send(p); rec.Code != c.want {
			t.Errorf("%s: %d, want %d: %s", name, rec.Code, c.want, rec.Body)
		}
	}
}

// TestASenderThatHangsUpIsHeardOut: most forges never send it again.
func TestASenderThatHangsUpIsHeardOut(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	rec := httptest.NewRecorder()
	w.intake.ServeHTTP(rec, created("g").request().WithContext(ctx))
	if rec.Code != http.StatusAccepted {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestWhenTheStoreFailsNothingIsPromised(t *testing.T) {
	w := newWorld(t)
	for _, err := range []error{storage.ErrFull, storage.ErrClosed, errBroken} {
		w.queue.err = err
		rec, _ := w.send(created("g"))
		if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" {
			t.Errorf("%v: %d %v", err, rec.Code, rec.Header())
		}
		ping := created("p")
		ping.event = "ping"
		if rec, answer := w.send(ping); rec.Code != http.StatusOK || answer["result"] != "ping" || answer["delivery"] != nil {
			t.Errorf("%v: a ping answers %d %s", err, rec.Code, rec.Body)
		}
	}
	w.queue.err = nil
	if rec, _ := w.send(created("g")); rec.Code != http.StatusAccepted {
		t.Errorf("the same delivery, when the store works again: %d", rec.Code)
	}
}

func TestDrainingRefusesWork(t *testing.T) {
	w := newWorld(t)
	w.draining = true
	rec, _ := w.send(created("g"))
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" || rec.Header().Get("Connection") != "close" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	if w.queue.count() != 0 {
		t.Error("a refused delivery reached the queue")
	}
	bad := created("g")
	bad.secret = secretB
	if rec, _ := w.send(bad); rec.Code != http.StatusUnauthorized {
		t.Errorf("not authentic: %d", rec.Code)
	}
}

func TestFormsAreUnwrappedAfterVerification(t *testing.T) {
	w := newWorld(t)
	inner := created("").body
	p := created("f1")
	p.provider, p.mediaType = "form", "application/x-www-form-urlencoded"
	p.body = "payload=" + url.QueryEscape(inner)
	rec, answer := w.send(p)
	if rec.Code != http.StatusAccepted {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	d, err := w.db.Body(context.Background(), answer["delivery"].(string))
	if err != nil || string(d.Body) != inner || d.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v %s %v", d.Header, d.Body, err)
	}
	for name, body := range map[string]string{"no payload": "a=b", "not JSON": "payload=%7B", "not a form": "payload=%zz"} {
		p.guid, p.body = name, body
		if rec, _ := w.send(p); rec.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
}

func TestNothingSecretIsKept(t *testing.T) {
	w := newWorld(t)
	p := created("g")
	p.header = http.Header{
		"Authorization": {"Basic canary"}, "Cookie": {"s=canary"}, "X-Gitlab-Token": {"canary"},
		"X-Hub-Signature-256": {"sha256=canary"}, "Webhook-Signature": {"v1,canary"}, "X-Api-Key": {"canary"},
		"X-Forwarded-For": {"canary"}, "X-Gitea-Signature": {"canary"},
		"X-Gitea-Event": {"repository"}, "X-Gitea-Event-Type": {"repository"}, "X-Github-Delivery": {"u"},
		"X-Github-Hook-Id": {"12"}, "User-Agent": {strings.Repeat("u", 9000)},
	}
	_, answer := w.send(p)
	d, err := w.db.Body(context.Background(), answer["delivery"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprint(d.Header); strings.Contains(s, "canary") || strings.Contains(s, sign(secretA, p.body)) {
		t.Errorf("kept %s", s)
	}
	for _, name := range []string{"X-Gitea-Event", "X-Gitea-Event-Type", "X-Github-Delivery", "X-Github-Hook-Id", "X-Test-Event", "Content-Type"} {
		if d.Header.Get(name) == "" {
			t.Errorf("%s was not kept", name)
		}
	}
	if n := len(d.Header.Get("User-Agent")); n != 512 {
		t.Errorf("a header of %d bytes was kept", n)
	}
}

func TestPanicIsA500AndTellsNothing(t *testing.T) {
	w := newWorld(t)
	p := created("g")
	p.event = "panic in verify"
	r, rec := p.request(), httptest.NewRecorder()
	w.intake.ServeHTTP(rec, r)
	if rec.Code != http.StatusInternalServerError || rec.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	if strings.Contains(rec.Body.String(), "verify") {
		t.Errorf("the answer tells %s", rec.Body)
	}
	if !strings.Contains(w.log.String(), "level=ERROR msg=panic") {
		t.Errorf("log: %s", w.log)
	}
}

func TestDeadJobsOfADuplicateAreRevived(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	_, first := w.send(created("g"))
	jobs, _ := w.db.JobsOf(ctx, first["delivery"].(string))
	if _, err := w.db.Revive(ctx, jobs[0].ID); err != nil {
		t.Fatal(err)
	}
	l, err := w.db.Lease(ctx, 1e9, syncqueue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.db.Bury(ctx, l, errBroken); err != nil {
		t.Fatal(err)
	}
	rec, again := w.send(created("g"))
	if rec.Code != http.StatusOK || again["result"] != "duplicate" || !strings.Contains(again["reason"].(string), "1 of its dead jobs") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if j, err := w.db.Job(ctx, jobs[0].ID); err != nil || j.State != syncqueue.Ready {
		t.Errorf("job is %s, %v", j.State, err)
	}
}
