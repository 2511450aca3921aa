package providers_test

import (
	"testing"

	"github.com/hookd/hookd/providers"
)

func TestOurHookIsKnownByItsAddress(t *testing.T) {
	const public = "https://hookd.example.com"
	for _, c := range []struct {
		address, public string
		want            bool
	}{
		{"https://hookd.example.com/hooks/git", public, true},
		{"https://hookd.example.com/hooks/git", public + "/", true},
		{"HTTPS://Hookd.Example.com:443/hooks/git/", public, true},
		{"http://hookd.example.com/hooks/git", public, false},
		{"https://hookd.example.com:8443/hooks/git", public, false},
		{"https://hookd.example.com/hooks/git2", public, false},
		{"https://hookd.example.com/other/hooks/git", public, false},
		{"https://hookd.example.com.evil.example/hooks/git", public, false},
		{"https://evil@hookd.example.com/hooks/git", public, true}, // who sends is not who is sent to
		{"https://proxy.example.com/ci/hooks/git", "https://proxy.example.com/ci", true},
		{"https://hookd.example.com/hooks/git", "", true},
		{"https://elsewhere.example.com/ci/hooks/git", "", true},
		{"https://hookd.example.com/hooks/other", "", false},
		{"/hooks/git", "", false},
		{"://", public, false},
		{"", "", false},
	} {
		if got := providers.IsHookURL(c.address, c.public, "git"); got != c.want {
			t.Errorf("%q is the hook of %q: %v", c.address, c.public, got)
		}
	}
	if got, want := providers.HookURL(public+"/", "git"), public+"/hooks/git"; got != want {
		t.Errorf("the address is %q, want %q", got, want)
	}
}
