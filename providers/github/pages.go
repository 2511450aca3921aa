package github

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

const (
	// pageSize is the most that GitHub gives.
	pageSize = 100
	// maxPages ends a list that has no end.
	maxPages = 10000
)

// A listing is how to read one of GitHub's lists completely. GitHub does not tell
// how long a list is, only, while there is more than one page, which page is
// the last: that and the ids must fit together.
type listing[T any] struct {
	f     *Forge
	op    string // for errors that no single answer explains
	id    func(*T) int64
	fetch func(sdk.ListOptions) ([]*T, *sdk.Response, error)
}

// all returns the complete list. A list that changed while its pages were read
// is read once more; one that changes then too is nonsense.
func (l listing[T]) all(ctx context.Context) ([]*T, error) {
	for range 2 {
		items, whole, err := l.read(ctx)
		if err != nil {
			return nil, err
		}
		if whole {
			return items, nil
		}
	}
	return nil, l.nonsense(errors.New("its pages do not fit together, twice"))
}

// read goes through the list once; whole is false if its pages were torn by a
// change in between.
func (l listing[T]) read(ctx context.Context) (items []*T, whole bool, err error) {
	seen := map[int64]bool{}
	last := 0 // the last page, as far as it is told
	for page := 1; page <= maxPages; page++ {
		got, resp, err := l.fetch(sdk.ListOptions{Page: page, PerPage: pageSize})
		if err != nil {
			return nil, false, l.f.failed(ctx, l.op, err)
		}
		if got == nil {
			return nil, false, l.nonsense(errors.New("null or nothing instead of a list"))
		}
		if err := l.f.ownLinks(l.op, resp.Header); err != nil {
			return nil, false, err
		}
		for _, item := range got {
			if item == nil || l.id(item) <= 0 {
				return nil, false, l.nonsense(errors.New("an item without an id"))
			}
			id := l.id(item)
			if seen[id] {
				return nil, false, nil // moved from an earlier page, or a page repeats
			}
			seen[id] = true
			items = append(items, item)
		}
		next := resp.NextPage
		switch {
		case next != 0 && next != page+1:
			return nil, false, l.nonsense(fmt.Errorf("page %d says that page %d is next", page, next))
		case next != 0 && len(got) == 0:
			return nil, false, l.nonsense(fmt.Errorf("page %d is empty and says that another is next", page))
		case next != 0:
			if page > 1 && resp.LastPage != last {
				return nil, false, nil
			}
			last = resp.LastPage
		case len(got) >= pageSize && resp.FirstPage == 0:
			// A full page that says nothing at all proves nothing: ask for the next.
		default:
			return items, last == 0 || last == page, nil
		}
	}
	return nil, false, l.nonsense(fmt.Errorf("more than %d pages", maxPages))
}

func (l listing[T]) nonsense(cause error) error {
	return &providers.ForgeError{Op: l.op, Status: 200, Class: providers.ErrNonsense, Err: cause}
}
