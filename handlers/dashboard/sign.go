package dashboard

import (
	"net/http"
	"net/url"
	"strings"
)

// hostOnly makes a browser refuse the cookie unless it is Secure and this
// host's own.
const hostOnly = "__Host-"

// cookieName holds the port: browsers share cookies between the ports of one
// host, and two hookds side by side would sign each other's people out.
func cookieName(r *http.Request) string {
	u := url.URL{Host: r.Host}
	if port := u.Port(); port != "" {
		return "hookd-" + port
	}
	return "hookd"
}

// secure reports whether the browser came by HTTPS: to this process, or to a
// proxy before it, which the browser's own Origin tells. public_url decides
// only where it is the address that was asked: it belongs to the other
// listener, and a Secure cookie would keep everybody out who comes by HTTP.
func (p *page) secure(r *http.Request) bool {
	public, err := url.Parse(p.PublicURL)
	return r.TLS != nil || strings.HasPrefix(r.Header.Get("Origin"), "https://") ||
		err == nil && public.Scheme == "https" && strings.EqualFold(public.Host, r.Host)
}

// A visitor is who sent a request, with his session.
type visitor struct {
	session
	cookie string
	name   string
	role   string
	acts   bool // may change things
}

// visitor finds the session of a request. A session whose token is not what it
// was ends here.
func (p *page) visitor(r *http.Request) (visitor, bool) {
	for _, name := range []string{hostOnly + cookieName(r), cookieName(r)} {
		c, err := r.Cookie(name)
		if err != nil {
			continue
		}
		// A page that loads itself again is nobody's doing.
		active := r.Method == http.MethodPost || r.URL.Query().Get("every") == "" && r.URL.Path != "/dashboard/events"
		s, ok := p.sessions.find(c.Value, p.Now(), active)
		if !ok {
			continue
		}
		v := visitor{session: s, cookie: c.Value}
		if v.name, v.role, v.acts, ok = p.Gate.Look(s.pass); ok {
			return v, true
		}
		p.sessions.end(c.Value)
	}
	return visitor{}, false
}

// signIn opens a session for whoever knows a token. The one he had ends.
func (p *page) signIn(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.refuse(w, http.StatusBadRequest, "The form could not be read.")
		return
	}
	pass, ok := p.Gate.Enter(strings.TrimSpace(r.PostForm.Get("token")))
	if !ok {
		// Only refusals are counted, so that nobody locks operators out from
		// behind the same proxy.
		if p.refusals.over(remote(r), p.Now()) {
			w.Header().Set("Retry-After", "60")
			p.ask(w, http.StatusTooManyRequests, "Too many tokens were refused. Try again in a minute.")
			return
		}
		p.Log.Warn("admin token refused", "method", r.Method, "path", r.URL.Path, "remote", r.RemoteAddr)
		p.ask(w, http.StatusUnauthorized, "No such token.")
		return
	}
	if old, ok := p.visitor(r); ok {
		p.sessions.end(old.cookie)
	}
	name, role, _, _ := p.Gate.Look(pass)
	p.audit(r, visitor{name: name, role: role})
	p.setCookie(w, r, p.sessions.begin(pass, p.Now()), 0)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (p *page) signOut(w http.ResponseWriter, r *http.Request, v visitor) {
	p.audit(r, v)
	p.sessions.end(v.cookie)
	p.setCookie(w, r, "", -1)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// setCookie has no age of its own, since sessions end here and with the
// browser; -1 takes it away.
func (p *page) setCookie(w http.ResponseWriter, r *http.Request, value string, age int) {
	c := &http.Cookie{
		Name: cookieName(r), Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: p.secure(r),
	}
	if c.Secure {
		c.Name = hostOnly + c.Name
	}
	http.SetCookie(w, c)
}
