package targettest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// woodIdentity is whom the forge's token belongs to.
type woodIdentity struct{ id, login string }

func (p *Woodpecker) self(ctx context.Context, token string) (woodIdentity, error) {
	var me struct {
		ID       int64  `json:"id"`
		Login    string `json:"login"`
		Username string `json:"username"` // GitLab's
	}
	_, err := p.ask(ctx, token, p.opt.Forge.api()+"/user", &me)
	if me.Login == "" {
		me.Login = me.Username
	}
	return woodIdentity{text(me.ID), me.Login}, err
}

// remote lists what the forge shows the user. Gitea is asked for pages until one
// is shorter than the first, so that one short page ends the list, and answers
// that are no full page are the last (source: shared/utils/paginate.go,
// server/forge/gitea/gitea.go); GitHub's Link is followed; GitLab is asked for
// what he may develop, and once more for each project (source:
// server/forge/gitlab/gitlab.go). Archived ones are left out, on GitLab only if
// it is configured so (WOODPECKER_GITLAB_HIDE_ARCHIVES is off by default).
func (p *Woodpecker) remote(ctx context.Context, u woodUser) ([]woodRepo, error) {
	var all []woodRepo
	first := -1
	for page := 1; page > 0; {
		path, list := p.opt.Forge.woodPage(page)
		h, err := p.ask(ctx, u.token, path, list)
		if err != nil {
			return nil, err
		}
		batch := list.wood()
		for i, r := range batch {
			if p.opt.Forge == GitLab {
				if batch[i].perm, err = p.member(ctx, u, r.RemoteID); err != nil {
					return nil, err
				}
			}
			if !r.Lost {
				all = append(all, batch[i])
			}
		}
		switch {
		case p.opt.Forge == GitHub:
			page = nextPage(h.Get("Link"))
		case first < 0 && len(batch) > 0:
			first, page = len(batch), page+1
		case len(batch) == 0 || len(batch) < first:
			page = 0
		default:
			page++
		}
	}
	return all, nil
}

// one reads one repository by the forge's id.
func (p *Woodpecker) one(ctx context.Context, u woodUser, remoteID string) (woodRepo, error) {
	var r woodRepo
	switch p.opt.Forge {
	case GitLab:
		var x project
		if _, err := p.ask(ctx, u.token, p.opt.Forge.api()+"/projects/"+url.PathEscape(remoteID), &x); err != nil {
			return r, err
		}
		r = x.wood()
		var err error
		r.perm, err = p.member(ctx, u, remoteID)
		return r, err
	}
	var x ownedRepo
	_, err := p.ask(ctx, u.token, p.opt.Forge.api()+"/repositories/"+url.PathEscape(remoteID), &x)
	return x.wood(), err
}

// member is GitLab's level of a user on a project.
func (p *Woodpecker) member(ctx context.Context, u woodUser, project string) (woodPerm, error) {
	var m struct {
		Level int `json:"access_level"`
	}
	_, err := p.ask(ctx, u.token, p.opt.Forge.api()+"/projects/"+project+"/members/all/"+u.RemoteID, &m)
	return woodPerm{Pull: true, Push: m.Level >= 30, Admin: m.Level >= 40}, err
}

// ask sends one request to the forge, and passes errors on in words of the
// forge's client: those of Gitea's were measured.
func (p *Woodpecker) ask(ctx context.Context, token, path string, into any) (http.Header, error) {
	p.mu.Lock()
	p.forge++
	p.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(p.opt.ForgeURL, "/")+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := p.opt.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusUnauthorized && p.opt.Forge != GitHub && p.opt.Forge != GitLab:
		return nil, errors.New("invalid username, password or token")
	case res.StatusCode/100 != 2:
		return nil, fmt.Errorf("GET %s: %d %s", req.URL, res.StatusCode, http.StatusText(res.StatusCode))
	}
	return res.Header, json.NewDecoder(res.Body).Decode(into)
}

// woodListing is one page of a forge's answer, to be decoded into.
type woodListing interface{ wood() []woodRepo }

func (f Forge) woodPage(n int) (path string, into woodListing) {
	q := url.Values{"page": {strconv.Itoa(n)}}
	switch f {
	case GitHub:
		q.Set("per_page", "100")
		return f.api() + "/user/repos?" + q.Encode(), &ownedList{}
	case GitLab:
		q.Set("per_page", "50")
		q.Set("min_access_level", "30")
		return f.api() + "/projects?" + q.Encode(), &projectList{}
	}
	q.Set("limit", "50")
	return f.api() + "/user/repos?" + q.Encode(), &ownedList{}
}

func (l *ownedList) wood() []woodRepo {
	out := make([]woodRepo, 0, len(*l))
	for _, r := range *l {
		out = append(out, r.wood())
	}
	return out
}

func (l *projectList) wood() []woodRepo {
	out := make([]woodRepo, 0, len(*l))
	for i := range *l {
		out = append(out, (*l)[i].wood())
	}
	return out
}

// wood is the repository in Woodpecker's words; Lost marks an archived one,
// which no list of the forge's is to have.
func (r ownedRepo) wood() woodRepo {
	d := r.drone()
	return woodRepo{
		RemoteID: d.UID, Owner: d.Namespace, Name: d.Name, Path: d.Slug, ForgeURL: d.Link, Branch: d.Branch, Private: d.Private, Lost: d.Archived,
		perm: woodPerm{Pull: r.Permissions.Pull, Push: r.Permissions.Push, Admin: r.Permissions.Admin},
	}
}

func (p *project) wood() woodRepo {
	list := projectList{*p}
	d := list.repos()[0]
	return woodRepo{
		RemoteID: d.UID, Owner: d.Namespace, Name: d.Name, Path: d.Slug, ForgeURL: d.Link, Branch: d.Branch,
		Visibility: d.Visibility, Private: d.Private,
	}
}
