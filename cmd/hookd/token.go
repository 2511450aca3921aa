package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/providers"
)

// adminTokenName is the file in the data folder with the token that serve
// makes up when none is configured.
const adminTokenName = "admin-token"

// adminTokens returns the tokens that open the admin API.
func adminTokens(c *config) ([]handlers.Token, error) {
	if len(c.Tokens) == 0 {
		t, err := ownToken(c.DataDir)
		if err != nil {
			return nil, err
		}
		return []handlers.Token{{Name: adminTokenName, Role: handlers.Administrator, Secret: []byte(t)}}, nil
	}
	byName := map[string]handlers.Role{"viewer": handlers.Viewer, "operator": handlers.Operator, "admin": handlers.Administrator}
	tokens := make([]handlers.Token, len(c.Tokens))
	for i, t := range c.Tokens {
		tokens[i] = handlers.Token{Name: t.Name, Role: byName[t.Role], Secret: []byte(string(t.Token))}
	}
	return tokens, nil
}

// strongestToken is the configured token that may do most, the first of equals,
// else the one that serve made up.
func (c *config) strongestToken() *tokenConfig {
	best := &tokenConfig{TokenFile: filepath.Join(c.DataDir, adminTokenName)}
	for i, t := range c.Tokens {
		if i == 0 || slices.Index(roles, t.Role) > slices.Index(roles, best.Role) {
			best = t
		}
	}
	return best
}

// ownToken reads the token in the data folder and creates it if there is none.
func ownToken(dir string) (secret, error) {
	name := filepath.Join(dir, adminTokenName)
	b, err := os.ReadFile(name)
	if err == nil {
		t := strings.TrimSpace(string(b))
		if len(t) < providers.MinSecret {
			return "", fmt.Errorf("%s holds no token: delete it, and the next start makes a new one", name)
		}
		// A copy or a restored backup may be open to others.
		if err := os.Chmod(name, 0o600); err != nil {
			return "", fmt.Errorf("closing the admin token to others: %w", err)
		}
		return secret(t), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading the admin token: %w", err)
	}
	var key [32]byte
	rand.Read(key[:])
	t := hex.EncodeToString(key[:])
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("creating the admin token: %w", err)
	}
	_, err = f.WriteString(t + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("creating the admin token: %w", err)
	}
	return secret(t), nil
}
