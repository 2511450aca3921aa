package bolt_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookd/hookd/storage/bolt"
)

// TestEveryFailingSystemCall runs a short script with the N-th write or sync
// failing, for every N, and looks whether everything that was acknowledged is
// there, and nothing by half. It needs strace, and HOOKD_STRACE=1 to be run.
func TestEveryFailingSystemCall(t *testing.T) {
	if os.Getenv("HOOKD_STRACE") == "" {
		t.Skip("HOOKD_STRACE is not set")
	}
	for _, fault := range []string{
		"fdatasync:error=EIO", "pwrite64:error=ENOSPC", "pwrite64:error=EIO", "ftruncate:error=ENOSPC",
		"fdatasync:signal=SIGKILL", "pwrite64:signal=SIGKILL",
	} {
		t.Run(strings.ReplaceAll(fault, ":", " "), func(t *testing.T) {
			for n := 1; n <= 150; n++ {
				path := filepath.Join(t.TempDir(), "hookd.db")
				ledger, fired := failing(t, path, fmt.Sprintf("%s:when=%d", fault, n))
				if !fired {
					return // the script is over before the N-th call
				}
				if _, err := os.Stat(path); err != nil && len(ledger) == 0 {
					continue
				}
				if lost := missing(t, path, ledger); len(lost) > 0 {
					t.Fatalf("call %d: %d of %d acknowledged deliveries are lost", n, len(lost), len(ledger))
				}
			}
		})
	}
}

// failing runs the script with an injected fault and returns what it
// acknowledged, and whether the fault struck.
func failing(t *testing.T, path, inject string) (ledger []string, fired bool) {
	t.Helper()
	cmd := child(t, path, "script")
	trace := path + ".trace"
	cmd.Args = append([]string{"strace", "-f", "-qq", "-o", trace, "-e", "trace=" + strings.SplitN(inject, ":", 2)[0], "-e", "inject=" + inject}, cmd.Path)
	var err error
	if cmd.Path, err = exec.LookPath("strace"); err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = nil
	out, _ := cmd.Output() // it may fail, and it may be killed
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(trace); err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out)), bytes.Contains(text, []byte("INJECTED")) || bytes.Contains(text, []byte("killed by"))
}

// script pushes twelve deliveries one after the other, and writes the ids of
// those that were acknowledged.
func script(path string) {
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		fatal(err)
	}
	for i := range int64(12) {
		e, j := delivery(i, noise(2000))
		if _, err := db.Push(context.Background(), e, j); err == nil {
			fmt.Println(e.Delivery.ID)
		}
	}
	os.Exit(0)
}
