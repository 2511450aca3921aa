package document

import (
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/hookd/hookd/providers"
)

// agree fails unless v reads as encoding/json reads raw.
func agree(t *testing.T, v *Value, raw json.RawMessage) {
	t.Helper()
	var (
		text    string
		flag    bool
		members map[string]json.RawMessage
	)
	isText := json.Unmarshal(raw, &text) == nil && string(raw) != "null"
	if v.IsText() != isText || utf8.Valid(raw) && v.Text() != text {
		t.Errorf("%q is the text %q, want %q", raw, v.Text(), text)
	}
	isFlag := json.Unmarshal(raw, &flag) == nil && string(raw) != "null"
	if on, ok := v.Flag(); ok != isFlag || on != flag {
		t.Errorf("%q is the flag %t, %t", raw, on, ok)
	}
	want, err := strconv.ParseInt(string(raw), 10, 64)
	if n, ok := v.Int(); ok != (err == nil) || ok && n != want {
		t.Errorf("%q is the integer %d, %t", raw, n, ok)
	}
	if v.IsNull() != (string(raw) == "null") || !v.Exists() {
		t.Errorf("%q is null: %t, and exists: %t", raw, v.IsNull(), v.Exists())
	}
	isObject := json.Unmarshal(raw, &members) == nil && string(raw) != "null"
	if v.IsObject() != isObject {
		t.Errorf("%q is an object: %t", raw, v.IsObject())
	}
	if !utf8.Valid(raw) {
		return // encoding/json replaces what is no text, which may make two names one
	}
	last := map[string]int{} // of several members of one name encoding/json keeps the last
	n := 0
	for name := range v.Members() {
		n++
		last[string(name)] = n
	}
	n = 0
	for name, member := range v.Members() {
		if n++; last[string(name)] == n {
			agree(t, member, members[string(name)])
			delete(members, string(name))
		}
	}
	if len(members) > 0 {
		t.Errorf("%q: members were passed over: %q", raw, members)
	}
}

func FuzzValuesAreThoseOfEncodingJSON(f *testing.F) {
	for _, doc := range documents {
		f.Add([]byte(doc))
	}
	f.Add([]byte(`{"a":{"b":[{"c":"}"}],"d":"\"\\"},"a":{"e":-12},"\u0061":9223372036854775808,"":{}}`))
	for _, file := range []string{"gitea/testdata/webhooks/repository-created-fork.json", "github/testdata/webhooks/repository-created.json"} {
		doc, err := os.ReadFile("../" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		root := Root(doc)
		if !Valid(doc) {
			goThrough(&root)
			return
		}
		var raw json.RawMessage
		if err := json.Unmarshal(doc, &raw); err != nil {
			t.Fatal(err)
		}
		agree(t, &root, raw)
	})
}

// goThrough asks for everything there is.
func goThrough(v *Value) {
	v.Text()
	v.Flag()
	v.Int()
	for _, member := range v.Members() {
		goThrough(member)
	}
}

func TestAPathLeadsToAValueOrToNone(t *testing.T) {
	root := Root([]byte(` {"x": [{"a":1}], "a": {"b": {"c": "found", "n": null}, "b": 2}} `))
	for _, c := range []struct {
		path []string
		text string
		is   bool
	}{
		{[]string{"a", "b", "c"}, "found", true},
		{[]string{"a", "b", "n"}, "", true},
		{[]string{"a", "b", "d"}, "", false},
		{[]string{"a", "b", "c", "d"}, "", false},
		{[]string{"x", "a"}, "", false},
		{[]string{"y"}, "", false},
		{nil, "", true},
	} {
		v := root.Get(c.path...)
		if v.Exists() != c.is || v.Text() != c.text {
			t.Errorf("%q: %q, exists: %t", c.path, v.Text(), v.Exists())
		}
	}
}

// TestWhatWasReadOutlivesTheDocument overwrites the document, as who reads into
// a buffer that is used again does.
func TestWhatWasReadOutlivesTheDocument(t *testing.T) {
	doc := []byte(`{"a":"plain","b":"esc\u0061ped"}`)
	root := Root(doc)
	a, b := root.Get("a").Text(), root.Get("b").Text()
	clear(doc)
	if a != "plain" || b != "escaped" {
		t.Errorf("%q and %q", a, b)
	}
}

func TestTheFirstOfAnotherTypeIsTold(t *testing.T) {
	name := []byte("x")
	read := map[string]func(*Reader, *Value){
		"string":  func(r *Reader, v *Value) { r.Text(name, v) },
		"integer": func(r *Reader, v *Value) { r.ID(name, v) },
		"boolean": func(r *Reader, v *Value) { r.Flag(name, v) },
		"object":  func(r *Reader, v *Value) { r.Object(name, v) },
	}
	for want, fn := range read {
		for is, doc := range map[string]string{
			"string": `"1"`, "integer": `-7`, "boolean": `false`, "object": `{}`,
			"list": `[]`, "fraction": `1.5`, "too large": `9223372036854775808`, "null": `null`, "nothing": ``,
		} {
			var r Reader
			v := Root([]byte(doc))
			fn(&r, &v)
			if fits := is == want || is == "null" || is == "nothing"; fits != (r.Err == nil) || !fits && !errors.Is(r.Err, providers.ErrMalformed) {
				t.Errorf("%s as %s: %v", is, want, r.Err)
			}
		}
	}
	var r Reader
	for _, doc := range []string{`"a"`, `1`, `true`} {
		v := Root([]byte(doc))
		r.Object([]byte(doc), &v)
	}
	if r.Err == nil || r.Err.Error() != `"\"a\"" is no object: `+providers.ErrMalformed.Error() {
		t.Errorf("%v", r.Err)
	}
}
