package handlers

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"
)

// param is a part of the path, unescaped: chi routes by the escaped path where
// the two differ.
func param(r *http.Request, name string) string {
	v := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return v
	}
	if u, err := url.PathUnescape(v); err == nil {
		return u
	}
	return v
}

// idParam is the id or prefix of one that the path names; ULIDs are upper-case,
// people are not.
func idParam(r *http.Request) string { return strings.ToUpper(param(r, "id")) }
