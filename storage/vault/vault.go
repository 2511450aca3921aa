package vault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// schema is the version of the file.
const schema = 1

// content is the file.
type content struct {
	Schema int      `json:"schema"`
	Target string   `json:"target"`
	Tokens []sealed `json:"tokens"`
}

// sealed is one token in it.
type sealed struct {
	Login  string         `json:"login"`
	Origin storage.Origin `json:"origin"`
	Since  time.Time      `json:"since"`
	Box    []byte         `json:"box"`
}

// A Vault is the sealed tokens of one target. One process at a time may have it
// open, which the lock on the data folder sees to.
type Vault struct {
	path, target string
	key          Key // that seals

	mu     sync.Mutex
	tokens map[string]storage.Token // by folded login
}

var _ storage.Vault = (*Vault)(nil)

// Open reads the file at path, which need not be there, and seals everything in
// it anew if that was not done by the first of keys. It fails if a token opens
// by none of them.
func Open(path, target string, keys []Key) (*Vault, error) {
	v, old, err := read(path, target, keys)
	if err != nil {
		return nil, err
	}
	if old {
		if err := v.write(v.tokens); err != nil {
			return nil, fmt.Errorf("sealing the tokens of %s by the new key: %w", target, err)
		}
	}
	return v, nil
}

// Peek reads the file as Open does, and writes nothing: for a look beside the
// process that has it open.
func Peek(path, target string, keys []Key) (*Vault, error) {
	v, _, err := read(path, target, keys)
	return v, err
}

// read opens every token. old tells that one was not sealed by the first key.
func read(path, target string, keys []Key) (v *Vault, old bool, err error) {
	v = &Vault{path: path, target: target, key: keys[0], tokens: map[string]storage.Token{}}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return v, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading the tokens of %s: %w", target, err)
	}
	var c content
	switch err := json.Unmarshal(b, &c); {
	case err != nil:
		return nil, false, fmt.Errorf("%s is damaged: %w", path, err)
	case c.Schema != schema:
		return nil, false, fmt.Errorf("%s is of version %d, which this hookd does not know", path, c.Schema)
	}
	for _, s := range c.Tokens {
		n := slices.IndexFunc(keys, func(k Key) bool {
			text, ok := k.open(target, s.Login, s.Box)
			if ok {
				v.tokens[providers.Fold(s.Login)] = storage.Token{Login: s.Login, Text: text, Origin: s.Origin, Since: s.Since}
			}
			return ok
		})
		if n < 0 {
			return nil, false, fmt.Errorf("%s: the token of %q opens by no key of the key file: "+
				"add the key that sealed it there as a further line, or delete %s, after which users link their tokens again", path, s.Login, path)
		}
		old = old || n > 0
	}
	return v, old, nil
}

// Token returns what is kept of a user.
func (v *Vault) Token(login string) (storage.Token, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	t, ok := v.tokens[providers.Fold(login)]
	return t, ok
}

// Logins lists who has a token, ordered.
func (v *Vault) Logins() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	logins := make([]string, 0, len(v.tokens))
	for _, t := range v.tokens {
		logins = append(logins, t.Login)
	}
	slices.Sort(logins)
	return logins
}

// Keep replaces what is kept of t.Login.
func (v *Vault) Keep(t storage.Token) error {
	return v.change(func(tokens map[string]storage.Token) { tokens[providers.Fold(t.Login)] = t })
}

// Drop takes a user's token away.
func (v *Vault) Drop(login string) error {
	return v.change(func(tokens map[string]storage.Token) { delete(tokens, providers.Fold(login)) })
}

// change makes a change, on the disk before in memory.
func (v *Vault) change(edit func(map[string]storage.Token)) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	next := maps.Clone(v.tokens)
	edit(next)
	if err := v.write(next); err != nil {
		return fmt.Errorf("keeping a token of %s: %w", v.target, err)
	}
	v.tokens = next
	return nil
}

func (v *Vault) write(tokens map[string]storage.Token) error {
	c := content{Schema: schema, Target: v.target, Tokens: make([]sealed, 0, len(tokens))}
	for _, t := range tokens {
		c.Tokens = append(c.Tokens, sealed{Login: t.Login, Origin: t.Origin, Since: t.Since, Box: v.key.seal(v.target, t.Login, t.Text)})
	}
	slices.SortFunc(c.Tokens, func(a, b sealed) int { return strings.Compare(a.Login, b.Login) })
	b, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	return replace(v.path, append(b, '\n'))
}
