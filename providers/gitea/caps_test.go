package gitea_test

import (
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/providerstest"
)

func TestNoAnswerLeadsTooFar(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{MaxItems: 3})
	providerstest.RunCaps(t, g.URL(), g.World(f), func(root string) (providers.Forge, error) {
		return gitea.New(gitea.Config{URL: root, Token: g.AdminToken()})
	})
}
