package handlers

import (
	_ "embed"
	"net/http"
)

// OpenAPI is the description of both listeners, OpenAPI 3.1.
//
//go:embed openapi.yaml
var OpenAPI []byte

// serveOpenAPI needs no token: it tells nothing that is not public, and tools
// read it before they have one.
func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write(OpenAPI)
}
