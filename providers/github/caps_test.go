package github_test

import (
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/providerstest"
)

func TestNoAnswerLeadsTooFar(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{MaxItems: 3})
	providerstest.RunCaps(t, g.URL(), g.World(f), func(root string) (providers.Forge, error) {
		return github.New(github.Config{URL: root, Token: g.AdminToken()})
	})
}
