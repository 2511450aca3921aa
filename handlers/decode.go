package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const maxRequest = 64 << 10 // bytes of an API request's body

// decode reads a small JSON object and nothing else.
func decode[T any](w http.ResponseWriter, r *http.Request, v *T) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return badRequest(undecoded(err))
	}
	if v == nil {
		return badRequest("the body is a JSON object, not null")
	}
	if _, err := dec.Token(); err != io.EOF {
		return badRequest("one JSON object, and nothing after it")
	}
	return nil
}

// undecoded says what is wrong with a body without a word of our own types.
func undecoded(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return "the body is a JSON object, not empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the body is a JSON object: it breaks off"
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("%s is a JSON %s here, which it must not be", kind.Field, kind.Value)
	case errors.As(err, &kind):
		return "the body is a JSON object, not a JSON " + kind.Value
	}
	return "the body is a JSON object: " + strings.TrimPrefix(err.Error(), "json: ")
}
