package handlers

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pieces is a body that arrives in pieces of a size.
type pieces struct {
	io.Reader
	size int
}

func (p pieces) Read(b []byte) (int, error) { return p.Reader.Read(b[:min(len(b), p.size)]) }

func TestBodiesAreReadWhole(t *testing.T) {
	for _, size := range []int{0, 1, 2047, 2048, 2049, 16 << 10, smallBody, smallBody + 1, 300_000, 1 << 20} {
		for _, piece := range []int{1 << 10, 1 << 30} {
			for _, declared := range []bool{true, false} {
				b := newBodyReader(1<<20, 0)
				want := strings.Repeat("x", size)
				r := httptest.NewRequest(http.MethodPost, "/", pieces{strings.NewReader(want), piece})
				r.ContentLength = -1
				if declared {
					r.ContentLength = int64(size)
				}
				got, held, err := b.read(httptest.NewRecorder(), r)
				if err != nil || string(got) != want {
					t.Errorf("%d bytes, declared %v: %d bytes, %v", size, declared, len(got), err)
				}
				if held.n != int64(cap(got)) {
					t.Errorf("%d bytes, declared %v: %d held for a buffer of %d", size, declared, held.n, cap(got))
				}
				held.release()
				if s, l := b.small.used.Load(), b.large.used.Load(); s != 0 || l != 0 {
					t.Errorf("after release %d and %d are held", s, l)
				}
			}
		}
	}
}

// TestABodyInUseIsNotReadOver, also when a hold was released twice.
func TestABodyInUseIsNotReadOver(t *testing.T) {
	b := newBodyReader(1<<20, 0)
	read := func(letter string, size int) ([]byte, *hold) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat(letter, size)))
		got, held, err := b.read(httptest.NewRecorder(), r)
		if err != nil {
			t.Fatal(err)
		}
		return got, held
	}
	for _, size := range []int{100, 3000, 20_000, smallBody} {
		_, done := read("a", size)
		done.release()
		done.release()
		first, one := read("b", size)
		second, two := read("c", size)
		if string(first) != strings.Repeat("b", size) || string(second) != strings.Repeat("c", size) {
			t.Errorf("%d bytes: one body was read over another", size)
		}
		one.release()
		two.release()
	}
}

func TestLargeBodiesNeverDelaySmallOnes(t *testing.T) {
	b := newBodyReader(1<<20, 1<<20)
	b.large.used.Store(1 << 20)
	try := func(size int, declared bool) error {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", size)))
		if !declared {
			r.ContentLength = -1
		}
		_, held, err := b.read(httptest.NewRecorder(), r)
		held.release()
		return err
	}
	if err := try(smallBody, true); err != nil {
		t.Errorf("small: %v", err)
	}
	if err := try(smallBody+1, true); !errors.Is(err, errBusy) {
		t.Errorf("large: %v", err)
	}
	if err := try(10, false); !errors.Is(err, errBusy) {
		t.Errorf("undeclared: %v", err)
	}
	if n := b.large.used.Load(); n != 1<<20 {
		t.Errorf("refusals left %d in use", n)
	}
}

// TestADeclaredLengthCostsNothing: what was only announced is not held.
func TestADeclaredLengthCostsNothing(t *testing.T) {
	b := newBodyReader(0, 0)
	in, out := io.Pipe()
	r := httptest.NewRequest(http.MethodPost, "/", in)
	r.ContentLength = 20 << 20
	done := make(chan error)
	go func() {
		_, held, err := b.read(httptest.NewRecorder(), r)
		held.release()
		done <- err
	}()
	out.Write(make([]byte, 100)) // returns when it was read
	if n := b.large.used.Load(); n > 2*firstChunk {
		t.Errorf("%d held for 100 bytes", n)
	}
	out.CloseWithError(io.ErrUnexpectedEOF)
	if err := <-done; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if n := b.large.used.Load(); n != 0 {
		t.Errorf("%d held afterwards", n)
	}
}

// TestSlowBodiesAreCutOff over a real connection: a body that stalls is
// answered and its connection closed, and a commit that takes longer than the
// body was allowed to is not mistaken for a lost client.
func TestSlowBodiesAreCutOff(t *testing.T) {
	b := newBodyReader(0, 0)
	b.smallTime, b.largeTime = 50*time.Millisecond, 50*time.Millisecond
	answered := make(chan error, 1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, held, err := b.read(w, r)
		if err == nil {
			select {
			case <-r.Context().Done():
				err = r.Context().Err()
			case <-time.After(200 * time.Millisecond):
			}
		}
		held.release()
		answered <- err
	}))
	srv.Config = NewServer("", srv.Config.Handler, slog.New(slog.DiscardHandler))
	srv.Start()
	defer srv.Close()
	for head, want := range map[string]error{
		"Content-Length: 100\r\n\r\n1234567890":             errSlow,
		"Content-Length: 1000000\r\n\r\n1234567890":         errSlow,
		"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n5": errSlow,
		"Content-Length: 10\r\n\r\n1234567890":              nil,
	} {
		c, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\n"+head)
		if err := <-answered; !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", head, err, want)
		}
		c.Close()
	}
	if n := b.small.used.Load() + b.large.used.Load(); n != 0 {
		t.Errorf("%d held afterwards", n)
	}
}

// TestABodyNobodyReadsCannotDawdle: the server drains it after the answer.
func TestABodyNobodyReadsCannotDawdle(t *testing.T) {
	h := bodyWithin(50 * time.Millisecond)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, http.StatusNotFound, "")
	}))
	srv := httptest.NewUnstartedServer(h)
	srv.Config = NewServer("", h, slog.New(slog.DiscardHandler))
	srv.Start()
	defer srv.Close()
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
	c.SetReadDeadline(time.Now().Add(3 * time.Second))
	if b, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 404") {
		t.Errorf("%q, %v", b, err)
	}
}

func TestThrottleCountsWhatItSwallows(t *testing.T) {
	var q throttle
	now := time.Unix(0, 0)
	type line struct {
		Skipped int
		OK      bool
	}
	var got []line
	for _, at := range []time.Duration{0, 1, 2, quiet, quiet + 1, 3 * quiet} {
		skipped, ok := q.allow("a", now.Add(at))
		got = append(got, line{skipped, ok})
	}
	want := []line{{0, true}, {0, false}, {0, false}, {2, true}, {0, false}, {1, true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, ok := q.allow("b", now.Add(1)); !ok {
		t.Error("another kind of line was swallowed")
	}
}

// TestTheLargestFormIsTakenAlone: raw and decoded it is within the budget, or
// its sender could try for ever.
func TestTheLargestFormIsTakenAlone(t *testing.T) {
	b := newBodyReader(0, 0)
	const head, tail = "payload=%7B%22a%22%3A%22", "%22%7D"
	form := head + strings.Repeat("x", defaultMaxBody-len(head)-len(tail)) + tail
	for _, declared := range []bool{true, false} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form))
		if !declared {
			r.ContentLength = -1
		}
		raw, held, err := b.read(httptest.NewRecorder(), r)
		if err != nil {
			t.Fatal(err)
		}
		body, problem := jsonOf(raw, true, held)
		if problem != nil || len(body) != len(form)-len(`payload=`)-7*len("22") {
			t.Errorf("declared %v: %d bytes of %d, %+v", declared, len(body), len(form), problem)
		}
		held.release()
		if n := b.large.used.Load(); n != 0 {
			t.Errorf("%d held afterwards", n)
		}
	}
}
