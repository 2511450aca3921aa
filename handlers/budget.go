package handlers

import "sync/atomic"

// A budget bounds the bytes of bodies in memory. Whoever finds it spent is sent
// away at once: waiting would only hold another connection.
type budget struct {
	limit int64
	used  atomic.Int64
}

// A hold is one request's share of a budget. It grows as bytes arrive, so that
// a length that was only declared costs nobody anything.
type hold struct {
	of  *budget
	n   int64
	buf *[]byte // what it is held for, if it may be used again
}

// add takes n more bytes and reports whether they were to be had.
func (h *hold) add(n int64) bool {
	if h.of.used.Add(n) > h.of.limit {
		h.of.used.Add(-n)
		return false
	}
	h.n += n
	return true
}

// sub gives n bytes back.
func (h *hold) sub(n int64) {
	h.of.used.Add(-n)
	h.n -= n
}

// keep replaces the buffer that release gives back.
func (h *hold) keep(buf *[]byte) {
	if h.buf != nil {
		reuse(h.buf)
	}
	h.buf = buf
}

// release gives everything back.
func (h *hold) release() {
	h.sub(h.n)
	h.keep(nil)
}
