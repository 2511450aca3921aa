package handlers

import (
	"net/http"
)

type statusView struct {
	Status string      `json:"status"`
	Checks []checkView `json:"checks,omitempty"`
}

type checkView struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// livez says that the process answers; it looks at nothing, so that a full
// disk does not make an orchestrator kill what drains.
func livez(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, statusView{Status: "live"})
}

// readyz says whether deliveries can be taken and worked on. Unready answers
// always name what is wrong.
func (s *api) readyz(w http.ResponseWriter, r *http.Request) {
	var checks []checkView
	ready := true
	for _, c := range s.Ready(r.Context()) {
		v := checkView{Name: c.Name, OK: c.Err == nil}
		if c.Err != nil {
			v.Error, ready = c.Err.Error(), false
		}
		checks = append(checks, v)
	}
	if !ready {
		p := newProblem(http.StatusServiceUnavailable, "not ready")
		p.Checks = checks
		later(w, retryAfter)
		p.write(w)
		return
	}
	if !r.URL.Query().Has("verbose") {
		checks = nil
	}
	writeJSON(w, http.StatusOK, statusView{Status: "ready", Checks: checks})
}

func (s *api) version(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.Build)
}

func (s *api) listProviders(w http.ResponseWriter, r *http.Request) {
	items := s.Desk.Providers(r.Context())
	for i := range items {
		if items[i].Orgs == nil {
			items[i].Orgs = []string{}
		}
		if items[i].DeliveryLogs == nil {
			items[i].DeliveryLogs = []LogState{}
		}
	}
	writePageOf(w, r, s.Log, items)
}

func (s *api) listTargets(w http.ResponseWriter, r *http.Request) {
	items := s.Desk.Targets(r.Context())
	for i := range items {
		if items[i].Credentials == nil {
			items[i].Credentials = map[string]int{}
		}
	}
	writePageOf(w, r, s.Log, items)
}
