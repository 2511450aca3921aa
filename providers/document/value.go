package document

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
)

// A Value is one value of a document that is Valid. Of any other it reads
// anything, but never panics. The zero Value does not exist.
type Value struct {
	doc []byte
	at  int // of its first byte
	end int // of what follows it; zero as long as nobody has gone through it
}

// Root is the value that doc is. It refers to doc, what is read from it does
// not.
func Root(doc []byte) Value { return Value{doc: doc, at: skipSpace(doc, 0)} }

// first is the byte by which a value tells what it is, zero for none.
func (v *Value) first() byte {
	if v.at < len(v.doc) {
		return v.doc[v.at]
	}
	return 0
}

// Exists reports whether there is a value, which null is too.
func (v *Value) Exists() bool { return v.first() != 0 }

// IsNull reports whether v is null.
func (v *Value) IsNull() bool { return v.first() == 'n' }

// IsObject reports whether v is an object.
func (v *Value) IsObject() bool { return v.first() == '{' }

// IsText reports whether v is a string.
func (v *Value) IsText() bool { return v.first() == '"' }

// Text returns the string that v is, "" if it is none.
func (v *Value) Text() string {
	if !v.IsText() || v.skip() < 0 {
		return ""
	}
	return string(unquoted(v.doc[v.at:v.end]))
}

// Flag returns the boolean that v is; ok is false if it is none.
func (v *Value) Flag() (on, ok bool) {
	c := v.first()
	return c == 't', c == 't' || c == 'f'
}

// Int returns the integer that v is written as; ok is false if it is none, or
// does not fit.
func (v *Value) Int() (n int64, ok bool) {
	if c := v.first(); c != '-' && !isDigit(c) || v.skip() < 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v.doc[v.at:v.end]), 10, 64)
	return n, err == nil
}

// Members goes through the members of an object in their order; there are none
// of anything else. The name and the value are good until the next one is asked
// for. A value whose own members were all gone through is not gone through once
// more to find the next.
func (v *Value) Members() iter.Seq2[[]byte, *Value] {
	return func(yield func([]byte, *Value) bool) {
		if !v.IsObject() {
			return
		}
		var member Value
		i := skipSpace(v.doc, v.at+1)
		for i < len(v.doc) && v.doc[i] == '"' {
			at := skipName(v.doc, i)
			if at < 0 {
				return
			}
			name := v.doc[i : i+bytes.LastIndexByte(v.doc[i:at], '"')+1]
			member = Value{doc: v.doc, at: at}
			if !yield(unquoted(name), &member) {
				return
			}
			if i = member.skip(); i < 0 {
				return
			}
			if i = skipSpace(v.doc, i); i < len(v.doc) && v.doc[i] == ',' {
				i = skipSpace(v.doc, i+1)
			}
		}
		if i < len(v.doc) && v.doc[i] == '}' {
			v.end = i + 1
		}
	}
}

// Get returns the value at the end of a path of names, one that does not exist
// if there is none.
func (v *Value) Get(path ...string) *Value {
	if len(path) == 0 {
		return v
	}
	for name, member := range v.Members() {
		if string(name) == path[0] {
			return member.Get(path[1:]...)
		}
	}
	return &Value{}
}

// skip returns what follows v, a negative number if v never ends.
func (v *Value) skip() int {
	if v.end == 0 {
		v.end = skipValue(v.doc, v.at)
	}
	return v.end
}

// unquoted returns the text of a string with its quotes, without copying what
// is plain. Like everything that reads these documents later it replaces, in
// what is not plain, bytes that are no text.
func unquoted(quoted []byte) []byte {
	if plain := quoted[1 : len(quoted)-1]; bytes.IndexByte(plain, '\\') < 0 {
		return plain
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return nil
	}
	return []byte(s)
}
