package handlers

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	defaultMaxBody = 25 << 20
	defaultBudget  = 64 << 20

	// smallBody is the largest declared length that does not draw on the
	// budget of large and undeclared bodies. What says that somebody's list
	// changed is far smaller.
	smallBody = 64 << 10
	// smallBudget is for declared small bodies alone: four thousand ordinary
	// deliveries at once.
	smallBudget = 32 << 20

	firstChunk   = 2 << 10
	largeTimeout = 30 * time.Second // for a body that is large or undeclared
)

var (
	errTooLarge = errors.New("handlers: body too large")
	errBusy     = errors.New("handlers: too many bytes in flight")
	errSlow     = errors.New("handlers: body did not arrive in time")
)

// A bodyReader reads bodies whole, within the limits of one listener.
type bodyReader struct {
	max          int64
	small, large budget

	smallTime, largeTime time.Duration // in which a body must arrive
}

func newBodyReader(limit, large int64) *bodyReader {
	if limit <= 0 {
		limit = defaultMaxBody
	}
	if large <= 0 {
		large = defaultBudget
	}
	return &bodyReader{
		max: limit, small: budget{limit: smallBudget}, large: budget{limit: large},
		smallTime: bodyTimeout, largeTime: largeTimeout,
	}
}

// nothing holds nothing of a budget.
func (b *bodyReader) nothing() *hold { return &hold{of: &b.small} }

// read returns the body and what it holds of a budget, to be released also
// after an error. After that nobody may look at the body: the next one is read
// into the same memory. Errors are errTooLarge, errBusy, errSlow, or what the
// connection said.
//
// The buffer follows what has arrived: a client that declares much and sends
// little, or nothing, costs two kilobytes.
func (b *bodyReader) read(w http.ResponseWriter, r *http.Request) ([]byte, *hold, error) {
	h, timeout := &hold{of: &b.large}, b.largeTime
	want := r.ContentLength
	switch {
	case want > b.max:
		return nil, h, errTooLarge
	case want < 0:
		want = b.max
	case want <= smallBody:
		h.of, timeout = &b.small, b.smallTime
	}
	// The clock is the connection's, not hookd's. The server lifts the deadline
	// when the body has been read. Only a test's recorder has none to set.
	if timeout != bodyTimeout { // which is set for every request
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeout))
	}

	src := http.MaxBytesReader(w, r.Body, b.max)
	var buf []byte
	for {
		if len(buf) == cap(buf) {
			next := grown(int64(cap(buf)), want+1)
			if !h.add(next) {
				return nil, h, errBusy
			}
			bigger := newBuffer(next)
			*bigger = append(*bigger, buf...)
			h.sub(int64(cap(buf)))
			h.keep(bigger)
			buf = *bigger
		}
		n, err := src.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case err == nil:
			continue
		case err == io.EOF:
			return buf, h, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, h, errSlow
		}
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, h, errTooLarge
		}
		return nil, h, err
	}
}

// grown is the next size of a buffer: quickly to that of an ordinary delivery,
// then by doubling, and never beyond what is expected, if that is not exceeded,
// but for what a buffer that is used again is larger.
func grown(size, want int64) int64 {
	next := size * 2
	switch {
	case size == 0:
		next = firstChunk
	case size < smallBody:
		next = size * 8
	}
	if size < want {
		next = min(next, want)
	}
	return roundUp(next)
}
