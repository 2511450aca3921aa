package handlers_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/hookd/hookd/handlers"
)

var description = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(handlers.OpenAPI)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background(), openapi3.IsOpenAPI31OrLater())
})

func TestDescriptionIsValidOpenAPI31(t *testing.T) {
	doc, err := description()
	if err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("openapi: %s", doc.OpenAPI)
	}
}

// operation finds what the description says about a request, nil if nothing.
func operation(doc *openapi3.T, r *http.Request) (path string, item *openapi3.PathItem, op *openapi3.Operation) {
	for path, item := range doc.Paths.Map() {
		op := item.GetOperation(r.Method)
		if op != nil && pathPattern(path).MatchString(r.URL.EscapedPath()) {
			if op.OperationID == "showDelivery" && strings.Count(r.URL.Path, "/") > 4 {
				continue
			}
			return path, item, op
		}
	}
	return "", nil, nil
}

// pathPattern allows an owner that is itself a path.
func pathPattern(path string) *regexp.Regexp {
	p := strings.ReplaceAll(path, "{owner}", `.+`)
	return regexp.MustCompile("^" + regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(p, `[^/]+`) + "$")
}

// checkAnswer holds an answer against the description: every status, header
// and body that a test sees is one that it describes.
func checkAnswer(t testing.TB, r *http.Request, rec *httptest.ResponseRecorder) {
	t.Helper()
	doc, err := description()
	if err != nil {
		t.Fatal(err)
	}
	path, item, op := operation(doc, r)
	if op == nil {
		if rec.Code != http.StatusNotFound && rec.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s %s answers %d and is not described", r.Method, r.URL.Path, rec.Code)
		}
		return
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: r, Route: &routers.Route{Spec: doc, Path: path, PathItem: item, Method: r.Method, Operation: op},
		},
		Status: rec.Code, Header: rec.Header(), Body: io.NopCloser(bytes.NewReader(rec.Body.Bytes())),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if err := openapi3filter.ValidateResponse(context.Background(), in); err != nil {
		t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
}
