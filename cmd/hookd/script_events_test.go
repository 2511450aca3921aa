package main

import (
	"bufio"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// An ear reads the events of a server.
type ear struct {
	lines chan string // closed at the end
	last  string      // the id of the last event that was looked at
	seen  []string    // all of those: what happens at once may come in any order
}

func cmdListen(ts *testscript.TestScript, _ bool, args []string) {
	s := stageOf(ts)
	req, err := http.NewRequest(http.MethodGet, ts.Getenv("ADMIN")+"/api/v1/events", nil)
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(ts.ReadFile("data/admin-token")))
	if len(args) > 0 {
		req.Header.Set("Last-Event-ID", s.ear.last)
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	ts.Defer(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("%s", resp.Status)
	}
	e := &ear{lines: make(chan string, 10_000)}
	s.ear = e
	go func() {
		defer close(e.lines)
		in := bufio.NewScanner(resp.Body)
		for in.Scan() {
			e.lines <- in.Text()
		}
	}()
}

func cmdHeard(ts *testscript.TestScript, _ bool, args []string) {
	e := stageOf(ts).ear
	pattern := regexp.MustCompile(args[0])
	if slices.ContainsFunc(e.seen, pattern.MatchString) {
		return
	}
	event, late := "", time.After(patience)
	for {
		select {
		case line, open := <-e.lines:
			name, value, _ := strings.Cut(line, ": ")
			switch {
			case !open && args[0] == "end":
				return
			case !open:
				ts.Fatalf("the events ended before %s", pattern)
			case name == "id":
				e.last = value
			case name == "event":
				event = value
			case name == "data":
				e.seen = append(e.seen, event+" "+value)
				if pattern.MatchString(event + " " + value) {
					return
				}
			}
		case <-late:
			ts.Fatalf("no %s within %s in\n%s", pattern, patience, strings.Join(e.seen, "\n"))
		}
	}
}
