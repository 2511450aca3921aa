package gitea

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/hookd/hookd/providers"
)

const (
	// pageSize is what Gitea gives at most unless configured otherwise
	// (MAX_RESPONSE_ITEMS); it cuts larger wishes without a word.
	pageSize = 50
	// maxPages ends a list that has no end.
	maxPages = 20000
)

// A fetch gets one page of a list.
type fetch[T any] func(sdk.ListOptions) ([]*T, *sdk.Response, error)

// A list is how to read one of Gitea's lists completely.
type list[T any] struct {
	f     *Forge
	op    string // for errors that no single answer explains
	id    func(*T) int64
	fetch fetch[T]

	// cached: X-Total-Count is a counter that Gitea keeps in the team's row
	// and that may have drifted. It does not end the list, only a page that is
	// not full does; and two reads that agree outweigh it. They are cut into
	// different pages, so that one lost page makes them disagree.
	cached bool
	// whole: without a page number Gitea gives everything in one answer, which
	// unlike pages cannot be torn by a change in between.
	whole bool
}

// all returns the complete list. A list that changed while its pages were read
// is read once more; one that then still disagrees with its own count is
// nonsense.
func (l list[T]) all(ctx context.Context) ([]*T, error) {
	var before []*T
	for attempt := 0; ; attempt++ {
		items, total, err := l.read(ctx, attempt)
		switch {
		case err != nil:
			return nil, err
		case total == uncounted || total == len(items):
			return items, nil
		case attempt == 0:
			before = items
		case total == torn:
			return nil, l.nonsense(errors.New("its pages do not fit together, twice"))
		case l.cached && len(items) > 0 && l.same(items, before):
			return items, nil
		default:
			return nil, l.nonsense(fmt.Errorf("%d items read, %d announced", len(items), total))
		}
	}
}

// What read returns instead of a count.
const (
	uncounted = -1 // none was announced
	torn      = -2 // the pages do not fit together
)

// read goes through the list once and returns it with its announced length.
func (l list[T]) read(ctx context.Context, attempt int) (items []*T, total int, err error) {
	seen := map[int64]bool{}
	full := 0 // the length of a full page, as far as it is known
	for page := 1; page <= maxPages; page++ {
		opt := sdk.ListOptions{Page: page, PageSize: pageSize}
		if l.cached && attempt > 0 {
			opt.PageSize = pageSize - 7
		}
		whole := l.whole && attempt == 0 && page == 1
		if whole {
			opt = sdk.ListOptions{Page: -1}
		}
		got, resp, err := l.fetch(opt)
		if err != nil {
			return nil, 0, l.f.failed(ctx, l.op, err)
		}
		if got == nil {
			return nil, 0, l.nonsense(errors.New("null instead of a list"))
		}
		t, err := totalCount(resp)
		if err != nil {
			return nil, 0, l.nonsense(err)
		}
		if page == 1 {
			total, full = t, opt.PageSize
		} else if t != total {
			return nil, torn, nil
		} else if page == 2 {
			full = len(items)
		}
		fresh := 0
		for _, item := range got {
			if item == nil || l.id(item) <= 0 {
				return nil, 0, l.nonsense(errors.New("an item without an id"))
			}
			if id := l.id(item); !seen[id] {
				seen[id] = true
				items = append(items, item)
				fresh++
			}
		}
		next := resp.NextPage
		switch {
		case whole && len(got) > pageSize:
			return items, total, nil // more than a page: it was indeed the whole
		case next != 0 && next <= page:
			return nil, 0, l.nonsense(fmt.Errorf("page %d says that page %d is next", page, next))
		case len(got) > 0 && fresh == 0:
			return nil, torn, nil // it repeats what was read
		case len(got) == 0:
			if page == 1 && total == uncounted {
				return nil, 0, l.nonsense(errors.New("an empty list without a count"))
			}
			return items, total, nil
		case next != 0:
			// more to come, whatever the count says
		case l.cached && !whole && len(got) >= full:
			// a counter is no proof that this is the last page
		case total != uncounted && len(items) >= total:
			return items, total, nil
		case total == uncounted && resp.FirstPage != 0:
			return items, total, nil // it pages by links, and this is the last one
		}
		// Neither count nor link says that this is the end, and a short page
		// proves nothing where the forge caps pages: ask for the next.
	}
	return nil, 0, l.nonsense(fmt.Errorf("more than %d pages", maxPages))
}

func (l list[T]) same(a, b []*T) bool {
	if len(a) != len(b) {
		return false
	}
	ids := make(map[int64]bool, len(a))
	for _, x := range a {
		ids[l.id(x)] = true
	}
	for _, x := range b {
		if !ids[l.id(x)] {
			return false
		}
	}
	return true
}

func (l list[T]) nonsense(cause error) error {
	return &providers.ForgeError{Op: l.op, Status: 200, Class: providers.ErrNonsense, Err: cause}
}

// totalCount reads X-Total-Count.
func totalCount(resp *sdk.Response) (int, error) {
	v := resp.Header.Get("X-Total-Count")
	if v == "" {
		return uncounted, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("X-Total-Count %q", v)
	}
	return n, nil
}
