package document

import (
	"fmt"

	"github.com/hookd/hookd/providers"
)

// A Reader converts values to what they should be. Null, or nothing, is the
// zero value of everything; Err is about the first that was of another type, and wraps
// providers.ErrMalformed.
type Reader struct{ Err error }

// Text returns the string that v should be.
func (r *Reader) Text(name []byte, v *Value) string {
	if !v.IsText() {
		r.other(name, v, "string")
	}
	return v.Text()
}

// ID returns the integer that v should be.
func (r *Reader) ID(name []byte, v *Value) int64 {
	n, ok := v.Int()
	if !ok {
		r.other(name, v, "integer")
	}
	return n
}

// Flag returns the boolean that v should be.
func (r *Reader) Flag(name []byte, v *Value) bool {
	on, ok := v.Flag()
	if !ok {
		r.other(name, v, "boolean")
	}
	return on
}

// Object reports whether v is the object that it should be, and not null.
func (r *Reader) Object(name []byte, v *Value) bool {
	if !v.IsObject() {
		r.other(name, v, "object")
	}
	return v.IsObject()
}

func (r *Reader) other(name []byte, v *Value, want string) {
	if r.Err == nil && v.Exists() && !v.IsNull() {
		r.Err = fmt.Errorf("%q is no %s: %w", name, want, providers.ErrMalformed)
	}
}
