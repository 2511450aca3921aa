package bolt_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookd/hookd/storage/bolt"
)

func TestALookChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hookd.db")
	s, err := bolt.Look(path)
	if err != nil || s.Exists {
		t.Fatalf("where nothing is: %+v, %v", s, err)
	}
	if left, _ := filepath.Glob(path + "*"); len(left) != 0 {
		t.Fatalf("the look made %v", left)
	}

	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s, err = bolt.Look(path); err != nil || !s.InUse || !s.Marked {
		t.Errorf("in use: %+v, %v", s, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = bolt.Look(path); err != nil || s.InUse || !s.Exists || s.Schema == 0 || s.Size != int64(len(before)) {
		t.Errorf("closed: %+v, %v", s, err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the look changed the file")
	}
}

func TestALookTellsWhatOpenWouldRefuse(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(path string) error
		want  string
	}{
		"gone":         {os.Remove, "is gone"},
		"empty":        {func(path string) error { return os.Truncate(path, 0) }, "is empty"},
		"cut short":    {func(path string) error { return os.Truncate(path, 8192) }, "cannot be read"},
		"no data file": {func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("x", 70000)), 0o600) }, "cannot be read"},
		"another store": {func(path string) error {
			return os.WriteFile(path+".id", []byte("01ZZZZZZZZZZZZZZZZZZZZZZZZ\n"), 0o600)
		}, "tells of store"},
	} {
		path := filepath.Join(t.TempDir(), "hookd.db")
		db, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := test.spoil(path); err != nil {
			t.Fatal(err)
		}
		_, look := bolt.Look(path)
		_, open := bolt.Open(path, bolt.Options{})
		if look == nil || !strings.Contains(look.Error(), test.want) || open == nil {
			t.Errorf("%s: a look says %v, opening %v", name, look, open)
		}
	}
}
