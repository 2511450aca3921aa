package handlers_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// An audience is a client of /api/v1/events.
type audience struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	resp *http.Response
	last string // the id it would come back with
}

// listen asks for the events from after an id, "" for those from now on.
func listen(t *testing.T, h http.Handler, role, id string) *audience {
	t.Helper()
	a := &audience{t: t, conn: connect(t, h)}
	head := "GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + roleTokens[role] + "\r\n"
	if id != "" {
		head += "Last-Event-ID: " + id + "\r\n"
	}
	if _, err := io.WriteString(a.conn, head+"\r\n"); err != nil {
		t.Fatal(err)
	}
	var err error
	if a.resp, err = http.ReadResponse(bufio.NewReader(a.conn), nil); err != nil {
		t.Fatal(err)
	}
	a.in = bufio.NewReader(a.resp.Body)
	return a
}

// next returns the kind and data of the next event, or a comment; "end" when
// the answer ended.
func (a *audience) next() (kind string, data map[string]any) {
	a.t.Helper()
	for {
		line, err := a.in.ReadString('\n')
		line = strings.TrimSuffix(line, "\n")
		if err != nil {
			return "end", nil
		}
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case name == "id":
			a.last = value
		case name == "event":
			kind = value
		case name == "data":
			if err := json.Unmarshal([]byte(value), &data); err != nil {
				a.t.Fatalf("%s: %v", line, err)
			}
		case strings.HasPrefix(line, ":"):
			return "comment", nil
		case line == "" && kind != "":
			return kind, data
		}
	}
}

// expect reads events until it has those that are wanted, as kind and id or
// repository.
func (a *audience) expect(want ...string) {
	a.t.Helper()
	for _, w := range want {
		kind, data := a.next()
		got := kind
		for _, key := range []string{"id", "repo"} {
			if s, ok := data[key].(string); ok {
				got += " " + s
				break
			}
		}
		if got != w {
			a.t.Fatalf("got %q, want %q", got, w)
		}
	}
}

// told is a world with a feed, in a bubble whose clock stands a while after the
// store's first delivery.
func told(t *testing.T) *world {
	w := newWorld(t)
	w.startFeed()
	time.Sleep(time.Second)
	return w
}

func entry(id string, at time.Time) syncqueue.Entry {
	return syncqueue.Entry{
		Delivery: providers.Delivery{ID: id, Provider: "a", GUID: id, Body: []byte("{}"), Received: at},
		Event:    providers.Event{Name: "push"}, Result: syncqueue.EntryIgnored,
	}
}

func ended(id string, r syncqueue.Result) syncqueue.Report {
	return syncqueue.Report{Job: syncqueue.Job{ID: id, Kind: syncqueue.KindRepo}, Result: r}
}

func TestWhatHappensIsToldWhileItHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := told(t)
		a := listen(t, w.admin, "viewer", "")
		if a.resp.StatusCode != http.StatusOK || a.resp.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("%s, %v", a.resp.Status, a.resp.Header)
		}
		rec, answer := w.send(created("one"))
		if rec.Code != http.StatusAccepted {
			t.Fatal(rec.Code, rec.Body)
		}
		a.expect(fmt.Sprint("delivery ", answer["delivery"]))
		if rec, _ := w.send(created("one")); rec.Code != http.StatusOK {
			t.Fatal("a duplicate", rec.Code)
		}
		stranger := created("two")
		stranger.secret = "wrong"
		if rec, _ := w.send(stranger); rec.Code != http.StatusUnauthorized {
			t.Fatal("a stranger's", rec.Code)
		}
		visible := ended("J1", syncqueue.ResultDone)
		visible.Applied.Visible = []storage.Visible{{Target: "drone", Repo: "acme/app", User: "ana"}}
		again := ended("J2", syncqueue.ResultDone)
		again.Outcome.Next = time.Now().Add(time.Hour)
		failed := ended("J3", syncqueue.ResultBuried)
		failed.Err = errors.New("gone\nfor good")
		for _, r := range []syncqueue.Report{
			visible, again, ended("J4", syncqueue.ResultRetried), ended("J5", syncqueue.ResultAgain), ended("J6", syncqueue.ResultLost),
			ended("J7", syncqueue.ResultParked), failed,
		} {
			w.feed.Job(r)
		}
		a.expect("visible acme/app", "job J1", "job J7")
		if kind, data := a.next(); kind != "job" || data["outcome"] != "buried" || data["error"] != "gone\nfor good" {
			t.Errorf("%s %v", kind, data)
		}
		// A sign of life, and nothing else.
		start := time.Now()
		if kind, _ := a.next(); kind != "comment" || time.Since(start) > 15*time.Second {
			t.Errorf("%s after %v", kind, time.Since(start))
		}
	})
}

func TestAListenerGoesOnWhereHeWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := told(t)
		a := listen(t, w.admin, "viewer", "")
		w.feed.Delivery(entry("A", time.Now()), 0)
		w.feed.Delivery(entry("B", time.Now()), 0)
		a.expect("delivery A", "delivery B")
		first := a.last
		_ = a.conn.Close()
		w.feed.Delivery(entry("C", time.Now()), 0)
		w.feed.Delivery(entry("D", time.Now()), 0)
		listen(t, w.admin, "viewer", first).expect("delivery C", "delivery D")

		// More happens than is kept, and than the store is asked for.
		for i := range 2100 {
			e := entry(fmt.Sprint("E", i), time.Now())
			if _, err := w.db.Push(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			w.feed.Delivery(e, 0)
		}
		b := listen(t, w.admin, "viewer", first)
		b.expect("reset")
		w.feed.Delivery(entry("F", time.Now()), 0)
		b.expect("delivery F")
	})
}

// TestAPlaceOutlivesARestart asks a new feed, which has nothing in memory, on
// the same store.
func TestAPlaceOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := told(t)
		a := listen(t, w.admin, "viewer", "")
		_, one := w.send(created("one"))
		a.expect(fmt.Sprint("delivery ", one["delivery"]))
		time.Sleep(5 * time.Minute)
		_, two := w.send(created("two"))
		time.Sleep(5 * time.Second) // the job is due
		job := w.run(syncqueue.Outcome{}).Job.ID
		time.Sleep(time.Second)
		w.startFeed()
		time.Sleep(time.Second)
		b := listen(t, w.admin, "viewer", a.last)
		w.feed.Delivery(entry("NEW", time.Now()), 0)
		// What is too near to the place to be sure of is told again.
		b.expect(fmt.Sprint("delivery ", one["delivery"]), fmt.Sprint("delivery ", two["delivery"]), "job "+job, "delivery NEW")

		for id, why := range map[string]string{
			"yesterday": "an id of somebody else",
			fmt.Sprint(time.Now().Add(-2 * time.Hour).UnixNano()): "too long ago",
			fmt.Sprint(time.Now().Add(time.Hour).UnixNano()):      "to come",
		} {
			c := listen(t, w.admin, "viewer", id)
			if kind, _ := c.next(); kind != "reset" {
				t.Errorf("%s: got %s", why, kind)
			}
			w.feed.Delivery(entry("X", time.Now()), 0)
			c.expect("delivery X")
		}
	})
}

// TestWhereNobodyListensNothingIsKept, and whoever comes back is told all the
// same.
func TestWhereNobodyListensNothingIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := told(t)
		e := entry("A", time.Now())
		if n := testing.AllocsPerRun(100, func() { w.feed.Delivery(e, 0) }); n > 0 {
			t.Errorf("%v allocations for nobody", n)
		}
		a := listen(t, w.admin, "viewer", "")
		_, one := w.send(created("one"))
		a.expect(fmt.Sprint("delivery ", one["delivery"]))
		_ = a.conn.Close()
		synctest.Wait()
		time.Sleep(40 * time.Minute)
		_, two := w.send(created("two"))
		time.Sleep(15 * time.Minute)
		listen(t, w.admin, "viewer", a.last).expect(fmt.Sprint("delivery ", two["delivery"]))

		w.startFeed() // nobody has come yet
		_, three := w.send(created("three"))
		listen(t, w.admin, "viewer", a.last).expect(
			fmt.Sprint("delivery ", one["delivery"]), fmt.Sprint("delivery ", two["delivery"]), fmt.Sprint("delivery ", three["delivery"]))
	})
}

// TestASlowListenerIsCutAndHoldsNobodyUp lets one read nothing at all.
func TestASlowListenerIsCutAndHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := told(t)
		slow, quick := listen(t, w.admin, "viewer", ""), listen(t, w.admin, "viewer", "")
		start := time.Now()
		for i := range 300 {
			w.feed.Delivery(entry(fmt.Sprint("A", i), time.Now()), 0)
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("telling waited for %v", took)
		}
		for i := range 300 {
			quick.expect(fmt.Sprint("delivery A", i))
		}
		quickly := make(chan string)
		go func() {
			kind := "comment"
			for kind == "comment" {
				kind, _ = quick.next()
			}
			quickly <- kind
		}()
		time.Sleep(11 * time.Second)
		synctest.Wait()
		for kind := ""; kind != "end"; {
			kind, _ = slow.next()
		}
		w.feed.Delivery(entry("B", time.Now()), 0)
		if kind := <-quickly; kind != "delivery" {
			t.Errorf("the other one is told %s", kind)
		}
	})
}

// TestAListenerWhoFallsBehindReadsAnew overtakes one who reads slowly, and not
// so slowly that he is cut.
func TestAListenerWhoFallsBehindReadsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := told(t)
		a := listen(t, w.admin, "viewer", "")
		w.feed.Delivery(entry("A", time.Now()), 0)
		synctest.Wait() // he is being told
		for i := range 5000 {
			w.feed.Delivery(entry(fmt.Sprint("B", i), time.Now()), 0)
		}
		a.expect("delivery A", "reset")
		w.feed.Delivery(entry("C", time.Now()), 0)
		a.expect("delivery C")
	})
}

func TestTheFeedEndsWithTheTokenAndWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := told(t)
		vera, adam := listen(t, w.admin, "viewer", ""), listen(t, w.admin, "admin", "")
		w.revoked.Store("vera")
		for {
			kind, _ := vera.next()
			if kind == "end" {
				break
			}
			if kind != "comment" {
				t.Fatalf("told %s to one whose token is void", kind)
			}
		}
		w.feed.Delivery(entry("A", time.Now()), 0)
		w.feed.Close()
		w.feed.Delivery(entry("B", time.Now()), 0)
		for kind := ""; kind != "delivery"; {
			kind, _ = adam.next()
		}
		if kind, _ := adam.next(); kind != "end" {
			t.Errorf("after the end: %s", kind)
		}
		if late := listen(t, w.admin, "admin", ""); late.resp.StatusCode != http.StatusServiceUnavailable || late.resp.Header.Get("Retry-After") == "" {
			t.Errorf("after the end: %s", late.resp.Status)
		}
	})
}

func TestOnlySoManyListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := told(t)
		var all []*audience
		for range 32 {
			all = append(all, listen(t, w.admin, "viewer", ""))
		}
		if a := listen(t, w.admin, "viewer", ""); a.resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("one too many: %s", a.resp.Status)
		}
		_ = all[0].conn.Close()
		synctest.Wait()
		if a := listen(t, w.admin, "viewer", ""); a.resp.StatusCode != http.StatusOK {
			t.Errorf("when one has gone: %s", a.resp.Status)
		}
	})
}

// TestALargeHappeningIsToldByItsID keeps names of megabytes out of memory.
func TestALargeHappeningIsToldByItsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := told(t)
		a := listen(t, w.admin, "viewer", "")
		e := entry("A", time.Now())
		e.Reason = strings.Repeat("x", 1<<20)
		w.feed.Delivery(e, 0)
		kind, data := a.next()
		if kind != "delivery" || len(data) != 1 || data["id"] != "A" {
			t.Errorf("%s of %d keys", kind, len(data))
		}
	})
}

func TestAFeedNobodyHasHearsEverything(t *testing.T) {
	var f *handlers.Feed
	f.Delivery(entry("A", time.Now()), 1)
	f.Job(ended("J", syncqueue.ResultDone))
	f.Close()
	w := newWorld(t)
	if rec, _ := w.call("viewer", "GET", "/api/v1/events", ""); rec.Code != http.StatusNotFound {
		t.Errorf("without a feed: %d", rec.Code)
	}
}
