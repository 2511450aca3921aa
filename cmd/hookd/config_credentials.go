package main

// credentialSettings are those below users by which hookd gets to act as Drone's
// users.
var credentialSettings = []string{
	"token_dir", "link", "provision", "key_file",
	"session_secret", "session_secret_file", "session_allow_remote", "session_allow_admins",
}

// credentials checks by what hookd is to act as Drone's users: tokens from one
// place or several, or Drone's session secret alone.
func (k checker) credentials(prefix string, t *targetConfig) {
	users := prefix + "users."
	k.tokenDir(users, t)
	k.sealed(users, t)
	if k.c.given(users+"session_secret") || k.c.given(users+"session_secret_file") {
		k.session(users, t)
		return
	}
	for _, key := range []string{"session_allow_remote", "session_allow_admins"} {
		if k.c.given(users + key) {
			k.fault(users+key, "users.%s is for a session secret, and there is none", key)
		}
	}
	if !k.c.given(users+"token_dir") && !t.Link && !t.Provision && !k.c.given(users+"key_file") {
		k.fault(users+"token_dir", "users.token_dir is missing: the folder that holds each user's token in a file named for his login "+
			"(or users.link, users.provision, or users.session_secret_file)")
	}
}

// given reports whether a setting is there at all, right or wrong.
func (c *config) given(path string) bool {
	_, ok := c.origins[path]
	return ok
}

// sealed checks the tokens that hookd keeps.
func (k checker) sealed(users string, t *targetConfig) {
	if t.Provision && t.Token == "" && t.TokenFile == "" {
		k.fault(users+"provision", "users.provision needs token_file: only an administrator makes accounts")
	}
	if t.KeyFile == "" {
		for key, on := range map[string]bool{"link": t.Link, "provision": t.Provision} {
			if on {
				k.fault(users+key, "users.%s needs users.key_file: a file with a key that seals the tokens: openssl rand -hex 32", key)
			}
		}
		return
	}
	text, ok := k.raw(users+"key_file", t.KeyFile)
	if !ok {
		return
	}
	t.key = text
	if err := sealingKey(text); err != nil {
		k.fault(users+"key_file", "users.key_file %v", err)
	}
}

// session checks Drone's own secret, which stands alone.
func (k checker) session(users string, t *targetConfig) {
	for _, key := range []string{"token_dir", "link", "provision", "key_file"} {
		if k.c.given(users + key) {
			k.fault(users+key, "users.%s and a session secret are both set: with the secret nobody needs a token", key)
		}
	}
	prefix := users[:len(users)-len("users.")]
	if k.secret(prefix, "users.session_secret", &t.Session, t.SessionFile) {
		k.long(prefix, "users.session_secret", t.Session)
	}
	at := users + "session_secret_file"
	if !k.c.given(at) {
		at = users + "session_secret"
	}
	if t.Token == "" && t.TokenFile == "" {
		k.fault(at, "%s needs token_file: by an administrator's eyes hookd tells whom it must not act as", last(at))
	}
	if !t.SessionRemote && t.URL != "" && !onThisMachine(t.URL) {
		k.fault(at, "%s is root on Drone, and %s is not on this machine: users.session_allow_remote: true, if you mean it", last(at), t.URL)
	}
}
