package providers

import (
	"net/http"
	"strconv"
	"time"
)

// An Answer is what one answer tells of a budget.
type Answer struct {
	Took time.Duration // from the request until its header

	Told        bool // whether it tells of a limit at all
	Limit, Left int
	Epoch       int64         // when the window ends, in seconds, by the forge's clock
	Reset       time.Duration // the same, from now
}

// ReadAnswer reads the headers by which GitHub (X-RateLimit-*), GitLab and
// proxies (RateLimit-*) tell what is left of a limit. The end of the window is
// taken relative to the answer's own date: this machine's clock may be wrong.
func ReadAnswer(h http.Header, took time.Duration, now time.Time) *Answer {
	a := &Answer{Took: took}
	for _, prefix := range []string{"X-RateLimit-", "RateLimit-"} {
		limit, ok := natural(h.Get(prefix + "Limit"))
		left, also := natural(h.Get(prefix + "Remaining"))
		reset, too := natural(h.Get(prefix + "Reset"))
		if !ok || !also || !too || limit == 0 {
			continue
		}
		date := serverTime(h, now)
		// The draft of a standard for these headers has seconds from now
		// instead of a time.
		const sometime = 1e9
		if reset < sometime {
			reset += int(date.Unix())
		}
		a.Told, a.Limit, a.Left, a.Epoch = true, limit, left, int64(reset)
		a.Reset = min(max(time.Unix(a.Epoch, 0).Sub(date), 0), maxWait)
		return a
	}
	return a
}

// RetryAfter reads both forms of the header of that name; zero if there is none.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if s, ok := natural(v); ok {
		return time.Duration(min(s, int(maxWait/time.Second))) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(t.Sub(serverTime(h, now)), 0)
	}
	return 0
}

// serverTime is what the sender's clock said when it answered.
func serverTime(h http.Header, now time.Time) time.Time {
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		return t
	}
	return now
}

func natural(v string) (int, bool) {
	n, err := strconv.Atoi(v)
	return n, err == nil && n >= 0
}
