package gitea_test

import (
	"testing"

	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/providerstest"
)

// start returns a simulated Gitea and a forge that reads it with the site
// administrator's token.
func start(t *testing.T, opt providerstest.GiteaOptions) (*providerstest.Gitea, *gitea.Forge) {
	t.Helper()
	g, err := providerstest.StartGitea(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	f, err := gitea.New(gitea.Config{URL: g.URL(), Token: g.AdminToken()})
	if err != nil {
		t.Fatal(err)
	}
	return g, f
}

func TestForgeAgainstTheSimulator(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	providerstest.RunForge(t, g.World(f))
}
