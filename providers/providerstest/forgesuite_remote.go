package providerstest

import (
	"errors"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
)

// remote examines where a repository is told to be: where it is now, under the
// same labels as Repo tells.
func (x *forgeExam) remote(t *testing.T) {
	f, ok := x.f.(providers.RemoteForge)
	if !ok {
		t.Log("the driver does not tell")
		return
	}
	o := must[providers.Org](t)(x.w.CreateOrg(x.name("org"), "private"))
	r := must[providers.Repo](t)(x.w.CreateRepo(o.Name, x.name("app"), true))
	for _, name := range []string{x.name("renamed"), ""} {
		now := must[providers.Repo](t)(x.f.Repo(t.Context(), r.ID))
		got, remote, err := f.Remote(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Labels(now) || got.ID != r.ID || !remote.Private {
			t.Errorf("got %+v private %v, but the repository is %+v", got, remote.Private, now)
		}
		for what, address := range map[string]string{"clone": remote.Clone, "ssh": remote.SSH, "link": remote.Link} {
			if !strings.Contains(address, now.Path) {
				t.Errorf("%s address of %s: %q", what, now.Path, address)
			}
		}
		if name != "" {
			if err := x.w.RenameRepo(now, name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, _, err := f.Remote(t.Context(), "999999999"); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}
