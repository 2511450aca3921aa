package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers/providerstest"
)

// TestWhatFailedWhileHookdWasDeadIsJournalledOnce lets two hundred deliveries
// fail while no hookd runs, and kills the next two lives while they fetch what
// was missed. In the end every one is in the journal once, and everybody sees in
// Drone what the forge grants. Polls are too rare to help.
func TestWhatFailedWhileHookdWasDeadIsJournalledOnce(t *testing.T) {
	for _, kind := range []string{"github", "gitlab"} {
		t.Run(kind, func(t *testing.T) { missed(t, kind) })
	}
}

func missed(t *testing.T, kind string) {
	const n = 200
	dir, addr := t.TempDir(), freeAddr(t)
	w, err := newWorld(kind, "drone", dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	w.poll = time.Hour
	if err := w.save(""); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, worldConfig)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	fixed := strings.Replace(string(text), "listen: 127.0.0.1:0\n", fmt.Sprintf("listen: %s\npublic_url: http://%s\n", addr, addr), 1)
	if err := os.WriteFile(name, []byte(fixed+hasty), 0o600); err != nil {
		t.Fatal(err)
	}

	s := startServer(t, dir)
	if err := w.connect(addr); err != nil {
		t.Fatal(err)
	}
	if err := w.create("heard"); err != nil {
		t.Fatal(err)
	}
	w.awaitShown(t, "ana", "acme/base", "acme/heard")
	s.kill(t)

	want := []string{"acme/base", "acme/heard"}
	for i := range n {
		if err := w.create(fmt.Sprint("missed-", i)); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint("acme/missed-", i))
	}
	if err := w.forge.Delivered(t.Context()); err != nil {
		t.Fatal(err)
	}
	failed := w.failed()
	if len(failed) < n {
		t.Fatalf("only %d deliveries failed", len(failed))
	}

	for _, enough := range []int{20, len(failed) / 2} {
		s = startServer(t, dir)
		for end := time.Now().Add(patience); len(s.journal(t)) < enough && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		s.kill(t)
	}
	s = startServer(t, dir)
	defer func() { s.kill(t) }()
	var seen map[string]int
	arrived := func(guid string) bool { return seen[guid] > 0 }
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		seen = map[string]int{}
		for _, guid := range s.journal(t) {
			seen[guid]++
		}
		if !slices.ContainsFunc(failed, func(guid string) bool { return !arrived(guid) }) {
			break
		}
	}
	for guid, n := range seen {
		if n > 1 {
			t.Errorf("%s is journalled %d times", guid, n)
		}
	}
	for _, guid := range failed {
		if !arrived(guid) {
			t.Errorf("%s never arrived", guid)
		}
	}
	w.awaitShown(t, "ana", want...)
	w.awaitShown(t, "li", want...)
	w.awaitShown(t, "omar", "acme/base")

	// And whoever asks once more finds nothing.
	found := s.backfill(t, dir)
	if found.Read < len(failed) || found.Missed != 0 || found.Fetched != 0 || found.Known < len(failed) || !found.Complete {
		t.Errorf("%+v", found)
	}
	if got := len(s.journal(t)); got != len(seen) {
		t.Errorf("the journal had %d deliveries and has %d", len(seen), got)
	}
}

// freeAddr is an address that nobody listens on, as one a webhook knows.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// failed are the ids of the deliveries that got no 2xx and change somebody's
// list.
func (w *world) failed() (guids []string) {
	switch g := w.forge.simulator.(type) {
	case *providerstest.GitHub:
		for _, d := range g.Deliveries() {
			if d.Status/100 != 2 && d.Event != "ping" && d.Event != "push" {
				guids = append(guids, d.UUID)
			}
		}
	case *providerstest.GitLab:
		for _, d := range g.Deliveries() {
			if d.Status/100 != 2 {
				guids = append(guids, d.UUID)
			}
		}
	}
	return guids
}

// awaitShown waits until Drone shows a user just these repositories.
func (w *world) awaitShown(t *testing.T, login string, want ...string) {
	t.Helper()
	slices.Sort(want)
	var got []string
	for end := time.Now().Add(2 * patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		got = w.drone.Shows(login)
		slices.Sort(got)
		if slices.Equal(got, want) {
			return
		}
	}
	t.Fatalf("%s sees %d repositories (%.300s), want %d", login, len(got), fmt.Sprint(got), len(want))
}

// journal lists the forge's ids of all deliveries.
func (s *running) journal(t *testing.T) (guids []string) {
	t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				GUID string `json:"delivery_id"`
			} `json:"items"`
			Next *string `json:"next"`
		}
		s.get(t, "/api/v1/deliveries?limit=500&cursor="+cursor, &page)
		for _, d := range page.Items {
			guids = append(guids, d.GUID)
		}
		if page.Next == nil {
			return guids
		}
		cursor = *page.Next
	}
}

type backfilled struct {
	Read, Missed, Fetched, Known int
	Complete                     bool
}

// backfill runs the command.
func (s *running) backfill(t *testing.T, dir string) (found backfilled) {
	t.Helper()
	cmd := exec.Command("hookd", "deliveries", "backfill", "--since", "1h", "-o", "json", "--admin", "http://"+s.admin, "--token-file", filepath.Join(dir, "data", "admin-token"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return found
}
