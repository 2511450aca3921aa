package vault_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestMain is also the process that gets killed: it keeps token after token,
// and says which it has kept.
func TestMain(m *testing.M) {
	path := os.Getenv("HOOKD_TEST_VAULT")
	if path == "" {
		os.Exit(m.Run())
	}
	t := &testing.T{}
	v := open(t, path, "drone", "a")
	for i := 0; ; i++ {
		keep(t, v, fmt.Sprintf("user-%d", i%7), fmt.Sprintf("token-%d", i))
		fmt.Println(i)
	}
}

func TestWhatWasKeptOutlivesKillMinus9(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	for round := range 8 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "HOOKD_TEST_VAULT="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		last := -1
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if _, err := fmt.Sscan(lines.Text(), &last); err != nil {
				t.Fatal(err)
			}
			if last == 20+round*3 {
				_ = cmd.Process.Kill() // what it said meanwhile is read to the end
			}
		}
		_ = cmd.Wait() // it was killed
		if last < 20 {
			t.Fatalf("it ended by itself, after %d tokens", last+1)
		}
		v := open(t, path, "drone", "a")
		for i := last - 6; i <= last; i++ {
			got, _ := v.Token(fmt.Sprintf("user-%d", i%7))
			next := i == last-6 && got.Text == fmt.Sprintf("token-%d", last+1) // kept, but not said any more
			if got.Text != fmt.Sprintf("token-%d", i) && !next {
				t.Errorf("round %d: instead of token %d there is %q; %d was said to be kept last", round, i, got.Text, last)
			}
		}
	}
}
