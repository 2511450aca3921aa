package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/hookd/hookd/providers"
)

// keySize is that of AES-256.
const keySize = 32

var errKey = errors.New("wants a key of 32 bytes, as 64 hexadecimal digits: openssl rand -hex 32")

// A Key seals tokens. It prints as nothing.
type Key struct{ aead cipher.AEAD }

func (Key) String() string   { return "key" }
func (Key) GoString() string { return "key" }

// ParseKeys reads the content of a key file: one key a line, in hexadecimal or
// base64, or a single key as 32 plain bytes. The first seals, all of them open:
// so a key is replaced by putting the new one above it. The error says nothing
// of the content.
func ParseKeys(text []byte) ([]Key, error) {
	if len(text) == keySize {
		k, err := newKey(text)
		return []Key{k}, err
	}
	var keys []Key
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		raw, err := hex.DecodeString(string(line))
		if err != nil {
			raw, err = base64.StdEncoding.DecodeString(string(line))
		}
		if err != nil || len(raw) != keySize {
			return nil, errKey
		}
		k, err := newKey(raw)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errKey
	}
	return keys, nil
}

func newKey(raw []byte) (Key, error) {
	block, err := aes.NewCipher(raw)
	if err != nil {
		return Key{}, fmt.Errorf("making the cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return Key{}, fmt.Errorf("making the cipher: %w", err)
	}
	return Key{aead}, nil
}

// seal closes a token up. Nonces are random: of one key's 2^32 first boxes no
// two share one but with a chance of 2^-33 (NIST SP 800-38D, 8.3).
func (k Key) seal(target, login, token string) []byte {
	nonce := make([]byte, k.aead.NonceSize(), k.aead.NonceSize()+len(token)+k.aead.Overhead())
	rand.Read(nonce)
	return k.aead.Seal(nonce, nonce, []byte(token), additional(target, login))
}

func (k Key) open(target, login string, box []byte) (token string, ok bool) {
	n := k.aead.NonceSize()
	if len(box) < n {
		return "", false
	}
	text, err := k.aead.Open(nil, box[:n], box[n:], additional(target, login))
	return string(text), err == nil
}

// additional ties a box to whom it is of. Neither a target's name nor a login
// holds a NUL.
func additional(target, login string) []byte {
	return []byte("hookd token 1\x00" + target + "\x00" + providers.Fold(login))
}
