package providerstest

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// GitLabOptions shape a simulated GitLab. The zero value is a usable one.
type GitLabOptions struct {
	Addr            string           // where to listen, "127.0.0.1:0" by default
	Path            string           // of an installation below a path, "/gitlab"; "" for none
	Admin           string           // login of the administrator, "root" by default
	AdminToken      string           // his token, a random one by default
	TokenExpires    *string          // the date on which tokens expire, nil for never
	MaxItems        int              // the most items of one page, 100 by default
	CountLimit      int              // lists longer than this are not counted, 10,000 by default
	RateLimit       int              // calls a minute for each token, 0 for no limit
	DeliverTimeout  time.Duration    // of one webhook delivery, 10 s by default
	Free            bool             // without Premium: groups have no hooks
	GroupHooks      int              // how many hooks a group may have, 50 by default
	NoSigningTokens bool             // webhook_signing_token is off
	DeleteLag       time.Duration    // how long a project is still served after its deletion was announced
	HideNew         int              // how many reads by id of a new project answer 404
	AutoDisable     bool             // hooks that fail are switched off for a while, as on gitlab.com
	LogNoTimes      bool             // the logs of hooks do not tell when, as before created_at was among their fields
	LogLimit        int              // payloads larger than this are not logged, 5 MiB by default
	Now             func() time.Time // time.Now by default
}

// GitLab is a simulated GitLab 18: the part of its API that hookd and CI
// servers use, over HTTP on the loopback interface, its system hooks and the
// hooks of groups. It is safe for concurrent use.
//
// Its rules were read in GitLab's source and documentation; comments name the
// file (app/…, lib/…) where one decides.
type GitLab struct {
	opt    GitLabOptions
	url    string
	server *http.Server
	stop   context.CancelFunc
	done   <-chan struct{}
	wg     sync.WaitGroup

	mu       sync.RWMutex // guards the world below
	version  uint64       // of the world, for caches
	lastID   map[string]int64
	users    map[int64]*glUser
	byLogin  map[string]*glUser // folded
	tokens   map[string]*glUser
	groups   map[int64]*glGroup
	projects map[int64]*glProject
	byPath   map[string]any    // folded full path -> *glGroup, *glProject
	movedTo  map[string]any    // folded old full path of a group or project
	crews    map[string]glCrew // teams, as CreateTeam knows them
	hooks    map[int64]*glHook
	rules    glRules

	callsMu sync.Mutex
	calls   map[string]int
	callsBy map[string]int
	window  map[string]*glWindow // rate limits, by token

	faults

	sender *glSender
}

// StartGitLab starts a simulated GitLab. Close ends it.
func StartGitLab(opt GitLabOptions) (*GitLab, error) {
	if opt.Addr == "" {
		opt.Addr = "127.0.0.1:0"
	}
	if opt.Admin == "" {
		opt.Admin = "root"
	}
	if opt.CountLimit == 0 {
		opt.CountLimit = 10_000
	}
	if opt.GroupHooks == 0 {
		opt.GroupHooks = 50
	}
	if opt.DeliverTimeout == 0 {
		opt.DeliverTimeout = 10 * time.Second
	}
	if opt.LogLimit == 0 {
		opt.LogLimit = 5 << 20
	}
	if opt.MaxItems == 0 {
		opt.MaxItems = 100
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	opt.Path = strings.TrimRight(opt.Path, "/")
	l, err := net.Listen("tcp", opt.Addr)
	if err != nil {
		return nil, fmt.Errorf("providerstest: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	g := &GitLab{
		opt: opt, url: "http://" + l.Addr().String() + opt.Path, stop: stop, done: ctx.Done(),
		lastID: map[string]int64{}, users: map[int64]*glUser{}, byLogin: map[string]*glUser{},
		tokens: map[string]*glUser{}, groups: map[int64]*glGroup{}, projects: map[int64]*glProject{},
		byPath: map[string]any{}, movedTo: map[string]any{}, crews: map[string]glCrew{}, hooks: map[int64]*glHook{},
		calls: map[string]int{}, callsBy: map[string]int{}, window: map[string]*glWindow{},
	}
	g.sender = newGLSender(opt.DeliverTimeout, opt.Now, g.url)
	g.sender.autoDisable = opt.AutoDisable
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
// is lost.
func (g *GitLab) Close() {
	g.stop()
	g.server.Close()
	g.wg.Wait()
}

// URL is the web root.
func (g *GitLab) URL() string { return g.url }

// AdminToken is the token of the administrator, who may use Sudo.
func (g *GitLab) AdminToken() string { return g.Token(g.opt.Admin) }

// Token returns the user's own API token, "" for nobody.
func (g *GitLab) Token(login string) string {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if u := g.byLogin[fold(login)]; u != nil {
		return u.token
	}
	return ""
}

// Calls returns how often each endpoint was asked since the last ResetCalls,
// by its pattern ("GET /projects/{id}/members/all"). Refused and faulty
// answers count.
func (g *GitLab) Calls() map[string]int {
	g.callsMu.Lock()
	defer g.callsMu.Unlock()
	return maps.Clone(g.calls)
}

// CallsBy returns how many calls came with the user's own token. Those of an
// administrator with Sudo are the administrator's.
func (g *GitLab) CallsBy(login string) int {
	g.callsMu.Lock()
	defer g.callsMu.Unlock()
	return g.callsBy[fold(login)]
}

// ResetCalls sets all counters to zero.
func (g *GitLab) ResetCalls() {
	g.callsMu.Lock()
	defer g.callsMu.Unlock()
	clear(g.calls)
	clear(g.callsBy)
}

func (g *GitLab) count(endpoint string, by *glUser) {
	g.callsMu.Lock()
	defer g.callsMu.Unlock()
	g.calls[endpoint]++
	if by != nil {
		g.callsBy[fold(by.login)]++
	}
}

func (g *GitLab) next(kind string) int64 {
	g.lastID[kind]++
	return g.lastID[kind]
}
