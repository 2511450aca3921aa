package vault

import (
	"errors"
	"os"
	"path/filepath"
)

// replace puts b in the place of the file at path. After a crash at any moment
// the file is the old one or the new one; when replace has returned nil, the new
// one.
func replace(path string, b []byte) error {
	next := path + ".new" // what a crash left behind is overwritten
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
