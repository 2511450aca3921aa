package providerstest

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"
)

// GiteaOptions shape a simulated Gitea. The zero value is a usable one.
type GiteaOptions struct {
	Addr           string           // where to listen, "127.0.0.1:0" by default
	Admin          string           // login of the site administrator, "gitadmin" by default
	AdminToken     string           // his token, a random one by default
	RootURL        string           // what links are made of (ROOT_URL), the listener's address by default
	MaxItems       int              // MAX_RESPONSE_ITEMS, 50 by default
	DeliverTimeout time.Duration    // of one webhook delivery, 5 s by default
	DeleteLag      time.Duration    // how long a repository is still served after its deletion was announced
	HideNew        int              // how many reads by id of a new repository answer 404
	Now            func() time.Time // time.Now by default
}

// Gitea is a simulated Gitea 1.25.4: the part of its API that hookd and CI
// servers use, over HTTP on the loopback interface, and its webhooks. It is
// safe for concurrent use.
type Gitea struct {
	opt    GiteaOptions
	url    string
	server *http.Server
	stop   context.CancelFunc
	done   <-chan struct{}
	wg     sync.WaitGroup

	mu       sync.RWMutex // guards the world below
	version  uint64       // of the world, for caches
	lastID   map[string]int64
	accounts map[int64]*account
	byLogin  map[string]*account // folded
	tokens   map[string]*account
	teams    map[int64]*team
	repos    map[int64]*repo
	byPath   map[string]*repo // folded
	movedTo  map[string]int64 // folded old path -> repository
	movedBy  map[string]int64 // folded old owner name -> account
	hooks    map[int64]*hook
	feed     []*activity
	cache    listCache

	callsMu sync.Mutex
	calls   map[string]int
	callsBy map[string]int

	faults

	sender *sender
}

// StartGitea starts a simulated Gitea. Close ends it.
func StartGitea(opt GiteaOptions) (*Gitea, error) {
	if opt.Addr == "" {
		opt.Addr = "127.0.0.1:0"
	}
	if opt.Admin == "" {
		opt.Admin = "gitadmin"
	}
	if opt.MaxItems == 0 {
		opt.MaxItems = 50
	}
	if opt.DeliverTimeout == 0 {
		opt.DeliverTimeout = 5 * time.Second
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	l, err := net.Listen("tcp", opt.Addr)
	if err != nil {
		return nil, fmt.Errorf("providerstest: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	g := &Gitea{
		opt: opt, url: "http://" + l.Addr().String(), stop: stop, done: ctx.Done(),
		lastID: map[string]int64{}, accounts: map[int64]*account{}, byLogin: map[string]*account{},
		tokens: map[string]*account{}, teams: map[int64]*team{}, repos: map[int64]*repo{},
		byPath: map[string]*repo{}, movedTo: map[string]int64{}, movedBy: map[string]int64{},
		hooks: map[int64]*hook{}, calls: map[string]int{}, callsBy: map[string]int{},
	}
	if g.opt.RootURL == "" {
		g.opt.RootURL = g.url
	}
	g.sender = newSender(opt.DeliverTimeout)
	if _, err := g.createUser(opt.Admin, opt.AdminToken, true); err != nil {
		l.Close()
		return nil, err
	}
	g.server = &http.Server{Handler: g.routes(), ReadHeaderTimeout: 10 * time.Second}
	g.wg.Go(func() { g.server.Serve(l) })
	g.wg.Go(func() { g.sender.run(ctx) })
	return g, nil
}

// Close ends the server and the worker that delivers webhooks; what is queued
// is lost, as it is when Gitea is killed.
func (g *Gitea) Close() {
	g.stop()
	g.server.Close()
	g.wg.Wait()
}

// URL is the web root.
func (g *Gitea) URL() string { return g.url }

// AdminToken is the token of the site administrator, who may use Sudo.
func (g *Gitea) AdminToken() string { return g.Token(g.opt.Admin) }

// Token returns the user's own API token, "" for nobody.
func (g *Gitea) Token(login string) string {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if a := g.byLogin[fold(login)]; a != nil {
		return a.token
	}
	return ""
}

// Calls returns how often each endpoint was asked since the last ResetCalls,
// by its pattern ("GET /repos/{owner}/{repo}/teams"). Refused and faulty
// answers count.
func (g *Gitea) Calls() map[string]int {
	g.callsMu.Lock()
	defer g.callsMu.Unlock()
	return maps.Clone(g.calls)
}

// CallsBy returns how many calls came with the user's own token. Those of an
// administrator with Sudo are the administrator's.
func (g *Gitea) CallsBy(login string) int {
	g.callsMu.Lock()
	defer g.callsMu.Unlock()
	return g.callsBy[fold(login)]
}

// ResetCalls sets all counters to zero.
func (g *Gitea) ResetCalls() {
	g.callsMu.Lock()
	defer g.callsMu.Unlock()
	clear(g.calls)
	clear(g.callsBy)
}

func (g *Gitea) count(endpoint string, by *account) {
	g.callsMu.Lock()
	defer g.callsMu.Unlock()
	g.calls[endpoint]++
	if by != nil {
		g.callsBy[fold(by.login)]++
	}
}
