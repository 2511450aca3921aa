package keys

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// doubt is how long a rejection that nobody confirmed is believed.
const doubt = 10 * time.Minute

// digest stands for a token of a login wherever it is remembered. The login is
// part of it: one token in two files is right in one of them.
type digest [sha256.Size]byte

func digestOf(login, token string) digest {
	return sha256.Sum256([]byte(providers.Fold(login) + "\x00" + token))
}

// verdict is what the CI server last said of a token.
type verdict struct {
	ok    bool
	until time.Time // zero for ever
}

// verdicts remembers what the CI server said of tokens. It holds no token.
type verdicts struct {
	now func() time.Time

	mu  sync.Mutex
	sum map[digest]verdict
}

func newVerdicts(now func() time.Time) verdicts {
	return verdicts{now: now, sum: map[digest]verdict{}}
}

// Accept remembers that the CI server knows the token as this user's.
func (v *verdicts) Accept(login, token string) { v.judge(login, token, verdict{ok: true}) }

// Reject remembers that the CI server refuses the token, or calls it somebody
// else's: it is not tried again until it changes.
func (v *verdicts) Reject(login, token string) { v.judge(login, token, verdict{}) }

// Doubt remembers a refusal that may be a fault of the CI server: it is
// believed for ten minutes.
func (v *verdicts) Doubt(login, token string) {
	v.judge(login, token, verdict{until: v.now().Add(doubt)})
}

func (v *verdicts) judge(login, token string, said verdict) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sum[digestOf(login, token)] = said
}

func (v *verdicts) state(d digest) target.Credential {
	v.mu.Lock()
	defer v.mu.Unlock()
	said, known := v.sum[d]
	switch {
	case !known:
		return target.CredentialUnknown
	case said.ok:
		return target.CredentialOK
	case said.until.IsZero(), v.now().Before(said.until):
		return target.CredentialRejected
	}
	return target.CredentialUnknown
}

// keep forgets the tokens that are not in live: should one come back, it
// deserves a new trial.
func (v *verdicts) keep(live map[digest]bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for d := range v.sum {
		if !live[d] {
			delete(v.sum, d)
		}
	}
}
