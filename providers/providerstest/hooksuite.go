package providerstest

import (
	"bytes"
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
)

// HookExam is what RunHook needs to know about a dialect.
type HookExam struct {
	New     func(providers.Secrets) providers.Hook
	Sign    func(h http.Header, body []byte, secret string) // as the forge does
	Changes []Sample                                        // deliveries that may change somebody's list
	Ignored []Sample                                        // deliveries that cannot

	Bearer  bool      // the secret itself is sent, which says nothing about the body
	Secrets [3]string // two live ones and another, where the dialect gives them a form
}

// Sample is a delivery without its signature.
type Sample struct {
	Header http.Header
	Body   []byte
	Want   string // the event's name
	GUID   string
	Gone   bool // it takes something away
}

// secretsOfTheExam are used where the dialect leaves their form open; the third
// is not a live one.
var secretsOfTheExam = [3]string{"a-secret-of-the-exam-new", "a-secret-of-the-exam-old", "a-secret-of-somebody-else"}

// RunHook examines a driver's hook.
func RunHook(t *testing.T, x HookExam) {
	if x.Secrets == ([3]string{}) {
		x.Secrets = secretsOfTheExam
	}
	secretNew, secretOld := x.Secrets[0], x.Secrets[1]
	secrets, err := providers.NewSecrets([]byte(secretNew), []byte(secretOld))
	if err != nil {
		t.Fatal(err)
	}
	h := x.New(secrets)
	all := append(append([]Sample(nil), x.Changes...), x.Ignored...)
	signed := func(s Sample, secret string) providers.Delivery {
		header := s.Header.Clone()
		x.Sign(header, s.Body, secret)
		return providers.Delivery{Header: header, Body: s.Body, GUID: s.GUID}
	}

	t.Run("EveryLiveSecretVerifies", func(t *testing.T) {
		for _, s := range all {
			for i, secret := range []string{secretNew, secretOld} {
				d := signed(s, secret)
				if got, err := h.Verify(d.Header, d.Body); err != nil || got != i {
					t.Errorf("%s signed with secret %d: matched %d, %v", s.Want, i, got, err)
				}
			}
		}
	})
	t.Run("WhatIsNotSignedIsRefusedWithOneError", func(t *testing.T) { refuses(t, h, x, all[0]) })
	t.Run("VerificationComesBeforeJSON", func(t *testing.T) {
		s := all[0]
		s.Body = []byte("}not json{")
		d := signed(s, secretNew)
		if _, err := h.Verify(d.Header, d.Body); err != nil {
			t.Errorf("a signed body that is no JSON: %v", err)
		}
	})
	t.Run("ChangesNameTheirSubject", func(t *testing.T) {
		for _, s := range x.Changes {
			e, err := h.Parse(signed(s, secretNew))
			if err != nil {
				t.Errorf("%s: %v", s.Want, err)
				continue
			}
			if e.Name != s.Want || e.Effect == providers.EffectNone || e.Removes() != s.Gone {
				t.Errorf("%s: parsed as %s with effect %q", s.Want, e.Name, e.Effect)
			}
			if e.Repo == nil && e.User == nil && e.Team == nil && e.Org.ID == "" {
				t.Errorf("%s: about nothing", s.Want)
			}
			if e.Repo != nil && e.Repo.ID == "" {
				t.Errorf("%s: a repository without id", s.Want)
			}
		}
	})
	t.Run("TheRestIsIgnoredWithAReason", func(t *testing.T) {
		for _, s := range x.Ignored {
			e, err := h.Parse(signed(s, secretNew))
			var ignored *providers.Ignored
			if !errors.As(err, &ignored) || ignored.Reason == "" || e.Name != s.Want {
				t.Errorf("%s: event %q, error %v", s.Want, e.Name, err)
			}
		}
	})
	t.Run("NoObjectIsMalformed", func(t *testing.T) {
		for _, body := range []string{"null", "[]", `"x"`, "1", "true"} {
			s := x.Changes[0]
			s.Body = []byte(body)
			if _, err := h.Parse(signed(s, secretNew)); !errors.Is(err, providers.ErrMalformed) {
				t.Errorf("body %q: %v", body, err)
			}
		}
	})
	t.Run("GUID", func(t *testing.T) {
		for _, s := range all {
			if got := h.GUID(s.Header); got != s.GUID {
				t.Errorf("%s: %q, want %q", s.Want, got, s.GUID)
			}
		}
		if got := h.GUID(http.Header{}); got != "" {
			t.Errorf("without headers: %q", got)
		}
	})
	t.Run("DescribeSaysSomethingAndNeverFailsForWhatParses", func(t *testing.T) {
		for _, s := range all {
			for _, secret := range []int{0, 7} { // 7: rotated away since
				d := signed(s, secretNew)
				d.Secret = secret
				if details, err := h.Describe(d); err != nil || details.Summary == "" {
					t.Errorf("%s with secret %d: %q, %v", s.Want, secret, details.Summary, err)
				}
			}
		}
	})
	t.Run("SafeForConcurrentUseAndLeavesDeliveriesAlone", func(t *testing.T) {
		var wg sync.WaitGroup
		for _, s := range all {
			d := signed(s, secretNew)
			header, body := d.Header.Clone(), bytes.Clone(d.Body)
			for range 4 {
				wg.Go(func() {
					h.Verify(d.Header, d.Body)
					h.Parse(d)
					h.Describe(d)
				})
			}
			wg.Wait()
			if !bytes.Equal(body, d.Body) || !cmp.Equal(header, d.Header) {
				t.Errorf("%s: the delivery was changed", s.Want)
			}
		}
	})
}

func refuses(t *testing.T, h providers.Hook, x HookExam, s Sample) {
	sign := func(secret string) http.Header {
		header := s.Header.Clone()
		x.Sign(header, s.Body, secret)
		return header
	}
	good := sign(x.Secrets[0])
	// Whatever the signing set is what can be spoilt.
	for name := range good {
		if _, unsigned := s.Header[name]; unsigned {
			continue
		}
		value := good.Get(name)
		for what, bad := range map[string]string{
			"cut":       value[:len(value)-1],
			"empty":     "",
			"long":      value + "0",
			"uppercase": string(bytes.ToUpper([]byte(value))),
			"spaced":    " " + value,
			"flipped":   flip(value),
		} {
			header := good.Clone()
			header.Set(name, bad)
			if _, err := h.Verify(header, s.Body); err != providers.ErrSignature {
				t.Errorf("%s %s: %v", what, name, err)
			}
		}
	}
	for what, err := range map[string]error{
		"unsigned":          verdict(h, s.Header, s.Body),
		"another secret":    verdict(h, sign(x.Secrets[2]), s.Body),
		"no headers at all": verdict(h, http.Header{}, nil),
	} {
		if err != providers.ErrSignature {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := verdict(h, good, append(bytes.Clone(s.Body), ' ')); !x.Bearer && err != providers.ErrSignature {
		t.Errorf("another body: %v", err)
	}
}

func verdict(h providers.Hook, header http.Header, body []byte) error {
	_, err := h.Verify(header, body)
	return err
}

func flip(s string) string {
	last := s[len(s)-1]
	if last == '0' {
		return s[:len(s)-1] + "1"
	}
	return s[:len(s)-1] + "0"
}
