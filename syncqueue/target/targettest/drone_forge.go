package targettest

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// remote lists what the forge shows the user, page by page, as long as the
// forge announces a next one: without a Link header the first page is all
// (measured). Any status over 300, and what is no JSON list, ends it.
func (d *Drone) remote(ctx context.Context, u *droneUser) ([]droneRepo, error) {
	if err := d.renew(u); err != nil {
		return nil, err
	}
	all := []droneRepo{}
	for page := 0; ; {
		path, list := d.opt.Forge.page(page)
		h, err := d.ask(ctx, u.token, path, list)
		if err != nil {
			return nil, err
		}
		all = append(all, list.repos()...)
		if page = nextPage(h.Get("Link")); page == 0 {
			return all, nil
		}
	}
}

// ask sends one request to the forge. An error of the forge is passed on as its
// status text alone (source: scm/driver/gitea/gitea.go; measured: "Forbidden").
func (d *Drone) ask(ctx context.Context, token, path string, into any) (http.Header, error) {
	return d.call(ctx, http.MethodGet, token, path, nil, into)
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
