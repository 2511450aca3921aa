package targettest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// giteaRepo is what Drone reads of a repository (source: go-scm 1.42,
// scm/driver/gitea/repo.go).
type giteaRepo struct {
	ID    int64 `json:"id"`
	Owner struct {
		Login    string `json:"login"`
		Username string `json:"username"`
	} `json:"owner"`
	Name        string `json:"name"`
	Private     bool   `json:"private"`
	Archived    bool   `json:"archived"`
	Branch      string `json:"default_branch"`
	CloneURL    string `json:"clone_url"`
	SSHURL      string `json:"ssh_url"`
	HTMLURL     string `json:"html_url"`
	Permissions struct {
		Admin bool `json:"admin"`
		Push  bool `json:"push"`
		Pull  bool `json:"pull"`
	} `json:"permissions"`
}

// remote lists what the forge shows the user, page by page, as long as the
// forge announces a next one: without a Link header the first page is all
// (measured). Any status over 300, and what is no JSON list, ends it.
func (d *Drone) remote(ctx context.Context, u *droneUser) ([]droneRepo, error) {
	if err := d.renew(u); err != nil {
		return nil, err
	}
	all := []droneRepo{}
	for page := 0; ; {
		q := url.Values{"limit": {"100"}}
		if page > 0 {
			q.Set("page", strconv.Itoa(page))
		}
		var list []giteaRepo
		h, err := d.ask(ctx, u.token, "/api/v1/user/repos?"+q.Encode(), &list)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			all = append(all, convert(r))
		}
		if page = nextPage(h.Get("Link")); page == 0 {
			return all, nil
		}
	}
}

// ask sends one request to the forge. An error of the forge is passed on as its
// status text alone (source: scm/driver/gitea/gitea.go; measured: "Forbidden").
func (d *Drone) ask(ctx context.Context, token, path string, into any) (http.Header, error) {
	d.mu.Lock()
	d.forge++
	d.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(d.opt.ForgeURL, "/")+path, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := d.opt.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode > http.StatusMultipleChoices {
		return nil, errors.New(http.StatusText(res.StatusCode))
	}
	return res.Header, json.NewDecoder(res.Body).Decode(into)
}

func convert(r giteaRepo) droneRepo {
	owner := r.Owner.Login
	if owner == "" {
		owner = r.Owner.Username
	}
	visibility := "public"
	if r.Private {
		visibility = "private"
	}
	return droneRepo{
		UID: strconv.FormatInt(r.ID, 10), Namespace: owner, Name: r.Name, Slug: owner + "/" + r.Name,
		HTTPURL: r.CloneURL, SSHURL: r.SSHURL, Link: r.HTMLURL, Branch: r.Branch,
		Private: r.Private, Visibility: visibility, Archived: r.Archived,
	}
}

// nextPage takes the number, never the address, out of rel="next" (source:
// go-scm, scm/client.go populatePageValues).
func nextPage(link string) int {
	for _, l := range strings.Split(link, ",") {
		parts := strings.Split(strings.TrimSpace(l), ";")
		if len(parts) < 2 || strings.TrimSpace(parts[1]) != `rel="next"` {
			continue
		}
		u, err := url.Parse(strings.Trim(parts[0], "<>"))
		if err != nil {
			continue
		}
		if n, err := strconv.Atoi(u.Query().Get("page")); err == nil {
			return n
		}
	}
	return 0
}
