package keys

import (
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
)

// file is one token file of the last scan.
type file struct {
	name string
	sum  digest
}

// Dir is a directory with one token file for each login. Kubernetes mounts a
// secret so: the visible names are links through the hidden ..data, which is
// switched as a whole. Names are compared case-folded and only ever come from
// the directory's own listing, so no login can name a path. It is safe for
// concurrent use.
type Dir struct {
	verdicts
	dir string
	log *slog.Logger

	mu     sync.Mutex
	files  map[string]file // by folded login, as of read
	read   time.Time
	warned map[string]bool
	missed map[string]bool // folded logins whose token somebody did not find
}

// NewDir returns the directory of that path. It need not exist yet, as a
// mounted secret may come later.
func NewDir(path string, now func() time.Time, log *slog.Logger) *Dir {
	return &Dir{dir: path, log: log, verdicts: newVerdicts(now), warned: map[string]bool{}, missed: map[string]bool{}}
}

// Token reads a user's token now. It fails with target.ErrNoCredential, or with
// target.ErrRejected if the CI server refused this very token before.
func (d *Dir) Token(login string) (string, error) {
	name, ok := d.find(login)
	if !ok {
		d.miss(login)
		return "", fmt.Errorf("%w: no token file of that name", target.ErrNoCredential)
	}
	token, ok := d.load(name)
	if !ok {
		d.miss(login)
		return "", fmt.Errorf("%w: the token file is empty or not readable", target.ErrNoCredential)
	}
	if d.state(digestOf(login, token)) == target.CredentialRejected {
		return "", fmt.Errorf("%w: it was refused before, and the token file has not changed since", target.ErrRejected)
	}
	return token, nil
}

// miss lets Watch tell of the token of a login though it comes back as it was:
// somebody waits for it.
func (d *Dir) miss(login string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.missed[providers.Fold(login)] = true
}

// Credential tells the state without asking anybody but the directory, and
// that at most every two seconds: it is asked for every user at once.
func (d *Dir) Credential(login string) target.Credential {
	d.mu.Lock()
	stale := d.files == nil || d.now().Sub(d.read) >= freshness
	d.mu.Unlock()
	if stale {
		d.scan()
	}
	d.mu.Lock()
	f, ok := d.files[providers.Fold(login)]
	d.mu.Unlock()
	if !ok {
		return target.CredentialMissing
	}
	return d.state(f.sum)
}

// find looks a login up in the listing: the exact name before a folded one.
func (d *Dir) find(login string) (string, bool) {
	names, err := d.names()
	if err != nil {
		d.warn("dir", "the token directory cannot be read", "err", err)
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
func (d *Dir) names() ([]string, error) {
	entries, err := os.ReadDir(d.dir)
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
func (d *Dir) load(name string) (token string, ok bool) {
	path := filepath.Join(d.dir, name)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return "", false
	}
	var b []byte
	if err == nil {
		b, err = readFile(path)
	}
	if err != nil {
		d.warn("file "+name, "a token file cannot be read", "user", name, "err", err)
		return "", false
	}
	if info.Mode().Perm()&0o004 != 0 {
		d.warn("mode", "token files are readable by everybody on this machine", "user", name, "mode", info.Mode().Perm().String())
	}
	token = strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if token == "" {
		return "", false
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		d.warn("text "+name, "a token file holds something that is no token", "user", name)
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
func (d *Dir) warn(once, msg string, args ...any) {
	d.mu.Lock()
	seen := d.warned[once]
	d.warned[once] = true
	d.mu.Unlock()
	if !seen {
		d.log.Warn(msg, args...)
	}
}
