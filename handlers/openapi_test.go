package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
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
	for _, name := range unsaid(op, rec) {
		t.Errorf("%s %s answers %s, which is not described", r.Method, r.URL, name)
	}
}

// unsaid lists the fields of an answer that the description does not have. To a
// schema that does not say what more there may be, anything would be right.
func unsaid(op *openapi3.Operation, rec *httptest.ResponseRecorder) []string {
	ref := op.Responses.Status(rec.Code)
	if ref == nil {
		ref = op.Responses.Default()
	}
	kind, _, _ := strings.Cut(rec.Header().Get("Content-Type"), ";")
	if ref == nil || !strings.HasSuffix(kind, "json") {
		return nil
	}
	var v any
	media := ref.Value.Content.Get(kind)
	if media == nil || media.Schema == nil || json.Unmarshal(rec.Body.Bytes(), &v) != nil {
		return nil
	}
	return unsaidIn(media.Schema.Value, v, "")
}

func unsaidIn(s *openapi3.Schema, v any, at string) (names []string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if s.Items != nil {
				names = append(names, unsaidIn(s.Items.Value, item, at+"[]")...)
			}
		}
	case map[string]any:
		known := fieldsOf(s)
		more := s.AdditionalProperties.Schema
		for name, value := range v {
			switch field := known[name]; {
			case field != nil:
				names = append(names, unsaidIn(field, value, at+"."+name)...)
			case more != nil:
				names = append(names, unsaidIn(more.Value, value, at+".*")...)
			case len(known) > 0:
				names = append(names, at+"."+name)
			}
		}
	}
	return names
}

// fieldsOf is what a schema says about fields, with the schemas it is made of.
func fieldsOf(s *openapi3.Schema) map[string]*openapi3.Schema {
	fields := map[string]*openapi3.Schema{}
	for _, refs := range []openapi3.SchemaRefs{s.AllOf, s.OneOf, s.AnyOf} {
		for _, ref := range refs {
			maps.Copy(fields, fieldsOf(ref.Value))
		}
	}
	for name, ref := range s.Properties {
		fields[name] = ref.Value
	}
	return fields
}
