package targettest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// enableRepository is the Activate button: for administrators of Drone or of
// the repository, as whom Drone then replaces its webhook at the forge. Whoever
// did it last is the one whose forge token Drone clones and reads with. What is
// active already is activated anew (source: handler/api/repos/enable.go).
func (d *Drone) enableRepository(w http.ResponseWriter, r *http.Request) {
	a, ok := d.administered(w, r)
	if !ok {
		return
	}
	if err := d.replaceHook(r.Context(), a); err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	d.mu.Lock()
	repo := d.repos[a.repo.ID]
	repo.Active, repo.UserID = true, a.user.ID
	if repo.Config == "" {
		repo.Config = ".drone.yml"
	}
	if repo.Timeout == 0 {
		repo.Timeout = 60
	}
	repo.Version++
	d.repos[repo.ID] = repo
	d.enabled[repo.Slug]++
	d.mu.Unlock()
	answer(w, http.StatusOK, repo)
}

// disableRepository is the Deactivate button. The webhook stays (source:
// handler/api/repos/disable.go).
func (d *Drone) disableRepository(w http.ResponseWriter, r *http.Request) {
	a, ok := d.administered(w, r)
	if !ok {
		return
	}
	d.SetActive(a.repo.Slug, false)
	a.repo.Active = false
	answer(w, http.StatusOK, a.repo)
}

// replaceHook takes away what sends to this Drone's host, and makes it anew,
// with the user's own forge token (source: service/hook/util.go).
func (d *Drone) replaceHook(ctx context.Context, a asked) error {
	if err := d.renew(&a.user); err != nil {
		return err
	}
	root, err := url.Parse(d.URL)
	if err != nil {
		return err
	}
	path := d.opt.Forge.hooks(a.repo.Slug)
	var found []remoteHook
	if _, err := d.call(ctx, http.MethodGet, a.user.token, path, nil, &found); err != nil {
		return err
	}
	for _, h := range found {
		if u, err := url.Parse(h.target()); err == nil && u.Host == root.Host {
			if _, err := d.call(ctx, http.MethodDelete, a.user.token, path+"/"+strconv.FormatInt(h.ID, 10), nil, nil); err != nil {
				return err
			}
			break
		}
	}
	path, form := d.opt.Forge.newHook(a.repo.Slug, d.URL+"/hook")
	_, err = d.call(ctx, http.MethodPost, a.user.token, path, form, nil)
	return err
}

// remoteHook is what Drone reads of a webhook: GitLab has the address at the
// top, the others in its configuration.
type remoteHook struct {
	ID     int64  `json:"id"`
	URL    string `json:"url"`
	Config struct {
		URL string `json:"url"`
	} `json:"config"`
}

func (h remoteHook) target() string {
	if h.Config.URL != "" {
		return h.Config.URL
	}
	return h.URL
}

func (f Forge) hooks(slug string) string {
	if f == GitLab {
		return f.api() + "/projects/" + url.PathEscape(slug) + "/hooks"
	}
	return f.api() + "/repos/" + slug + "/hooks"
}

// newHook is the form in each forge's dialect (source: go-scm 1.42,
// scm/driver/*/repo.go, CreateHook).
func (f Forge) newHook(slug, target string) (path string, form any) {
	config := map[string]string{"url": target, "content_type": "json", "secret": "of-the-repository"}
	switch f {
	case GitLab:
		q := url.Values{"url": {target}, "token": {"of-the-repository"}, "push_events": {"true"}}
		return f.hooks(slug) + "?" + q.Encode(), nil
	case GitHub:
		return f.hooks(slug), map[string]any{"name": "web", "active": true, "events": []string{"push"}, "config": config}
	}
	return f.hooks(slug), map[string]any{"type": "gitea", "active": true, "events": []string{"push"}, "config": config}
}

// call is ask with a method and a body.
func (d *Drone) call(ctx context.Context, method, token, path string, form, into any) (http.Header, error) {
	d.mu.Lock()
	d.forge++
	d.mu.Unlock()
	var body bytes.Buffer
	if form != nil {
		if err := json.NewEncoder(&body).Encode(form); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(d.opt.ForgeURL, "/")+path, &body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
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
	if into == nil {
		return res.Header, nil
	}
	return res.Header, json.NewDecoder(res.Body).Decode(into)
}

// A Repository is what Drone has of one.
type Repository struct {
	Active, Protected, Trusted bool
	Visibility, Config         string
	Timeout                    int64  // minutes
	Owner                      string // as whom it builds
	Enabled                    int    // how often it was activated
}

// Repository returns what Drone has of a repository by its name, nothing if it
// has none.
func (d *Drone) Repository(slug string) Repository {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, _ := d.findRepo(func(x droneRepo) bool { return x.Slug == slug })
	return Repository{
		Active: r.Active, Protected: r.Protected, Trusted: r.Trusted, Visibility: r.Visibility, Config: r.Config,
		Timeout: r.Timeout, Owner: d.users[r.UserID].Login, Enabled: d.enabled[slug],
	}
}

// SetActive is somebody who activates or deactivates a repository by hand.
func (d *Drone) SetActive(slug string, active bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r, ok := d.findRepo(func(x droneRepo) bool { return x.Slug == slug }); ok {
		r.Active = active
		r.Version++
		d.repos[r.ID] = r
	}
}
