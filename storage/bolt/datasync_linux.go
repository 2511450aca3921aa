package bolt

import (
	"os"
	"syscall"
)

// datasync returns when what was written to f is on disk. It does not wait for
// the time of the last change, which nobody asks for: a fsync would write the
// journal of the file system each time (fdatasync(2)).
func datasync(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
