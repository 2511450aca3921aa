package drone_test

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"testing"
)

// browser keeps cookies and follows redirects: what it takes to log in.
type browser struct {
	t      *testing.T
	client *http.Client
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, client: &http.Client{Jar: jar}}
}

func (b *browser) get(address string) (at, page string) {
	req, err := http.NewRequestWithContext(context.WithoutCancel(b.t.Context()), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

func (b *browser) post(address string, form url.Values) (at, page string) {
	res, err := b.client.PostForm(address, form)
	return b.read(res, err)
}

func (b *browser) do(req *http.Request) (at, page string) {
	res, err := b.client.Do(req)
	return b.read(res, err)
}

func (b *browser) read(res *http.Response, err error) (at, page string) {
	b.t.Helper()
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
	input = regexp.MustCompile(`<input\b[^>]*>`)
	named = regexp.MustCompile(`\bname="([^"]*)"`)
	value = regexp.MustCompile(`\bvalue="([^"]*)"`)
)

// hidden returns the fields of a page's forms with their values.
func hidden(page string) url.Values {
	form := url.Values{}
	for _, field := range input.FindAllString(page, -1) {
		n, v := named.FindStringSubmatch(field), value.FindStringSubmatch(field)
		if n != nil && v != nil {
			form.Set(n[1], html.UnescapeString(v[1]))
		}
	}
	return form
}
