package providers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// MinSecret is the least length of a webhook secret in bytes.
const MinSecret = 16

// Secrets are the live webhook secrets of one provider: more than one while
// they are rotated. The zero value matches nothing; build one by NewSecrets.
type Secrets struct{ keys [][]byte }

// NewSecrets returns the set of live secrets. It refuses an empty set and
// secrets shorter than MinSecret bytes: without a secret there is no hook.
func NewSecrets(keys ...[]byte) (Secrets, error) {
	if len(keys) == 0 {
		return Secrets{}, errors.New("providers: no webhook secret")
	}
	s := Secrets{keys: make([][]byte, len(keys))}
	for i, k := range keys {
		if len(k) < MinSecret {
			return Secrets{}, fmt.Errorf("providers: webhook secret %d of %d has %d bytes, want at least %d", i+1, len(keys), len(k), MinSecret)
		}
		s.keys[i] = append([]byte(nil), k...)
	}
	return s, nil
}

// Len returns the number of live secrets.
func (s Secrets) Len() int { return len(s.keys) }

// Key returns a copy of secret i, for a library that verifies once more.
func (s Secrets) Key(i int) string { return string(s.keys[i]) }

// MatchHMAC reports which secret's HMAC-SHA256 of body is the hexadecimal sum.
// Every secret is tried and the work does not depend on sum, so a refusal
// tells nothing about what was wrong. Upper-case digits are refused, as no
// forge sends them.
func (s Secrets) MatchHMAC(sum string, body []byte) (int, error) {
	var given [sha256.Size]byte
	ok := len(sum) == hex.EncodedLen(sha256.Size)
	if ok {
		for i := range sum {
			ok = ok && (sum[i] < 'A' || sum[i] > 'F')
		}
		_, err := hex.Decode(given[:], []byte(sum))
		ok = ok && err == nil
	}
	match := -1
	for i, key := range s.keys {
		mac := hmac.New(sha256.New, key)
		mac.Write(body)
		var want [sha256.Size]byte
		if hmac.Equal(mac.Sum(want[:0]), given[:]) && match < 0 {
			match = i
		}
	}
	if !ok || match < 0 {
		return 0, ErrSignature
	}
	return match, nil
}
