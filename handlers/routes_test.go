package handlers

import (
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"
)

// TestEveryRouteIsDescribedAndEveryDescriptionServed keeps the description and
// the router from drifting apart.
func TestEveryRouteIsDescribedAndEveryDescriptionServed(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]bool{}
	routes := []chi.Router{(&api{}).routes(), Public(Intake{}).(chi.Router)}
	for _, r := range routes {
		err := chi.Walk(r, func(method, path string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
			if (strings.HasPrefix(path, "/hooks/") || strings.HasPrefix(path, "/targets/")) && method != http.MethodPost {
				return nil // only there to answer 405
			}
			served[method+" "+strings.Replace(path, "{provider}/*", "{provider}/{owner}/{name}", 1)] = true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	described := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described[method+" "+path] = true
		}
	}
	for route := range served {
		if !described[route] {
			t.Errorf("%s is served and not described", route)
		}
	}
	for route := range described {
		if !served[route] {
			t.Errorf("%s is described and not served", route)
		}
	}
}
