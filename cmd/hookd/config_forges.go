package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strconv"
	"strings"

	"github.com/hookd/hookd/providers"
)

// hasHome reports whether a kind of forge has an instance that an empty url
// means: github.com and gitlab.com.
func hasHome(kind string) bool { return kind == "github" || kind == "gitlab" }

// app checks the GitHub App of a provider and reads its key.
func (k checker) app(prefix string, p *providerConfig) {
	a := &p.App
	if !a.set() {
		if p.Kind == "github" && p.Token == "" && p.TokenFile == "" && !k.c.bad[prefix+"token"] {
			k.fault(prefix+"token_file", "token_file is missing: GitHub is asked with a token, or as an app")
		}
		return
	}
	switch {
	case p.Kind != "github":
		k.fault(prefix+"app", "app is for kind github only")
		return
	case p.Token != "" || p.TokenFile != "":
		k.fault(prefix+"app", "app and token are both set: give one of them")
	}
	a.id = k.number(prefix+"app.id", a.ID)
	if a.InstallationID != "" {
		a.installation = k.number(prefix+"app.installation_id", a.InstallationID)
	}
	if a.PrivateKeyFile == "" {
		k.fault(prefix+"app.private_key_file", "private_key_file is missing")
		return
	}
	key, ok := k.file(prefix+"app.private_key_file", a.PrivateKeyFile)
	if !ok {
		return
	}
	if err := rsaKey([]byte(string(key))); err != nil {
		k.fault(prefix+"app.private_key_file", "the file %s holds no private key of a GitHub App: %v", a.PrivateKeyFile, err)
	}
	a.key = key
}

func (k checker) number(path, text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case text == "":
		k.fault(path, "%s is missing", last(path))
	case err != nil || n <= 0:
		k.fault(path, "%s: %q is not a number as GitHub shows it", last(path), text)
	}
	return n
}

// rsaKey reports what is wrong with a key in PEM. GitHub hands out PKCS #1.
func rsaKey(text []byte) error {
	block, _ := pem.Decode(text)
	if block == nil {
		return errors.New("not PEM")
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if _, ok := key.(*rsa.PrivateKey); err != nil || !ok {
		return errors.New("not an RSA key")
	}
	return nil
}

// signingPrefix marks a secret as a signing token of GitLab.
const signingPrefix = "whsec_"

// signing checks a signing token of GitLab, which is a key in base64 behind a
// prefix.
func (k checker) signing(path, kind string, s secret) {
	encoded, ok := strings.CutPrefix(string(s), signingPrefix)
	if kind != "gitlab" || !ok {
		return
	}
	if key, err := base64.StdEncoding.DecodeString(encoded); err != nil || len(key) < providers.MinSecret {
		k.fault(path, "a secret that begins with whsec_ is a signing token of GitLab: at least %d bytes in base64 must follow", providers.MinSecret)
	}
}
