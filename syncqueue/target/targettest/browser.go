package targettest

import (
	"context"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Browser keeps cookies and follows redirects: what it takes to log in to real
// servers. It fails the test when one does not answer.
type Browser struct {
	t      *testing.T
	client *http.Client
}

// LogIn opens address, where a real CI server sends people to a real Gitea, logs
// in there, allows what the CI server asks for, and returns the browser in which
// that was done. The forge's web root is the one that it names to browsers.
func LogIn(t *testing.T, address, gitea, login, password string) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &Browser{t: t, client: &http.Client{Jar: jar}}
	at, page := b.Get(address)
	if strings.HasPrefix(at, gitea+"/user/login") {
		form := hidden(page)
		form.Set("user_name", login)
		form.Set("password", password)
		at, page = b.Post(gitea+"/user/login", form, nil)
	}
	if strings.Contains(at, "/login/oauth/authorize") {
		form := hidden(page)
		form.Set("granted", "true")
		at, _ = b.Post(gitea+"/login/oauth/grant", form, nil)
	}
	if strings.HasPrefix(at, gitea) || strings.Contains(at, "error") {
		t.Fatalf("the login of %s ended at %s", login, at)
	}
	return b
}

// Get opens a page, and tells where that ended.
func (b *Browser) Get(address string) (at, page string) {
	return b.do(http.MethodGet, address, nil, nil)
}

// Post sends a form, and tells where that ended.
func (b *Browser) Post(address string, form url.Values, header http.Header) (at, page string) {
	return b.do(http.MethodPost, address, form, header)
}

func (b *Browser) do(method, address string, form url.Values, header http.Header) (at, page string) {
	b.t.Helper()
	// Clean-ups run after the test's own context has ended.
	req, err := http.NewRequestWithContext(context.WithoutCancel(b.t.Context()), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	maps.Copy(req.Header, header)
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.Request.URL.String(), string(body)
}

var (
	inputTag = regexp.MustCompile(`<input\b[^>]*>`)
	nameOf   = regexp.MustCompile(`\bname="([^"]*)"`)
	valueOf  = regexp.MustCompile(`\bvalue="([^"]*)"`)
)

// hidden returns the fields of a page's forms with their values.
func hidden(page string) url.Values {
	form := url.Values{}
	for _, field := range inputTag.FindAllString(page, -1) {
		n, v := nameOf.FindStringSubmatch(field), valueOf.FindStringSubmatch(field)
		if n != nil && v != nil {
			form.Set(n[1], html.UnescapeString(v[1]))
		}
	}
	return form
}
