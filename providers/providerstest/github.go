package providerstest

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"
)

// GitHubOptions shape a simulated GitHub. The zero value is a usable one.
type GitHubOptions struct {
	Addr           string           // where to listen, "127.0.0.1:0" by default
	Admin          string           // login of the user who owns every organization, "gitadmin" by default
	AdminToken     string           // his token, a random one by default
	MaxItems       int              // the most items of one page, 100 by default
	RateLimit      int              // requests per token and hour, 15,000 by default as for an Enterprise; negative for none
	DeliverTimeout time.Duration    // of one webhook delivery, 10 s by default
	HideNew        int              // how many reads of a new repository answer 404
	HooksPerEvent  int              // how many webhooks of an owner may hear one event, 250 by default
	NoGraphQL      bool             // without the GraphQL API
	LogKept        time.Duration    // how far back the logs of deliveries go, seven days by default as of an Enterprise Server
	LogReencodes   bool             // the logs show payloads in other bytes than were signed
	Now            func() time.Time // time.Now by default
}

// GitHub is a simulated GitHub Enterprise Server: the part of its APIs that
// hookd and CI servers use, over HTTP on the loopback interface, and its
// webhooks. It is safe for concurrent use. Changes of the world are announced
// as GitHub announces them.
type GitHub struct {
	opt    GitHubOptions
	url    string
	server *http.Server
	stop   context.CancelFunc
	done   <-chan struct{}
	wg     sync.WaitGroup
	seed   maphash.Seed // of ETags

	mu       sync.RWMutex // guards the world below
	version  uint64       // of the world, for caches
	lastID   map[string]int64
	accounts map[int64]*ghAccount
	byLogin  map[string]*ghAccount // folded
	tokens   map[string]*ghAccount
	apps     map[int64]*ghApp // by installation
	appKeys  map[int64]*ghAppKey
	teams    map[int64]*ghTeam
	repos    map[int64]*ghRepo
	byPath   map[string]*ghRepo // folded
	movedTo  map[string]int64   // folded old path -> repository
	hooks    map[int64]*ghHook
	scopes   map[*ghAccount][]string // of a user's token; without an entry it has all
	cache    ghListCache

	callsMu sync.Mutex
	calls   map[string]int
	callsBy map[string]int
	spent   map[ghMeter]*ghBudget

	faults

	sender *ghSender
}

// StartGitHub starts a simulated GitHub. Close ends it.
func StartGitHub(opt GitHubOptions) (*GitHub, error) {
	if opt.Addr == "" {
		opt.Addr = "127.0.0.1:0"
	}
	if opt.Admin == "" {
		opt.Admin = "gitadmin"
	}
	if opt.RateLimit == 0 {
		opt.RateLimit = 15000
	}
	if opt.HooksPerEvent == 0 {
		opt.HooksPerEvent = 250
	}
	if opt.DeliverTimeout == 0 {
		opt.DeliverTimeout = 10 * time.Second
	}
	if opt.LogKept == 0 {
		opt.LogKept = 7 * 24 * time.Hour // github/docs data/variables/webhooks.yml: 3 on github.com, else 7
	}
	if opt.MaxItems == 0 {
		opt.MaxItems = 100
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	l, err := net.Listen("tcp", opt.Addr)
	if err != nil {
		return nil, fmt.Errorf("providerstest: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	g := &GitHub{
		opt: opt, url: "http://" + l.Addr().String(), stop: stop, done: ctx.Done(), seed: maphash.MakeSeed(),
		lastID: map[string]int64{}, accounts: map[int64]*ghAccount{}, byLogin: map[string]*ghAccount{},
		tokens: map[string]*ghAccount{}, apps: map[int64]*ghApp{}, appKeys: map[int64]*ghAppKey{}, teams: map[int64]*ghTeam{},
		repos: map[int64]*ghRepo{}, byPath: map[string]*ghRepo{}, movedTo: map[string]int64{}, hooks: map[int64]*ghHook{}, scopes: map[*ghAccount][]string{},
		calls: map[string]int{}, callsBy: map[string]int{}, spent: map[ghMeter]*ghBudget{},
	}
	g.sender = newGHSender(ctx, opt.DeliverTimeout, opt.Now)
	if _, err := g.createUser(opt.Admin, opt.AdminToken); err != nil {
		stop()
		l.Close()
		return nil, err
	}
	g.server = &http.Server{Handler: g.routes(), ReadHeaderTimeout: 10 * time.Second}
	g.wg.Go(func() { g.server.Serve(l) })
	return g, nil
}

// Close ends the server and whatever is being delivered.
func (g *GitHub) Close() {
	g.stop()
	g.server.Close()
	g.sender.wg.Wait()
	g.wg.Wait()
}

// URL is the web root.
func (g *GitHub) URL() string { return g.url }

// AdminToken is the token of the user who owns every organization.
func (g *GitHub) AdminToken() string { return g.Token(g.opt.Admin) }

// Token returns the user's own token, "" for nobody.
func (g *GitHub) Token(login string) string {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if a := g.byLogin[fold(login)]; a != nil {
		return a.token
	}
	return ""
}

// Calls returns how often each endpoint was asked since the last ResetCalls, by
// its pattern ("GET /repos/{owner}/{repo}/collaborators"). 304s, refused and
// faulty answers count.
func (g *GitHub) Calls() map[string]int {
	g.callsMu.Lock()
	defer g.callsMu.Unlock()
	return maps.Clone(g.calls)
}

// CallsBy returns how many calls came with the user's own token.
func (g *GitHub) CallsBy(login string) int {
	g.callsMu.Lock()
	defer g.callsMu.Unlock()
	return g.callsBy[fold(login)]
}

// ResetCalls sets all counters to zero. What was spent of the rate limit stays
// spent.
func (g *GitHub) ResetCalls() {
	g.callsMu.Lock()
	defer g.callsMu.Unlock()
	clear(g.calls)
	clear(g.callsBy)
}

func (g *GitHub) count(endpoint string, by *ghAccount) {
	g.callsMu.Lock()
	defer g.callsMu.Unlock()
	g.calls[endpoint]++
	if by != nil {
		g.callsBy[fold(by.login)]++
	}
}

// ghMeter is what an account is counted by: GraphQL's points have a limit of
// their own (docs.github.com: rate limits and query limits for the GraphQL API).
type ghMeter struct {
	by       *ghAccount
	resource string
}

// ghBudget is what a token spent in its hour.
type ghBudget struct {
	used  int
	reset time.Time
}

// spend counts one request unless it is free, and returns what was used of the
// present hour; over tells that the limit was exceeded before.
func (g *GitHub) spend(by ghMeter, free bool) (b ghBudget, over bool) {
	g.callsMu.Lock()
	defer g.callsMu.Unlock()
	s := g.spent[by]
	if now := g.opt.Now(); s == nil || !now.Before(s.reset) {
		s = &ghBudget{reset: now.Add(time.Hour)}
		g.spent[by] = s
	}
	if g.opt.RateLimit > 0 && s.used >= g.opt.RateLimit && !free {
		return *s, true
	}
	if !free {
		s.used++
	}
	return *s, false
}
