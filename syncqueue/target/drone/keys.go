package drone

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

const (
	maxToken  = 4 << 10         // bytes of a token file
	freshness = 2 * time.Second // of the snapshot that Credential answers from
	doubt     = 10 * time.Minute
)

// digest stands for a token of a login wherever it is remembered. The login is
// part of it: one token in two files is right in one of them.
type digest [sha256.Size]byte

func digestOf(login, token string) digest {
	return sha256.Sum256([]byte(providers.Fold(login) + "\x00" + token))
}

// file is one token file of the last scan.
type file struct {
	name string
	sum  digest
}

// verdict is what Drone last said of a token.
type verdict struct {
	ok    bool
	until time.Time // a rejection that nobody confirmed is believed until then; zero for ever
}

// keys is a directory with one token file for each login. Kubernetes mounts a
// secret so: the visible names are links through the hidden ..data, which is
// switched as a whole. Names are compared case-folded and only ever come from
// the directory's own listing, so no login can name a path.
type keys struct {
	dir string
	now func() time.Time
	log *slog.Logger

	mu       sync.Mutex
	files    map[string]file // by folded login, as of read
	read     time.Time
	verdicts map[digest]verdict
	warned   map[string]bool
}

func newKeys(dir string, now func() time.Time, log *slog.Logger) *keys {
	return &keys{dir: dir, now: now, log: log, verdicts: map[digest]verdict{}, warned: map[string]bool{}}
}

// token reads a user's token now. It fails with target.ErrNoCredential, or with
// target.ErrRejected if Drone refused this very token before.
func (k *keys) token(login string) (string, error) {
	name, ok := k.find(login)
	if !ok {
		return "", fmt.Errorf("%w: no token file of that name", target.ErrNoCredential)
	}
	token, ok := k.load(name)
	if !ok {
		return "", fmt.Errorf("%w: the token file is empty or not readable", target.ErrNoCredential)
	}
	if k.state(digestOf(login, token)) == target.CredentialRejected {
		return "", fmt.Errorf("%w: it was refused before, and the token file has not changed since", target.ErrRejected)
	}
	return token, nil
}

// judge remembers what Drone said of a token.
func (k *keys) judge(login, token string, v verdict) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.verdicts[digestOf(login, token)] = v
}

func (k *keys) state(sum digest) target.Credential {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, known := k.verdicts[sum]
	switch {
	case !known:
		return target.CredentialUnknown
	case v.ok:
		return target.CredentialOK
	case v.until.IsZero(), k.now().Before(v.until):
		return target.CredentialRejected
	}
	return target.CredentialUnknown
}

// credential tells the state without asking anybody but the directory, and
// that at most every two seconds: it is asked for every user at once.
func (k *keys) credential(login string) target.Credential {
	k.mu.Lock()
	stale := k.files == nil || k.now().Sub(k.read) >= freshness
	k.mu.Unlock()
	if stale {
		k.scan()
	}
	k.mu.Lock()
	f, ok := k.files[providers.Fold(login)]
	k.mu.Unlock()
	if !ok {
		return target.CredentialMissing
	}
	return k.state(f.sum)
}

// scan reads the directory. One that cannot be read leaves what is known as it
// was.
func (k *keys) scan() {
	names, err := k.names()
	if err != nil {
		k.warn("dir", "the token directory cannot be read", "err", err)
		return
	}
	files := make(map[string]file, len(names))
	live := make(map[digest]bool, len(names))
	for _, name := range names {
		login := providers.Fold(name)
		if _, taken := files[login]; taken {
			continue
		}
		if token, ok := k.load(name); ok {
			sum := digestOf(login, token)
			files[login], live[sum] = file{name: name, sum: sum}, true
		}
	}

	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.warned, "dir")
	for sum := range k.verdicts {
		if !live[sum] {
			delete(k.verdicts, sum) // should the token come back, it deserves a new trial
		}
	}
	k.files, k.read = files, k.now()
}

// since returns the logins, ordered, whose token differs from seen, and makes
// seen equal to the last scan.
func (k *keys) since(seen map[string]digest) (changed []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for login, f := range k.files {
		if old, ok := seen[login]; !ok || old != f.sum {
			seen[login] = f.sum
			changed = append(changed, f.name)
		}
	}
	for login := range seen {
		if _, ok := k.files[login]; !ok {
			delete(seen, login)
		}
	}
	slices.Sort(changed)
	return changed
}

// find looks a login up in the listing: the exact name before a folded one.
func (k *keys) find(login string) (string, bool) {
	names, err := k.names()
	if err != nil {
		k.warn("dir", "the token directory cannot be read", "err", err)
		return "", false
	}
	if slices.Contains(names, login) {
		return login, true
	}
	for _, name := range names {
		if providers.Fold(name) == providers.Fold(login) {
			return name, true
		}
	}
	return "", false
}

// names lists the directory, ordered, without hidden entries. A directory that
// is not there is empty: an optional secret may be mounted later.
func (k *keys) names() ([]string, error) {
	entries, err := os.ReadDir(k.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// load reads the file of a name out of the listing. ok is false if there is
// nothing in it that can be sent as a token.
func (k *keys) load(name string) (token string, ok bool) {
	path := filepath.Join(k.dir, name)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return "", false
	}
	var b []byte
	if err == nil {
		b, err = readFile(path)
	}
	if err != nil {
		k.warn("file "+name, "a token file cannot be read", "user", name, "err", err)
		return "", false
	}
	if info.Mode().Perm()&0o004 != 0 {
		k.warn("mode", "token files are readable by everybody on this machine", "user", name, "mode", info.Mode().Perm().String())
	}
	token = strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if token == "" {
		return "", false
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		k.warn("text "+name, "a token file holds something that is no token", "user", name)
		return "", false
	}
	return token, true
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	if err == nil && len(b) > maxToken {
		return nil, fmt.Errorf("larger than %d bytes", maxToken)
	}
	return b, err
}

// warn says each thing once.
func (k *keys) warn(once, msg string, args ...any) {
	k.mu.Lock()
	seen := k.warned[once]
	k.warned[once] = true
	k.mu.Unlock()
	if !seen {
		k.log.Warn(msg, args...)
	}
}
