package handlers

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
)

// A Gate knows the admin tokens of now. The API and the dashboard let people
// in through the same comparison.
type Gate struct {
	Tokens func() []Token
}

// find returns the token with this secret. Every token is compared, by digests
// of equal length, so the time it takes tells nothing.
func (g Gate) find(secret string) (found Token, ok bool) {
	if secret == "" {
		return Token{}, false
	}
	sum := sha256.Sum256([]byte(secret))
	for _, t := range g.Tokens() {
		want := sha256.Sum256(t.Secret)
		if subtle.ConstantTimeCompare(sum[:], want[:]) == 1 {
			found, ok = t, true
		}
	}
	return found, ok
}

// Enter returns a pass for whoever knows a token's secret. A pass names the
// token with its role and secret without telling them: it is void as soon as
// one of them changes or the token is removed. It opens nothing by itself and
// stays in the process.
func (g Gate) Enter(secret string) (pass string, ok bool) {
	t, ok := g.find(secret)
	if !ok {
		return "", false
	}
	return t.pass(), true
}

// Look tells whose a pass is, and whether he may change anything.
func (g Gate) Look(pass string) (name, role string, acts, ok bool) {
	for _, t := range g.Tokens() {
		if t.pass() == pass {
			return t.Name, t.Role.String(), t.Role >= Operator, true
		}
	}
	return "", "", false, false
}

func (t Token) pass() string {
	secret := sha256.Sum256(t.Secret)
	sum := sha256.Sum256(append(secret[:], t.Role.String()+"\x00"+t.Name...))
	return hex.EncodeToString(sum[:])
}
