package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// writeNew makes a file of what write writes to it, and nothing if that fails:
// the file appears whole and synced, or not at all. One that exists already is
// never touched. Only its owner may read it.
//
// check, if there is one, looks at the file under the name that it has until
// then.
func writeNew(name string, write func(io.Writer) error, check func(file string) error) (err error) {
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("%s exists already: remove it, or name another file", name)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("creating %s: %w", name, err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if check != nil {
		if err := check(f.Name()); err != nil {
			return err
		}
	}
	// Unlike a rename, a link does not replace what came there meanwhile.
	if err := os.Link(f.Name(), name); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already: remove it, or name another file", name)
	} else if err != nil {
		// Some file systems have no links.
		if err := os.Rename(f.Name(), name); err != nil {
			return fmt.Errorf("creating %s: %w", name, err)
		}
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return fmt.Errorf("syncing the folder of %s: %w", name, err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("syncing the folder of %s: %w", name, err)
	}
	return nil
}
