package gitlab

import (
	"strconv"
	"strings"

	hooks "github.com/go-playground/webhooks/v6/gitlab"
	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

// facts leaves out what is not said, so that a policy can test for presence.
type facts map[string]string

func (f facts) add(name, value string) {
	if value != "" {
		f[name] = value
	}
}

// event adds what Parse knows of every event.
func (f facts) event(e providers.Event) {
	if e.Repo != nil {
		f.add("repository", e.Repo.Path)
		f.add("visibility", string(e.Repo.Visibility))
	}
	if e.Team != nil {
		f.add("group", e.Team.Name)
	} else if e.Repo == nil {
		f.add("group", e.Org.Name)
	}
	if e.User != nil {
		f.add("user", e.User.Login)
	}
	f.add("from", e.From)
}

// typed adds what only a typed payload tells: names, owners, roles.
func (f facts) typed(p any) {
	switch p := p.(type) {
	case hooks.ProjectCreatedEventPayload:
		f.project(p.Name, p.OwnerName, p.Owners)
	case hooks.ProjectDestroyedEventPayload:
		f.project(p.Name, p.OwnerName, p.Owners)
	case hooks.ProjectRenamedEventPayload:
		f.project(p.Name, p.OwnerName, p.Owners)
	case hooks.ProjectTransferredEventPayload:
		f.project(p.Name, p.OwnerName, p.Owners)
	case hooks.ProjectUpdatedEventPayload:
		f.project(p.Name, p.OwnerName, p.Owners)
	case hooks.TeamMemberAddedEventPayload:
		f.member(p.UserName, p.AccessLevel)
	case hooks.TeamMemberUpdatedEventPayload:
		f.member(p.UserName, p.AccessLevel)
	case hooks.TeamMemberRemovedEventPayload:
		f.member(p.UserName, p.AccessLevel)
	case hooks.GroupMemberAddedEventPayload:
		f.member(p.UserName, p.GroupAccess)
	case hooks.GroupMemberUpdatedEventPayload:
		f.member(p.UserName, p.GroupAccess)
	case hooks.GroupMemberRemovedEventPayload:
		f.member(p.UserName, p.GroupAccess)
	case hooks.GroupCreatedEventPayload:
		f.add("name", p.Name)
	case hooks.GroupRemovedEventPayload:
		f.add("name", p.Name)
	case hooks.GroupRenamedEventPayload:
		f.add("name", p.Name)
	case hooks.UserCreatedEventPayload:
		f.add("name", p.Name)
	case hooks.UserRemovedEventPayload:
		f.add("name", p.Name)
	case hooks.UserRenamedEventPayload:
		f.add("name", p.Name)
	case hooks.UserFailedLoginEventPayload:
		f.add("name", p.Name)
		f.add("state", p.State)
	case hooks.KeyAddedEventPayload:
		f.add("user", p.Username)
	case hooks.KeyRemovedEventPayload:
		f.add("user", p.Username)
	case hooks.PushEventPayload:
		f.add("ref", p.Ref)
		f.add("sender", p.UserUsername)
	case hooks.TagEventPayload:
		f.add("ref", p.Ref)
		f.add("sender", p.UserUsername)
	case hooks.MergeRequestEventPayload:
		f.add("ref", p.ObjectAttributes.SourceBranch)
		f.add("title", p.ObjectAttributes.Title)
	case *sdk.SubGroupEvent:
		f.add("name", p.Name)
		f.add("parent", p.ParentFullPath)
	case *sdk.RepositoryUpdateSystemEvent:
		f.add("sender", p.UserName)
		f.add("changes", strconv.Itoa(len(p.Changes)))
	}
}

func (f facts) project(name, owner string, owners []hooks.Author) {
	f.add("name", name)
	names := make([]string, 0, len(owners))
	for _, o := range owners {
		names = append(names, o.Name)
	}
	if len(names) == 0 && owner != "" {
		names = append(names, owner)
	}
	f.add("owners", strings.Join(names, ", "))
}

func (f facts) member(name, role string) {
	f.add("name", name)
	f.add("role", role)
}

// summary is one line: what happened to what, for whom.
func (f facts) summary(e providers.Event) string {
	s := e.Name
	for _, what := range []string{"repository", "group"} {
		if f[what] != "" {
			s += " " + f[what]
		}
	}
	if f["from"] != "" {
		s += " (was " + f["from"] + ")"
	}
	if f["user"] != "" {
		s += ": " + f["user"]
		if f["role"] != "" {
			s += " as " + f["role"]
		}
	}
	return s
}
