package dashboard

import "net/http"

// live is the pace of a page that loads itself when something happened.
const live = "live"

// livePolicy lets a page that loads itself run this page's own script, which
// reads nothing but the page and its events.
const livePolicy = policy + "; script-src 'self'; connect-src 'self'"

func (p *page) script(w http.ResponseWriter, r *http.Request) {
	p.asset(w, r, "live.js", "text/javascript; charset=utf-8")
}

// events tells the script when something happened, as long as the session
// lasts.
func (p *page) events(w http.ResponseWriter, r *http.Request) {
	still := func() bool {
		_, ok := p.visitor(r)
		return ok
	}
	switch {
	case p.Events == nil:
		p.refuse(w, http.StatusNotFound, "This hookd tells no events.")
	case !still():
		p.ask(w, http.StatusUnauthorized, "")
	default:
		p.Events(w, r, still)
	}
}
