package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/hookd/hookd/handlers"
)

func TestAPassIsVoidOnceItsTokenIsAnother(t *testing.T) {
	olga := handlers.Token{Name: "olga", Role: handlers.Operator, Secret: []byte("token-of-olga-0123")}
	vera := handlers.Token{Name: "vera", Role: handlers.Viewer, Secret: []byte("token-of-vera-0123")}
	tokens := []handlers.Token{vera, olga, {Name: "nobody", Role: handlers.Administrator}}
	gate := handlers.Gate{Tokens: func() []handlers.Token { return tokens }}
	for _, wrong := range []string{"", "x", "token-of-olga-012", "token-of-olga-01234"} {
		if _, ok := gate.Enter(wrong); ok {
			t.Errorf("%q entered", wrong)
		}
	}
	pass, ok := gate.Enter("token-of-olga-0123")
	if name, role, acts, held := gate.Look(pass); !ok || !held || !acts || name != "olga" || role != "operator" {
		t.Errorf("%v %v %s %s %v", ok, held, name, role, acts)
	}
	other, _ := gate.Enter("token-of-vera-0123")
	if _, _, acts, held := gate.Look(other); !held || acts {
		t.Errorf("a viewer: held %v, acts %v", held, acts)
	}
	for what, change := range map[string]func(*handlers.Token){
		"renamed": func(t *handlers.Token) { t.Name = "oleg" },
		"demoted": func(t *handlers.Token) { t.Role = handlers.Viewer },
		"rotated": func(t *handlers.Token) { t.Secret = []byte("token-of-olga-4567") },
	} {
		changed := olga
		change(&changed)
		tokens = []handlers.Token{vera, changed}
		if _, _, _, held := gate.Look(pass); held {
			t.Errorf("the pass of a %s token holds", what)
		}
	}
	tokens = []handlers.Token{vera}
	if _, _, _, held := gate.Look(pass); held {
		t.Error("the pass of a removed token holds")
	}
	tokens = []handlers.Token{vera, olga}
	if _, _, _, held := gate.Look(pass); !held {
		t.Error("the pass of an unchanged token does not hold")
	}
}

func TestThePageHasItsPathsAndNoOthers(t *testing.T) {
	w := newWorld(t)
	var served []string
	page := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { served = append(served, r.Method+" "+r.URL.Path) })
	admin := handlers.AdminAPI(handlers.Admin{Queue: w.db, Tokens: func() []handlers.Token { return nil }, Page: page})
	for _, c := range [][2]string{
		{"GET", "/"},
		{"GET", "/dashboard"},
		{"POST", "/dashboard/deliveries/01A/redeliver"},
		{"BREW", "/"},
		{"GET", "/favicon.ico"},
		{"GET", "/api/v1/jobs"},
		{"GET", "/livez"},
		{"GET", "/dashboards"},
		{"GET", "/api"},
	} {
		admin.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(c[0], c[1], nil))
	}
	want := []string{"GET /", "GET /dashboard", "POST /dashboard/deliveries/01A/redeliver", "BREW /", "GET /favicon.ico"}
	if !slices.Equal(served, want) {
		t.Errorf("served %q, want %q", served, want)
	}
}
