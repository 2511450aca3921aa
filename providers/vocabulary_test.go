package providers_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
)

func TestPermissionsAreOrderedAndReadBack(t *testing.T) {
	levels := []providers.Permission{providers.None, providers.Read, providers.Write, providers.Admin}
	for i, p := range levels {
		if i > 0 && p <= levels[i-1] {
			t.Errorf("%v is not above %v", p, levels[i-1])
		}
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back providers.Permission
		if err := json.Unmarshal(b, &back); err != nil || back != p {
			t.Errorf("%v became %s and then %v, %v", p, b, back, err)
		}
	}
	var p providers.Permission
	if err := json.Unmarshal([]byte(`"owner"`), &p); err == nil {
		t.Error("an unknown level was accepted")
	}
	if s := providers.Permission(9).String(); s != "permission(9)" {
		t.Errorf("%q", s)
	}
}

// An error is found by its class, by its cause and as itself.
func TestForgeErrorsAreFoundByClassAndCause(t *testing.T) {
	err := fmt.Errorf("gitea: %w", &providers.ForgeError{
		Op: "GET /user", Status: 502, Class: providers.ErrUnavailable, Err: io.ErrUnexpectedEOF,
	})
	var fe *providers.ForgeError
	if !errors.Is(err, providers.ErrUnavailable) || !errors.Is(err, io.ErrUnexpectedEOF) || !errors.As(err, &fe) || fe.Status != 502 {
		t.Errorf("%v", err)
	}
	if errors.Is(err, providers.ErrNotFound) {
		t.Error("it is also of another class")
	}
	if want := "gitea: GET /user: unavailable (status 502): unexpected EOF"; err.Error() != want {
		t.Errorf("%q", err)
	}
	bare := &providers.ForgeError{Op: "GET /user", Class: providers.ErrLimited, After: time.Unix(0, 0)}
	if !errors.Is(bare, providers.ErrLimited) || bare.Error() != "GET /user: rate limited" {
		t.Errorf("%v", bare)
	}
}

func TestMembersOfAModelAreEachOnceAndInOrder(t *testing.T) {
	u := func(id string) providers.User { return providers.User{ID: id, Login: "u" + id} }
	m := providers.Model{Teams: []providers.TeamModel{
		{Members: []providers.User{u("10"), u("9")}},
		{Members: []providers.User{u("9"), u("2"), u("100")}},
		{},
	}}
	if diff := cmp.Diff([]providers.User{u("2"), u("9"), u("10"), u("100")}, m.Members()); diff != "" {
		t.Error(diff)
	}
	if got := (providers.Model{}).Members(); len(got) != 0 {
		t.Errorf("nobody: %v", got)
	}
}

func TestLabelsAreEverythingButIdentity(t *testing.T) {
	r := providers.Repo{ID: "1", Path: "acme/app", Org: providers.Org{ID: "6", Name: "acme"}, Visibility: providers.Private}
	same := r
	same.ID, same.Created = "2", time.Unix(1, 0)
	if !r.Labels(same) {
		t.Error("another id is no other label")
	}
	for what, change := range map[string]func(*providers.Repo){
		"path":       func(r *providers.Repo) { r.Path = "acme/www" },
		"owner":      func(r *providers.Repo) { r.Org.Name = "lab" },
		"visibility": func(r *providers.Repo) { r.Visibility = providers.Public },
		"archived":   func(r *providers.Repo) { r.Archived = true },
	} {
		other := r
		change(&other)
		if r.Labels(other) {
			t.Errorf("a change of %s went unseen", what)
		}
	}
}

func TestOnlyLossesGoFirst(t *testing.T) {
	for effect, removes := range map[providers.Effect]bool{
		providers.EffectGone: true, providers.EffectLeft: true,
		providers.EffectNone: false, providers.EffectRepo: false, providers.EffectMember: false, providers.EffectUser: false, providers.EffectScope: false,
	} {
		if got := (providers.Event{Effect: effect}).Removes(); got != removes {
			t.Errorf("%q: %v", effect, got)
		}
	}
}

func TestSubjectsReadAsTheirName(t *testing.T) {
	if s := (providers.Subject{Kind: providers.SubjectRepo, ID: "7", Name: "acme/app"}).String(); s != "repo acme/app" {
		t.Errorf("%q", s)
	}
	if s := (providers.Subject{Kind: providers.SubjectUser, ID: "7"}).String(); s != "user 7" {
		t.Errorf("%q", s)
	}
	if providers.Fold(" AcMe/App ") != "acme/app" {
		t.Error("names compare folded and trimmed")
	}
	if s := (&providers.Ignored{Reason: "a push"}).Error(); s != "ignored: a push" {
		t.Errorf("%q", s)
	}
}
