package gitlab

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

const (
	pageSize = 100   // the most GitLab gives
	maxPages = 20000 // ends a list that has no end
)

// A fetch gets one page of a list; more names the page.
type fetch[T any] func(more ...sdk.RequestOptionFunc) ([]*T, *sdk.Response, error)

// A listing is how to read one of GitLab's lists completely.
type listing[T any] struct {
	f     *Forge
	op    string // for errors that no single answer explains
	id    func(*T) int64
	fetch fetch[T]

	// repeats: one id may come more than once, as a member of a project may
	// who has it in several ways.
	repeats bool
}

// uncounted stands for a length that was not announced: above 10,000 items
// GitLab does not count.
const uncounted = -1

// errTorn: the pages do not fit together.
var errTorn = errors.New("its pages do not fit together")

// all returns the complete list. A list that changed while its pages were read
// is read once more; one that then still disagrees with itself is nonsense.
func (l listing[T]) all(ctx context.Context) ([]*T, error) {
	for attempt := 0; ; attempt++ {
		items, err := l.read(ctx)
		switch {
		case err == nil:
			return items, nil
		case !errors.Is(err, errTorn):
			return nil, err
		case attempt > 0:
			return nil, l.nonsense(fmt.Errorf("twice: %w", err))
		}
	}
}

// read goes through the list once. An error that wraps errTorn says that it
// changed meanwhile, or lies.
func (l listing[T]) read(ctx context.Context) ([]*T, error) {
	var items []*T
	var at position
	seen := map[int64]bool{}
	for range maxPages {
		got, resp, err := l.fetch(at.option()...)
		if err != nil {
			return nil, l.f.failed(ctx, l.op, err)
		}
		if got == nil {
			return nil, l.nonsense(errors.New("null instead of a list"))
		}
		fresh := 0
		for _, item := range got {
			if item == nil || l.id(item) <= 0 {
				return nil, l.nonsense(errors.New("an item without an id"))
			}
			if id := l.id(item); !seen[id] || l.repeats {
				fresh++
				seen[id] = true
			}
		}
		items = append(items, got...)
		if fresh < len(got) {
			return nil, fmt.Errorf("%d of %d items came before: %w", len(got)-fresh, len(got), errTorn)
		}
		total, err := totalCount(resp)
		if err != nil {
			return nil, l.nonsense(err)
		}
		end, err := at.advance(resp, len(got), total, len(items))
		if err != nil {
			return nil, err
		}
		switch {
		case !end:
		case total != uncounted && total != len(items):
			return nil, fmt.Errorf("%d items read, %d announced: %w", len(items), total, errTorn)
		case len(items) == 0 && total == uncounted:
			return nil, l.nonsense(errors.New("an empty list without a count"))
		default:
			return items, nil
		}
	}
	return nil, l.nonsense(fmt.Errorf("more than %d pages", maxPages))
}

func (l listing[T]) nonsense(cause error) error {
	return &providers.ForgeError{Op: l.op, Status: 200, Class: providers.ErrNonsense, Err: cause}
}

// position is where a list goes on: at a page, or behind the link that keyset
// pagination gives.
type position struct {
	page  int64 // the one last read, counted from 1
	total int
	link  string
}

func (p *position) option() []sdk.RequestOptionFunc {
	switch {
	case p.link != "":
		return []sdk.RequestOptionFunc{sdk.WithKeysetPaginationParameters(p.link)}
	case p.page > 0:
		return []sdk.RequestOptionFunc{sdk.WithOffsetPaginationParameters(p.page + 1)}
	}
	return nil
}

// advance moves to the next page, or says that there is none. A page number
// goes before a link, which with offsets says the same; a link alone is
// keyset pagination.
func (p *position) advance(resp *sdk.Response, got, total, read int) (end bool, err error) {
	if p.page > 0 && total != p.total {
		return false, fmt.Errorf("%d items announced, then %d: %w", p.total, total, errTorn)
	}
	p.total = total
	p.page++
	if at := resp.CurrentPage; at != 0 && p.link == "" && at != p.page {
		return false, fmt.Errorf("asked for page %d, got page %d: %w", p.page, at, errTorn)
	}
	_, numbered := resp.Header["X-Next-Page"]
	switch {
	case resp.NextPage != 0 && resp.NextPage != p.page+1:
		return false, fmt.Errorf("page %d says that page %d is next: %w", p.page, resp.NextPage, errTorn)
	case resp.NextPage != 0:
		return false, nil
	case resp.NextLink != "" && resp.NextLink == p.link:
		return false, fmt.Errorf("a link to itself: %w", errTorn)
	case resp.NextLink != "":
		p.link = resp.NextLink
		return false, nil
	case numbered, resp.Header.Get("Link") != "", got == 0:
		return true, nil
	}
	// Nothing says that this is the end, and a short page proves nothing where
	// a proxy cuts headers: only the count does, or an empty page.
	return total != uncounted && read >= total, nil
}

// totalCount reads X-Total.
func totalCount(resp *sdk.Response) (int, error) {
	v := resp.Header.Get("X-Total")
	if v == "" {
		return uncounted, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("X-Total %q", v)
	}
	return n, nil
}
