package gitlab_test

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
)

var (
	signingNew   = signing("n")
	signingOld   = signing("o")
	signingOther = signing("x")
)

func signing(fill string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(fill, 32)))
}

// signed is a delivery of now, and a hook whose clock stands there.
func signed(t *testing.T, secrets ...string) (*gitlab.Hook, func(secret string, off time.Duration) http.Header, []byte) {
	now := time.Date(2026, 3, 2, 9, 15, 0, 0, time.UTC)
	keys := make([][]byte, len(secrets))
	for i, s := range secrets {
		keys[i] = []byte(s)
	}
	set, err := providers.NewSecrets(keys...)
	check(t, err)
	h := must[*gitlab.Hook](t)(gitlab.NewHook(set, func() time.Time { return now }))
	body := []byte(`{"event_name":"project_create","project_id":7}`)
	return h, func(secret string, off time.Duration) http.Header {
		header := http.Header{}
		providerstest.SignGitLab(header, body, secret, "msg-1", now.Add(off))
		return header
	}, body
}

func TestSignatureHoldsForFiveMinutes(t *testing.T) {
	h, sign, body := signed(t, signingNew)
	for off, want := range map[time.Duration]bool{
		0: true, 5 * time.Minute: true, -5 * time.Minute: true, 5*time.Minute + time.Second: false, -5*time.Minute - time.Second: false,
		-24 * time.Hour: false, 100 * 365 * 24 * time.Hour: false,
	} {
		if _, err := h.Verify(sign(signingNew, off), body); (err == nil) != want {
			t.Errorf("%v off: %v", off, err)
		}
	}
}

func TestSignatureCoversIDAndTime(t *testing.T) {
	h, sign, body := signed(t, signingNew)
	for name, value := range map[string]string{
		"Webhook-Id": "msg-2", "Webhook-Timestamp": strconv.FormatInt(time.Date(2026, 3, 2, 9, 15, 1, 0, time.UTC).Unix(), 10),
		"Webhook-Signature": "",
	} {
		for _, value := range []string{value, ""} {
			header := sign(signingNew, 0)
			header.Set(name, value)
			if _, err := h.Verify(header, body); err != providers.ErrSignature {
				t.Errorf("%s %q: %v", name, value, err)
			}
		}
	}
	for _, stamp := range []string{"now", "1e9", "-1", "0", "99999999999999999999", "1772442900.0"} {
		header := sign(signingNew, 0)
		header.Set("Webhook-Timestamp", stamp)
		if _, err := h.Verify(header, body); err != providers.ErrSignature {
			t.Errorf("time %q: %v", stamp, err)
		}
	}
}

func TestOneOfSeveralSignaturesIsEnough(t *testing.T) {
	h, sign, body := signed(t, signingNew, signingOld)
	wrong, right := sign(signingOther, 0).Get("Webhook-Signature"), sign(signingOld, 0).Get("Webhook-Signature")
	for list, want := range map[string]bool{
		wrong + " " + right: true, right + " " + wrong: true, "v1a,abc= " + right: true, wrong: false, "v1a," + right[3:]: false,
		right + " ": false, strings.Repeat(wrong+" ", 100) + right: false,
	} {
		header := sign(signingOld, 0)
		header.Set("Webhook-Signature", list)
		i, err := h.Verify(header, body)
		if (err == nil) != want || (want && i != 1) {
			t.Errorf("%.60s: secret %d, %v", list, i, err)
		}
	}
}

// Whoever knows a token that was in use before must not get in by it.
func TestASigningTokenIsNeverDowngraded(t *testing.T) {
	const plain = "a-plain-token-of-before"
	for _, secrets := range [][]string{{signingNew, plain}, {plain, signingNew}} {
		h, sign, body := signed(t, secrets...)
		for _, token := range []string{plain, signingNew, ""} {
			if _, err := h.Verify(http.Header{"X-Gitlab-Token": {token}}, body); err != providers.ErrSignature {
				t.Errorf("token %q is accepted while a signing token is live: %v", token, err)
			}
		}
		if i, err := h.Verify(sign(signingNew, 0), body); err != nil || secrets[i] != signingNew {
			t.Errorf("signed: secret %d, %v", i, err)
		}
	}
}

func TestBrokenSigningTokensAreRefusedAtTheStart(t *testing.T) {
	for _, secret := range []string{"whsec_not-base64-at-all", "whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789")), "whsec_AAAAAAAAAAAAAAAAAAAAAA"} {
		set, err := providers.NewSecrets([]byte(secret))
		check(t, err)
		if _, err := gitlab.NewHook(set, nil); err == nil {
			t.Errorf("%q is accepted", secret)
		} else if strings.Contains(err.Error(), secret[6:]) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}
