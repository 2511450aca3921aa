package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// However many jobs wait for something, nobody's lost access is overlooked.
func TestTheDoctorReadsEveryParkedJob(t *testing.T) {
	const n = 2*pageSize + 3
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.FormValue("cursor"))
		limit, _ := strconv.Atoi(r.FormValue("limit"))
		to, next := min(from+limit, n), "null"
		if to < n {
			next = fmt.Sprintf("%q", strconv.Itoa(to))
		}
		var items []string
		for i := from; i < to; i++ {
			note := "no token"
			if i == n-1 {
				note = "security: he may still see what he lost"
			}
			items = append(items, fmt.Sprintf(`{"target":"drone","note":%q,"subject":{"name":"user-%d"}}`, note, i))
		}
		fmt.Fprintf(w, `{"items":[%s],"next":%s}`, strings.Join(items, ","), next)
	}))
	defer srv.Close()
	at, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	d := &doctor{live: &client{base: at, http: srv.Client()}}
	d.stale(t.Context(), &targetConfig{Name: "drone"})
	if len(d.findings) != 1 || d.count(levelFail) != 1 || !strings.Contains(fmt.Sprintf("%+v", d.findings), fmt.Sprintf("user-%d", n-1)) {
		t.Errorf("found %+v", d.findings)
	}
}
