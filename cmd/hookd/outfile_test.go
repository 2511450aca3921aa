package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestANewFileIsWholeOrNotThere(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	broken := errors.New("broke off")
	half := func(w io.Writer) error { return errors.Join(text("half")(w), broken) }
	if err := writeNew(name, half, nil); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	refused := errors.New("refused")
	if err := writeNew(name, text("bad"), func(string) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("got %v, want %v", err, refused)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := writeNew(name, text("whole"), func(file string) error {
		if b, err := os.ReadFile(file); string(b) != "whole" {
			t.Errorf("the check saw %q, %v", b, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := writeNew(name, text("other"), nil); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("got %v", err)
	}
	// What comes there while it is written is not touched either.
	late := filepath.Join(dir, "late")
	if err := writeNew(late, text("mine"), func(string) error { return os.WriteFile(late, []byte("theirs"), 0o600) }); err == nil {
		t.Error("wrote over a file that came there meanwhile")
	}
	for file, want := range map[string]string{name: "whole", late: "theirs"} {
		if b, err := os.ReadFile(file); string(b) != want {
			t.Errorf("%s holds %q, %v", file, b, err)
		}
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
