package handlers

import (
	"net/url"
	"testing"
)

// TestFormsAreDecodedAsTheLibraryDoes, but for a semicolon in a value, which
// browsers take for what it is, and for faults in other fields.
func TestFormsAreDecodedAsTheLibraryDoes(t *testing.T) {
	for _, form := range []string{
		"", "payload", "payload=", "payload=%7B%22a%22%3A+1%7D", "payload=a+b%2Bc%2bd%20e", "a=b&payload=1&payload=2",
		"%70ayload=x", "pay+load=x", "payload=%e2%82%ac%C3%BC", "payload=%", "payload=%2", "payload=%2g", "payload=%zz&payload=1",
		"a&&payload=1=2", "PAYLOAD=x", "payload=%00%ff",
	} {
		fields, err := url.ParseQuery(form)
		got, mine := unescape(payloadOf([]byte(form)))
		if (err != nil) != (mine != nil) {
			t.Errorf("%q: %v, the library says %v", form, mine, err)
		}
		if want := fields.Get("payload"); err == nil && string(got) != want {
			t.Errorf("%q: %q, the library reads %q", form, got, want)
		}
	}
}
