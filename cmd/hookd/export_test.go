package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// journal serves n deliveries in pages, each with a body that says which it is;
// number 7 has lost it since it was listed, number 8 before.
func journal(t *testing.T, n int, asked *[]string) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.String())
		if id, ok := strings.CutPrefix(r.URL.Path, "/api/v1/deliveries/"); ok {
			id, _ = strings.CutSuffix(id, "/body")
			if id == "7" {
				w.WriteHeader(http.StatusNotFound)
				fmt.Fprint(w, `{"title":"Not Found","detail":"its body is not kept any more"}`)
				return
			}
			fmt.Fprintf(w, "{\n  \"n\": %s, \"mark\": \"<ü>\"}", id)
			return
		}
		from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		var items []string
		for i := from; i < min(from+limit, n); i++ {
			items = append(items, fmt.Sprintf(`{"id": "%d", "event": "push", "has_body": %v}`, i, i != 8))
		}
		next := "null"
		if from+limit < n {
			next = fmt.Sprintf("%q", strconv.Itoa(from+limit))
		}
		fmt.Fprintf(w, `{"items":[%s],"next":%s}`, strings.Join(items, ","), next)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestAnExportIsComplete(t *testing.T) {
	const n = 2*pageSize + 3
	for _, form := range []string{bodyJSON, bodyBase64, bodyNone} {
		var asked []string
		code, stdout, stderr := hookd(t, nil, "deliveries", "export", "--admin", journal(t, n, &asked), "--token-file", write(t, "token", "canary-canary-canary"),
			"--provider", "git", "--body", form)
		if code != 0 || stderr != fmt.Sprintf("exported %d deliveries\n", n) {
			t.Fatalf("exit %d, said %q", code, stderr)
		}
		i := 0
		for line := range strings.Lines(stdout) {
			var d struct {
				ID     string
				Event  string
				Body   map[string]any
				Base64 []byte `json:"body_base64"`
			}
			if err := json.Unmarshal([]byte(line), &d); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if d.ID != strconv.Itoa(i) || d.Event != "push" {
				t.Errorf("line %d is %s", i, line)
			}
			kept := i != 7 && i != 8
			if form == bodyJSON && (d.Body != nil != kept || kept && (fmt.Sprint(d.Body["n"]) != d.ID || d.Body["mark"] != "<ü>")) ||
				form == bodyBase64 && string(d.Base64) != map[bool]string{true: fmt.Sprintf("{\n  \"n\": %d, \"mark\": \"<ü>\"}", i)}[kept] ||
				form == bodyNone && strings.Contains(line, `"body`) {
				t.Errorf("%s: line %d is %s", form, i, line)
			}
			i++
		}
		if i != n {
			t.Errorf("%s: %d lines, want %d", form, i, n)
		}
		for _, url := range asked {
			if strings.HasPrefix(url, "/api/v1/deliveries?") && !strings.Contains(url, "provider=git") {
				t.Errorf("asked %s, without the filter", url)
			}
		}
	}
}

// TestAnExportThatBreaksOffLeavesNothing lets the server vanish in the middle.
func TestAnExportThatBreaksOffLeavesNothing(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v1/deliveries":
			fmt.Fprint(w, `{"items":[{"id":"1","has_body":true},{"id":"2","has_body":true}],"next":null}`)
		case "/api/v1/deliveries/1/body":
			fmt.Fprint(w, `{}`)
		default:
			panic(http.ErrAbortHandler)
		}
	}))
	defer srv.Close()
	out := filepath.Join(t.TempDir(), "out.ndjson")
	code, _, stderr := hookd(t, nil, "deliveries", "export", "--admin", srv.URL, "--token-file", write(t, "token", "canary-canary-canary"), "--out", out)
	if code != exitFailed || stderr == "" {
		t.Errorf("exit %d, said %q", code, stderr)
	}
	if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
