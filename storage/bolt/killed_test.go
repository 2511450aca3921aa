package bolt_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
)

// The test binary runs itself as a child process that does what these name.
const (
	childMode = "HOOKD_TEST_CHILD"
	childPath = "HOOKD_TEST_PATH"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childMode) {
	case "":
		os.Exit(m.Run())
	case "push":
		pushForEver(os.Getenv(childPath), false)
	case "promise":
		pushForEver(os.Getenv(childPath), true)
	case "script":
		script(os.Getenv(childPath))
	case "fill":
		fillDisk(os.Getenv(childPath))
	}
}

// pushForEver pushes from many goroutines and writes the id of each delivery to
// standard output when it was acknowledged: or before, for the control.
func pushForEver(path string, promise bool) {
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		fatal(err)
	}
	start := time.Now().UnixNano()
	body := noise(2000)
	for n := range int64(16) {
		go func() {
			for i := start + n; ; i += 16 {
				e, j := delivery(i, body)
				e.Delivery.GUID = fmt.Sprint("guid-", i)
				if promise {
					fmt.Println(e.Delivery.ID)
				}
				if _, err := db.Push(context.Background(), e, j); err != nil {
					fatal(err)
				}
				if !promise {
					fmt.Println(e.Delivery.ID)
				}
			}
		}()
	}
	select {}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestAcknowledgedSurvivesKill kills a process that pushes, with signal 9 and at
// random times, and looks for everything that it had acknowledged.
//
// What was written survives in the page cache even if it was never synced, so
// this cannot tell a store that syncs from one that does not: only a machine
// that loses power can. It does tell whether an acknowledgement comes after the
// commit, which TestPromisedDoesNotSurviveKill controls.
func TestAcknowledgedSurvivesKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hookd.db")
	var ledger []string
	for range 10 {
		ledger = append(ledger, killed(t, path, "push")...)
		if lost := missing(t, path, ledger); len(lost) > 0 {
			t.Fatalf("%d of %d acknowledged deliveries are lost, the first is %s", len(lost), len(ledger), lost[0])
		}
	}
	if len(ledger) < 100 {
		t.Errorf("only %d deliveries were acknowledged", len(ledger))
	}
}

// TestPromisedDoesNotSurviveKill is the control: a child that writes to the
// ledger before it pushes has to be found out.
func TestPromisedDoesNotSurviveKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hookd.db")
	for range 10 {
		if len(missing(t, path, killed(t, path, "promise"))) > 0 {
			return
		}
	}
	t.Error("ten killed processes kept promises that they made too early: the ledger proves nothing")
}

// killed runs a child until it was killed and returns its ledger.
func killed(t *testing.T, path, mode string) (ledger []string) {
	t.Helper()
	cmd := child(t, path, mode)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the child acknowledged nothing")
	}
	ledger = append(ledger, lines.Text())
	time.AfterFunc(time.Duration(rand.IntN(150))*time.Millisecond, func() { _ = cmd.Process.Kill() })
	for lines.Scan() {
		ledger = append(ledger, lines.Text())
	}
	_ = cmd.Wait()
	return ledger
}

func child(t *testing.T, path, mode string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childMode+"="+mode, childPath+"="+path)
	cmd.Stderr = t.Output()
	return cmd
}

// missing opens a store and returns those of the ledger that are not there
// whole: with their bytes, their job, and recognised when they come again.
func missing(t *testing.T, path string, ledger []string) (lost []string) {
	t.Helper()
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, id := range ledger {
		d, err := db.Body(t.Context(), id)
		if errors.Is(err, syncqueue.ErrUnknown) {
			lost = append(lost, id)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		jobs, err := db.JobsOf(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		again, err := db.Push(t.Context(), syncqueue.Entry{Delivery: d})
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Body) != 2000 || len(jobs) != 1 || again.Fresh {
			lost = append(lost, id)
		}
	}
	return lost
}

// TestFullDiskRecordsNothingByHalf runs a child whose files may not grow.
func TestFullDiskRecordsNothingByHalf(t *testing.T) {
	cmd := child(t, filepath.Join(t.TempDir(), "hookd.db"), "fill")
	out, err := cmd.Output()
	if err != nil || strings.TrimSpace(string(out)) != "ok" {
		t.Errorf("the child ended with %v and said %s", err, out)
	}
}

// fillDisk pushes until there is no room, three times: the file may not grow,
// the file may not even be written, and the file may grow again.
func fillDisk(path string) {
	// Writing beyond the limit is an error only for who ignores the signal.
	signal.Ignore(syscall.SIGXFSZ)
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		fatal(err)
	}
	ctx := context.Background()
	n, kept := int64(0), []string{}
	push := func(size int) (string, error) {
		n++
		e, j := delivery(n, noise(size))
		r, err := db.Push(ctx, e, j)
		if err == nil {
			kept = append(kept, r.Delivery)
		}
		return e.Delivery.ID, err
	}
	refused := func(size, tries int) {
		for range tries {
			id, err := push(size)
			if err == nil {
				continue
			}
			if !errors.Is(err, storage.ErrFull) {
				fatal(fmt.Errorf("want storage.ErrFull: %w", err))
			}
			if _, err := db.Delivery(ctx, id); !errors.Is(err, syncqueue.ErrUnknown) {
				fatal(fmt.Errorf("a refused delivery is half there: %w", err))
			}
			return
		}
		fatal(errors.New("the disk is never full"))
	}
	if _, err := push(100); err != nil {
		fatal(err)
	}
	limit(db.Bytes())
	refused(1<<20, 100)
	limit(16 << 10)
	refused(100, 10) // the write-ahead log has room for one, until that cannot be filed
	limit(1 << 30)
	if _, err := push(1 << 20); err != nil {
		fatal(err)
	}
	if err := db.Close(); err != nil {
		fatal(err)
	}
	if db, err = bolt.Open(path, bolt.Options{}); err != nil {
		fatal(err)
	}
	for _, id := range kept {
		if _, err := db.Body(ctx, id); err != nil {
			fatal(fmt.Errorf("an acknowledged delivery is lost: %w", err))
		}
	}
	fmt.Println("ok")
	os.Exit(0)
}

// limit bounds the size of every file that this process writes.
func limit(size int64) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
		fatal(err)
	}
	l.Cur = uint64(size)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
		fatal(err)
	}
}
