package bolt

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
)

// walSuffix is appended to the data file's path. The file of that name is the
// write-ahead log of deliveries.
const walSuffix = ".wal"

// The log is two halves that are written in turn: one is begun anew only when
// all that it holds is filed. A half is blocks, each of which begins a page, so
// that no write touches what an earlier one promised.
//
//	0      4                 8        12      16       24      50
//	+------+-----------------+--------+-------+--------+-------+-----------
//	| hkwl | crc(all behind) | length | count | number | store | pushes …
//	+------+-----------------+--------+-------+--------+-------+-----------
//
// Number is that of the block's first push. Numbers are never used again, and
// the data file tells up to which one all are filed: what else is found here,
// of earlier rounds or of another store, is passed over.
const (
	walMagic  = "hkwl"
	walHeader = 24 + idLen
	walPage   = 4 << 10
	walHalf   = 8 << 20
)

// errNoRoom means that the other half still holds what is not filed.
var errNoRoom = errors.New("bolt: the write-ahead log is full")

// A wal is the open log. One caller at a time appends.
type wal struct {
	f      *os.File
	store  string
	noSync bool
	half   int
	off    int64
	last   [2]uint64 // number of the newest push in each half
	next   uint64
	buf    []byte
}

// openWAL opens the log beside the data file at path, or makes it, and returns
// the pushes after filed that it holds, in order. Lost is how many more there
// must have been: their bytes were damaged.
func openWAL(path, store string, filed uint64, noSync bool) (w *wal, found []*pushed, lost uint64, err error) {
	f, err := os.OpenFile(path+walSuffix, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("bolt: opening the write-ahead log: %w", err)
	}
	w = &wal{f: f, store: store, noSync: noSync, next: filed + 1}
	if found, lost, err = w.read(filed); err == nil {
		err = syncDir(path)
	}
	if err != nil {
		return nil, nil, 0, errors.Join(err, f.Close())
	}
	return w, found, lost, nil
}

// append writes pushes, which get their numbers, and returns when they are on
// disk. After an error none of them counts, and the next ones take their place.
func (w *wal) append(batch []*pushed, filed uint64) error {
	w.buf = append(w.buf[:0], make([]byte, walHeader)...)
	for i, p := range batch {
		p.number = w.next + uint64(i)
		w.buf = p.appendTo(w.buf)
	}
	w.seal(len(batch))
	size := int64(len(w.buf))
	half, off := w.half, w.off
	if off+size > walHalf {
		half, off = 1-half, 0
	}
	if size > walHalf || half != w.half && w.last[half] > filed {
		return errNoRoom
	}
	if _, err := w.f.WriteAt(w.buf, int64(half)*walHalf+off); err != nil {
		return fmt.Errorf("bolt: writing ahead: %w", full(err))
	}
	if !w.noSync {
		if err := datasync(w.f); err != nil {
			return fmt.Errorf("bolt: syncing the write-ahead log: %w", full(err))
		}
	}
	w.next += uint64(len(batch))
	w.half, w.off, w.last[half] = half, off+size, w.next-1
	if cap(w.buf) > walHalf/8 {
		w.buf = nil
	}
	return nil
}

// seal fills in the header of the block in buf, and the page behind it.
func (w *wal) seal(count int) {
	b := w.buf
	copy(b, walMagic)
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-walHeader))
	binary.BigEndian.PutUint32(b[12:], uint32(count))
	binary.BigEndian.PutUint64(b[16:], w.next)
	copy(b[24:walHeader], w.store)
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
	if over := len(b) % walPage; over > 0 {
		b = append(b, make([]byte, walPage-over)...)
	}
	w.buf = b
}

// read finds what is not filed, how much of that is lost, and where to go on
// writing.
func (w *wal) read(filed uint64) (found []*pushed, lost uint64, err error) {
	all, err := io.ReadAll(io.NewSectionReader(w.f, 0, 2*walHalf))
	if err != nil {
		return nil, 0, fmt.Errorf("bolt: reading the write-ahead log: %w", err)
	}
	for half := range 2 {
		part := all[min(half*walHalf, len(all)):min((half+1)*walHalf, len(all))]
		for at := 0; at < len(part); {
			b, number, count, ok := w.block(part[at:])
			if !ok || number <= w.last[half] {
				at += walPage
				continue
			}
			pushes, err := cutPushes(b, number, count)
			if err != nil {
				return nil, 0, fmt.Errorf("bolt: reading the write-ahead log: push %d: %w", number, err)
			}
			end := at + roundUp(walHeader+len(b))
			w.last[half] = number + uint64(count) - 1
			if w.last[half] >= w.next {
				w.half, w.off, w.next = half, int64(end), w.last[half]+1
			}
			for _, p := range pushes {
				if p.number > filed {
					found = append(found, p)
				}
			}
			at = end
		}
	}
	slices.SortFunc(found, func(a, b *pushed) int { return cmp.Compare(a.number, b.number) })
	if n := uint64(len(found)); n > 0 && found[n-1].number-filed > n {
		lost = found[n-1].number - filed - n
	}
	return found, lost, nil
}

// block returns the payload of a block of this store that b begins with.
func (w *wal) block(b []byte) (payload []byte, number uint64, count int, ok bool) {
	if len(b) < walHeader || string(b[:4]) != walMagic || string(b[24:walHeader]) != w.store {
		return nil, 0, 0, false
	}
	end := walHeader + int64(binary.BigEndian.Uint32(b[8:]))
	if end > int64(len(b)) || crc32.Checksum(b[8:end], castagnoli) != binary.BigEndian.Uint32(b[4:]) {
		return nil, 0, 0, false
	}
	return b[walHeader:end], binary.BigEndian.Uint64(b[16:]), int(binary.BigEndian.Uint32(b[12:])), true
}

func roundUp(n int) int { return (n + walPage - 1) / walPage * walPage }

func (w *wal) close() error { return w.f.Close() }
