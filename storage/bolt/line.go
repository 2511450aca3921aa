package bolt

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// maxBatch bounds a transaction in requests, and so the memory it takes.
const maxBatch = 512

// fewCallers is how many callers share each transaction rather than take turns:
// what so few prepare is done long before a disk has synced.
const fewCallers = 32

// slowCommit is what a commit has to take for it to be worth waiting for more
// callers: on a disk that syncs faster the processors are busy meanwhile.
const slowCommit = 2 * time.Millisecond

// maxPatience bounds what a caller waits for others after the disk hung.
const maxPatience = 5 * time.Millisecond

// A line is where requests queue up. Of those that wait one caller at a time
// writes, for all of them: a goroutine of its own would cost the only caller
// two switches for each commit.
type line struct {
	mu      sync.Mutex
	waiting []*request
	writing bool          // somebody is
	last    int           // requests of the last batch
	took    time.Duration // to commit it
	shut    bool
	want    int            // who gathers is told when so many wait; zero if nobody gathers
	enough  chan struct{}  // by this
	open    sync.WaitGroup // requests that are not answered
}

func newLine() line { return line{enough: make(chan struct{}, 1)} }

// enter queues a request up, unless the line is shut, and reports whether its
// caller is to write at once.
func (l *line) enter(r *request) (write, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		return false, false
	}
	l.open.Add(1)
	l.waiting = append(l.waiting, r)
	if len(l.waiting) == l.want {
		l.enough <- struct{}{}
		l.want = 0
	}
	write = !l.writing
	l.writing = true
	return write, true
}

// gather takes the next batch, of which the request of who writes is the first.
//
// With few callers it lets those of the last batch, who were only just answered,
// come back first, or every second batch would be small. With many it leaves
// half of them out: while one half is synced, the other prepares its requests,
// and neither the processors nor the disk wait. Where the disk is slow it is
// the disk that must not sync for half of them: all are waited for then, but
// not for longer than a quarter of what a commit takes.
func (l *line) gather() []*request {
	if all, patience := l.expected(); all > 0 {
		if patience > 0 {
			select {
			case <-l.enough:
			case <-time.After(patience):
			}
		}
		return l.take(all)
	}
	for before := 0; ; {
		l.mu.Lock()
		n := len(l.waiting)
		most := min(max(fewCallers, (n+l.last+1)/2), maxBatch)
		if n == before || n >= most {
			l.mu.Unlock()
			return l.take(most)
		}
		l.mu.Unlock()
		before = n
		runtime.Gosched()
	}
}

// expected returns how many callers to wait for and how long: for none if they
// are few or the disk is fast.
func (l *line) expected() (all int, patience time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all = min(len(l.waiting)+l.last, maxBatch)
	switch {
	case l.took < slowCommit || all <= fewCallers:
		return 0, 0
	case len(l.waiting) >= all:
		return all, 0
	}
	l.want = all
	return all, min(l.took/4, maxPatience)
}

// take takes up to most of those that wait.
func (l *line) take(most int) []*request {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.want = 0
	select {
	case <-l.enough: // they came when the time was up
	default:
	}
	n := min(len(l.waiting), most)
	batch := slices.Clone(l.waiting[:n])
	l.waiting = append(l.waiting[:0:0], l.waiting[n:]...)
	l.last = n
	return batch
}

// pass lets the next caller write.
func (l *line) pass() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writing = len(l.waiting) > 0; l.writing {
		l.waiting[0].turn <- true
	}
}

// answer ends requests: with err, if there is one, for all of them.
func (l *line) answer(batch []*request, err error) {
	for _, r := range batch {
		if err != nil {
			r.err = err
		}
		r.turn <- false
		l.open.Done()
	}
}

// close refuses requests from now on and returns when all are answered. It
// reports whether it was open.
func (l *line) close() bool {
	l.mu.Lock()
	was := !l.shut
	l.shut = true
	l.mu.Unlock()
	l.open.Wait()
	return was
}

func (l *line) closed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shut
}
