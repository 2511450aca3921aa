package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	defaultLimit = 100
	maxLimit     = 500
)

// A query reads the parameters of a request. The first fault stays in err and
// the rest reads as zero, so callers look at err once, at the end.
type query struct {
	list   string // what the cursor belongs to
	values url.Values
	err    error
}

// parseQuery refuses parameters beside the allowed ones, and doubled ones: a
// filter that was mistyped would select everything.
func parseQuery(r *http.Request, allowed ...string) *query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return &query{err: badRequest("the query cannot be read")}
	}
	q := &query{values: values}
	filters := url.Values{}
	for name, v := range values {
		switch {
		case !slices.Contains(allowed, name):
			q.fail("no parameter %.40q here: allowed are %s", name, orNone(allowed))
		case len(v) != 1:
			q.fail("%s is given more than once", name)
		case name != "cursor" && name != "limit":
			filters[name] = v
		}
	}
	q.list = r.URL.Path + "?" + filters.Encode()
	return q
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func (q *query) fail(format string, args ...any) {
	if q.err == nil {
		q.err = badRequest(fmt.Sprintf(format, args...))
	}
}

func (q *query) text(name string) string { return q.values.Get(name) }

// limit is the size of a page. Too much is taken for the most there is.
func (q *query) limit() int {
	s := q.values.Get("limit")
	if s == "" {
		return defaultLimit
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		q.fail("limit is a number from 1 to %d", maxLimit)
		return defaultLimit
	}
	return min(n, maxLimit)
}

// cursor is where the page begins, "" for the first.
func (q *query) cursor() string {
	s := q.values.Get("cursor")
	if s == "" {
		return ""
	}
	c, ok := openCursor(q.list, s)
	if !ok {
		q.fail("this cursor does not belong to this list: begin without one")
	}
	return c
}

// moment reads RFC 3339 or a duration ago; zero if it is not given.
func (q *query) moment(name string, now time.Time) time.Time {
	t, err := parseMoment(q.values.Get(name), now)
	if err != nil {
		q.fail("%s %v", name, err)
	}
	return t
}

// duration reads a duration from 0 to most.
func (q *query) duration(name string, otherwise, most time.Duration) time.Duration {
	s := q.values.Get(name)
	if s == "" {
		return otherwise
	}
	d, err := parseDuration(s)
	if err != nil || d < 0 || d > most {
		q.fail("%s is a duration like 30s, 5m or 1h, at most %v", name, most)
		return otherwise
	}
	return d
}

// boolean reads a switch, which is off if it is not given. Its name alone turns
// it on, as for readyz?verbose.
func (q *query) boolean(name string) bool {
	if !q.values.Has(name) {
		return false
	}
	switch q.values.Get(name) {
	case "true", "1", "":
		return true
	case "false", "0":
		return false
	}
	q.fail("%s is true or false", name)
	return false
}

// oneOf reads a word of a closed set, "" if it is not given.
func oneOf[T ~string](q *query, name string, allowed ...T) T {
	v := T(q.values.Get(name))
	if err := isOneOf(name, v, allowed...); err != nil {
		q.fail("%v", err)
	}
	return v
}

func isOneOf[T ~string](name string, v T, allowed ...T) error {
	if v == "" || slices.Contains(allowed, v) {
		return nil
	}
	words := make([]string, len(allowed))
	for i, a := range allowed {
		words[i] = string(a)
	}
	return fmt.Errorf("%s is one of %s", name, strings.Join(words, ", "))
}

func parseMoment(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	d, err := parseDuration(s)
	if err != nil || d < 0 {
		return time.Time{}, fmt.Errorf("is a time like 2006-01-02T15:04:05Z or a duration ago like 2h or 7d")
	}
	return now.Add(-d), nil
}

// parseDuration is time.ParseDuration with days before the rest: 7d, 1d12h.
func parseDuration(s string) (time.Duration, error) {
	days, rest, ok := strings.Cut(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("days: %w", err)
	}
	d := time.Duration(n) * 24 * time.Hour
	if rest == "" {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	return d + more, err
}
