package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"strconv"
	"time"
)

//go:embed assets
var assets embed.FS

// group hands a part of the page to a template together with the page, whose
// session and rights its forms need.
type group struct {
	Page overview
	Part any
}

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"group": func(page overview, part any) group { return group{page, part} },
}).ParseFS(assets, "assets/*.html"))

// links are the addresses of what the page loads. They change with the
// content, so that browsers may keep it for ever.
type links struct{ Style, Icon, Script string }

func newLinks() links {
	address := func(name string) string {
		b, err := assets.ReadFile("assets/" + name)
		if err != nil {
			panic(err) // it is embedded
		}
		sum := sha256.Sum256(b)
		return "/dashboard/" + name + "?v=" + hex.EncodeToString(sum[:6])
	}
	return links{Style: address("style.css"), Icon: address("favicon.svg"), Script: address("live.js")}
}

func (p *page) style(w http.ResponseWriter, r *http.Request) {
	p.asset(w, r, "style.css", "text/css; charset=utf-8")
}

func (p *page) favicon(w http.ResponseWriter, r *http.Request) {
	p.asset(w, r, "favicon.svg", "image/svg+xml")
}

func (p *page) asset(w http.ResponseWriter, r *http.Request, name, mediaType string) {
	b, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Cache-Control", "public, max-age=86400")
	if r.URL.Query().Has("v") {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}

// render answers with a whole page or, where that is not to be had, with none.
func (p *page) render(w http.ResponseWriter, status int, name string, v any) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, v); err != nil {
		p.Log.Error("the page could not be rendered", "template", name, "err", err)
		http.Error(w, "see the log of hookd", http.StatusInternalServerError)
		return
	}
	body := printable(b.Bytes())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // a browser that went away is nobody's error
}

// message is what the small pages say.
type message struct {
	links
	Every string
	Title string
	Text  string
}

// refuse answers with a page that says why.
func (p *page) refuse(w http.ResponseWriter, status int, text string) {
	p.render(w, status, "refusal", message{links: p.links, Title: http.StatusText(status), Text: text})
}

// ask answers with the form to sign in.
func (p *page) ask(w http.ResponseWriter, status int, text string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="hookd"`)
	}
	p.render(w, status, "sign-in", message{links: p.links, Title: "Sign in", Text: text})
}
