package providers

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"sync"
)

// MinSecret is the least length of a webhook secret in bytes.
const MinSecret = 16

// Secrets are the live webhook secrets of one provider: more than one while
// they are rotated. The zero value matches nothing; build one by NewSecrets.
type Secrets struct{ keys []key }

// A key is a secret with what was made of it for the last signatures.
type key struct {
	secret []byte
	macs   *sync.Pool // of hash.Hash
}

// NewSecrets returns the set of live secrets. It refuses an empty set and
// secrets shorter than MinSecret bytes: without a secret there is no hook.
func NewSecrets(keys ...[]byte) (Secrets, error) {
	if len(keys) == 0 {
		return Secrets{}, errors.New("providers: no webhook secret")
	}
	s := Secrets{keys: make([]key, len(keys))}
	for i, k := range keys {
		if len(k) < MinSecret {
			return Secrets{}, fmt.Errorf("providers: webhook secret %d of %d has %d bytes, want at least %d", i+1, len(keys), len(k), MinSecret)
		}
		secret := bytes.Clone(k)
		s.keys[i] = key{secret, &sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}}
	}
	return s, nil
}

// Len returns the number of live secrets.
func (s Secrets) Len() int { return len(s.keys) }

// Key returns a copy of secret i, for a library that verifies once more.
func (s Secrets) Key(i int) string { return string(s.keys[i].secret) }

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
		want := key.sum(body)
		if hmac.Equal(want[:], given[:]) && match < 0 {
			match = i
		}
	}
	if !ok || match < 0 {
		return 0, ErrSignature
	}
	return match, nil
}

func (k key) sum(body []byte) (sum [sha256.Size]byte) {
	mac := k.macs.Get().(hash.Hash)
	defer k.macs.Put(mac)
	mac.Reset()
	mac.Write(body)
	mac.Sum(sum[:0])
	return sum
}
