package providers

import (
	"context"
	"sync"
	"time"
)

// A Budget is what one token may still ask of its forge, as far as the forge
// tells. Everybody who asks with the token shares it: an answer that was paid
// for is counted whoever asked. It is safe for concurrent use, never blocks, and
// allows everything where a forge has no limit.
//
// A forge may count kinds of request apart (GitHub does so with GraphQL); each
// is a resource, and the one without a name is what nearly everything counts
// against.
type Budget struct {
	now func() time.Time

	mu      sync.Mutex
	windows map[string]*window
	paused  time.Time     // nobody is to ask before
	strikes int           // pauses in a row for which the forge told no end
	pace    time.Duration // that a request takes, of late
}

// A window is the time in which a forge counts requests against a limit.
type window struct {
	limit, left int
	asking      int   // requests without an answer yet
	epoch       int64 // when it ends, as the forge tells
	reset       time.Time
	span        time.Duration // how long windows are, as far as was seen: GitHub's an hour, GitLab's a minute
}

// NewBudget returns a budget of which nothing is known. A nil now is time.Now.
func NewBudget(now func() time.Time) *Budget {
	if now == nil {
		now = time.Now
	}
	return &Budget{now: now, windows: map[string]*window{}}
}

// Rate is the state of a budget.
type Rate struct {
	Limit     int       // of a window
	Remaining int       // requests in flight not counted
	Reserve   int       // of Limit, kept for removals
	Reset     time.Time // when the window ends, by this machine's clock
	Paused    time.Time // nothing may be asked before; zero if not paused
}

// Reserve is the share of a limit, in percent, that is kept for removals, and
// that whoever does not say otherwise leaves alone.
const Reserve = 10

type leaving struct{}

// Leaving marks what is asked with ctx to leave a share of the budget alone, in
// percent of the limit. Whoever is refused a request so gets ErrLimited, and
// nothing was sent.
func Leaving(ctx context.Context, percent int) context.Context {
	return context.WithValue(ctx, leaving{}, percent)
}

func share(ctx context.Context) int {
	if p, ok := ctx.Value(leaving{}).(int); ok {
		return p
	}
	return Reserve
}

// Begin counts a request that is about to be sent. It returns the zero time if
// it may be, else when to ask again; in that case nothing is to be sent.
func (b *Budget) Begin(ctx context.Context, resource string) (wait time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if wait = b.until(resource, share(ctx)); wait.IsZero() {
		b.at(resource).asking++
	}
	return wait
}

// End counts the answer to a request that Begin let through; a is nil if there
// was none.
func (b *Budget) End(resource string, a *Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.at(resource)
	w.asking--
	if a == nil {
		return
	}
	const weight = 8 // of the past
	if b.pace == 0 {
		b.pace = a.Took
	}
	b.pace += (a.Took - b.pace) / weight
	if !a.Told {
		return
	}
	const same = 1 // second, by which a forge that tells a duration may seem to differ
	switch now := b.now(); {
	case a.Epoch < w.epoch-same:
		// It was on its way when the window ended.
	case a.Epoch > w.epoch+same || w.limit == 0:
		w.limit, w.left, w.epoch, w.reset = a.Limit, a.Left, a.Epoch, now.Add(a.Reset)
		if w.span = max(w.span, time.Minute); a.Reset > w.span {
			w.span = time.Hour
		}
	default: // answers overtake one another
		w.limit, w.left = a.Limit, min(w.left, a.Left)
	}
	if a.Left > 0 && !b.now().Before(b.paused) {
		b.strikes = 0
	}
}

// How long a forge that refuses without a word of when to come back is left
// alone: GitHub asks for a minute, and for more each time it does so again.
const (
	firstPause = time.Minute
	maxPause   = 15 * time.Minute
	// maxWait bounds what a forge may say of it: no limit is of longer than an
	// hour, and a broken clock must not silence hookd for days.
	maxWait = 2 * time.Hour
)

// Refuse notes that the forge refused a request because of a limit, with the
// time to wait that it told, zero if none. It returns when to ask again.
func (b *Budget) Refuse(resource string, wait time.Duration) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	// A window that is used up says itself when it ends.
	if w := b.at(resource); wait <= 0 && w.limit > 0 && w.left <= 0 {
		return b.until(resource, 0)
	}
	if wait <= 0 {
		if now.Before(b.paused) {
			return b.paused // refused together with others
		}
		wait = min(firstPause<<min(b.strikes, 8), maxPause)
		b.strikes++
	}
	if at := now.Add(min(max(wait, time.Second), maxWait)); at.After(b.paused) {
		b.paused = at
	}
	return b.paused
}

// Until returns when somebody who leaves a share of the limit alone may ask
// again, zero if he may now.
func (b *Budget) Until(percent int) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.until("", percent)
}

// Rate returns the state of the budget; ok is false if the forge told of no
// limit.
func (b *Budget) Rate() (r Rate, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.at("")
	r = Rate{Limit: w.limit, Remaining: w.left, Reserve: w.limit * Reserve / 100, Reset: w.reset}
	if b.now().Before(b.paused) {
		r.Paused = b.paused
	}
	return r, w.limit > 0
}

// Ends estimates when so many requests will have been answered, some of them at
// a time: at the pace of late, and waiting for as many windows as they take. It
// is zero if nothing has been asked yet.
func (b *Budget) Ends(requests, atOnce, percent int) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pace == 0 {
		return time.Time{}
	}
	take := func(n int) time.Duration { return time.Duration(n) * b.pace / time.Duration(atOnce) }
	w, at := b.at(""), b.now()
	if at.Before(b.paused) {
		at = b.paused
	}
	end := at.Add(take(requests))
	left, each := w.left-w.asking-w.limit*percent/100, w.limit*(100-percent)/100
	if w.limit == 0 || each <= 0 || requests <= left {
		return end
	}
	// What this window does not have comes with the next ones.
	rest := requests - max(left, 0) - 1
	last := w.reset.Add(time.Duration(rest/each) * w.span).Add(take(rest%each + 1))
	if last.After(end) {
		return last
	}
	return end
}

// until needs the lock.
func (b *Budget) until(resource string, percent int) time.Time {
	w, now := b.at(resource), b.now()
	var at time.Time
	if w.limit > 0 && w.left-w.asking <= w.limit*percent/100 {
		at = w.reset
	}
	if now.Before(b.paused) && b.paused.After(at) {
		at = b.paused
	}
	return at
}

// at returns the window of a resource, a new one when the last has ended. It
// needs the lock.
func (b *Budget) at(resource string) *window {
	w := b.windows[resource]
	if w == nil {
		w = &window{}
		b.windows[resource] = w
	}
	if w.limit > 0 && !b.now().Before(w.reset) {
		w.left = w.limit // until an answer says otherwise
	}
	return w
}
