package gitlab_test

import (
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
)

func TestNoAnswerLeadsTooFar(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{MaxItems: 3})
	providerstest.RunCaps(t, g.URL(), g.World(f), func(root string) (providers.Forge, error) {
		return gitlab.New(gitlab.Config{URL: root, Token: g.AdminToken()})
	})
}
