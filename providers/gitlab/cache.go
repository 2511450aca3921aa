package gitlab

import (
	"bytes"
	"container/list"
	"io"
	"net/http"
	"sync"
)

// maxKept bounds the answers kept for conditional requests, in bytes of
// bodies. GitLab computes a fresh answer to find that it did not change; what
// is saved is the transfer.
const maxKept = 8 << 20

// cache keeps answers that came with an ETag, least recently used first to go.
// It belongs to one token, so its key is the address and who is asked as.
type cache struct {
	mu    sync.Mutex
	byKey map[cacheKey]*list.Element
	order list.List // of *answer, the most recently used in front
	size  int
}

type cacheKey struct{ url, sudo string }

// answer is never changed once it is kept.
type answer struct {
	key    cacheKey
	header http.Header
	body   []byte
}

// ask makes req conditional on what is kept of its answer.
func (c *cache) ask(req *http.Request) (*answer, bool) {
	if req.Method != http.MethodGet {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[keyOf(req)]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	a := e.Value.(*answer)
	req.Header.Set("If-None-Match", a.header.Get("ETag"))
	return a, true
}

// keep replaces what is known about req's answer.
func (c *cache) keep(req *http.Request, h http.Header, body []byte) {
	if req.Method != http.MethodGet {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := keyOf(req)
	if e, ok := c.byKey[key]; ok {
		c.drop(e)
	}
	if h.Get("ETag") == "" || len(body) > maxKept/8 {
		return
	}
	if c.byKey == nil {
		c.byKey = map[cacheKey]*list.Element{}
	}
	a := &answer{key: key, header: h.Clone(), body: body}
	c.byKey[key] = c.order.PushFront(a)
	c.size += a.weight()
	for c.size > maxKept {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	a := c.order.Remove(e).(*answer)
	delete(c.byKey, a.key)
	c.size -= a.weight()
}

// weight counts a little for headers and bookkeeping, so that many small
// answers are bounded too.
func (a *answer) weight() int { return len(a.body) + 1<<10 }

// paging are the headers that say how a list goes on and how long it is.
var paging = []string{"Link", "X-Total", "X-Total-Pages", "X-Page", "X-Per-Page", "X-Next-Page", "X-Prev-Page"}

// response is the kept answer as if it came now. GitLab tags the body alone, so
// a page that is as it was may have got another one behind it (Rack::ETag,
// Rack::ConditionalGet; RFC 9111, 4.3.4): how the list goes on is told by the
// 304. It is false if that is silent where the kept answer was not.
func (a *answer) response(req *http.Request, now http.Header) (*http.Response, bool) {
	h, told := a.header.Clone(), false
	for _, name := range paging {
		h.Del(name)
		if v := now.Values(name); len(v) > 0 {
			h[name], told = v, true
		}
	}
	for _, name := range paging {
		if a.header.Get(name) != "" && !told {
			return nil, false
		}
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: req,
	}, true
}

// forget drops what is kept of req's answer.
func (c *cache) forget(req *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[keyOf(req)]; ok {
		c.drop(e)
	}
}

func keyOf(req *http.Request) cacheKey {
	return cacheKey{url: req.URL.String(), sudo: req.Header.Get("Sudo")}
}
