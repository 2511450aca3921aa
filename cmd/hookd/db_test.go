package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
)

// dataFile is the file of a stopped store with a delivery of this id.
func dataFile(t *testing.T, guid string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hookd.db")
	db, err := bolt.Open(file, bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	_, err = db.Push(t.Context(), syncqueue.Entry{
		Delivery: providers.Delivery{ID: syncqueue.NewID(now), Provider: "git", GUID: guid, Body: []byte("{}"), Received: now},
		Result:   syncqueue.EntryIgnored,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestDamageIsReportedAndNeitherCompactedNorBackedUp(t *testing.T) {
	file := dataFile(t, "spoil-this")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := bytes.ReplaceAll(text, []byte("spoil-this"), []byte("spoilt\x1b[2J"))
	if err := os.WriteFile(file, spoilt, 0o600); err != nil {
		t.Fatal(err)
	}
	env := environ{"HOOKD_DATA_DIR=" + filepath.Dir(file), "HOOKD_CONFIG=" + write(t, "hookd.yaml", "{}\n")}
	code, stdout, _ := hookd(t, env, "db", "check")
	if code != exitFailed || !strings.Contains(stdout, ": 1 fault, ") || !strings.Contains(stdout, "\nFAIL ") ||
		!strings.Contains(stdout, "in bucket deliveries is damaged: its checksum does not match") || !strings.Contains(stdout, "\nfix: restore a backup") {
		t.Errorf("exit %d, said %q", code, stdout)
	}
	if code, stdout, _ := hookd(t, env, "db", "check", "-o", "json"); code != exitFailed || !strings.Contains(stdout, `"sound": false`) {
		t.Errorf("as JSON: exit %d, said %q", code, stdout)
	}
	if code, _, stderr := hookd(t, env, "db", "compact"); code != exitFailed || !strings.Contains(stderr, "damaged") {
		t.Errorf("compact: exit %d, said %q", code, stderr)
	}
	out := filepath.Join(t.TempDir(), "copy.db")
	if code, _, stderr := hookd(t, env, "db", "backup", "--out", out); code != exitFailed || !strings.Contains(stderr, "damaged") {
		t.Errorf("backup: exit %d, said %q", code, stderr)
	}
	if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, spoilt) {
		t.Errorf("the file was changed, %v", err)
	}
}

// TestABackupThatIsNotWholeIsNotKept lets the server send half of one, and all
// of what is none.
func TestABackupThatIsNotWholeIsNotKept(t *testing.T) {
	whole, err := os.ReadFile(dataFile(t, "x"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		send []byte
		want string
	}{
		"half": {whole[:len(whole)/2], "broke off"},
		"none": {bytes.Repeat([]byte("x"), len(whole)), "the copy cannot be used"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
			_, _ = w.Write(test.send)
		}))
		out := filepath.Join(t.TempDir(), "copy.db")
		code, _, stderr := hookd(t, nil, "db", "backup", "--out", out, "--admin", srv.URL, "--token-file", write(t, "token", "canary-canary-canary"))
		srv.Close()
		if code != exitFailed || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: exit %d, said %q", name, code, stderr)
		}
		if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind %v, %v", name, left, err)
		}
	}
}
