package github

import (
	"container/list"
	"net/http"
	"sync"
)

// cacheBytes bounds what one identity keeps of answers: some 300 pages of 100
// repositories.
const cacheBytes = 32 << 20

// cache keeps answers with their ETags, the latest used ones, by address and
// media type. Each guard has its own, so no identity ever sees what another was
// answered.
type cache struct {
	mu      sync.Mutex
	most    int
	bytes   int
	entries map[string]*list.Element
	order   list.List // of *answer, the latest used in front
}

// answer is a kept one. It is never changed.
type answer struct {
	key    string
	etag   string
	header http.Header
	body   []byte
}

func newCache(most int) *cache { return &cache{most: most, entries: map[string]*list.Element{}} }

func cacheKey(req *http.Request) string {
	return req.Header.Get("Accept") + " " + req.URL.String()
}

// get returns the kept answer, or nil.
func (c *cache) get(key string) *answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*answer)
}

// put keeps an answer and drops those unused for longest. One that is larger
// than an eighth of the whole is not worth it.
func (c *cache) put(a *answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(c.entries[a.key])
	if a.size() > c.most/8 {
		return
	}
	c.entries[a.key] = c.order.PushFront(a)
	c.bytes += a.size()
	for c.bytes > c.most {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	if e == nil {
		return
	}
	a := c.order.Remove(e).(*answer)
	delete(c.entries, a.key)
	c.bytes -= a.size()
}

// entryCost is roughly what an entry takes beside its body and key.
const entryCost = 1 << 10

func (a *answer) size() int { return len(a.body) + 2*len(a.key) + entryCost }
