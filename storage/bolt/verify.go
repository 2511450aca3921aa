package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// verify walks the pages of a bbolt file as bbolt does when it opens one to
// write to it. bbolt does so in a goroutine of its own, where a panic over a
// damaged page ends the process; here it is an error. Files without a valid
// meta page are left to bbolt, which refuses them in good order.
func verify(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	m, ok := latestMeta(f)
	if !ok {
		return nil
	}
	if int64(m.high)*int64(m.pageSize) > info.Size() {
		return fmt.Errorf("it is cut short: it has %d bytes of %d", info.Size(), int64(m.high)*int64(m.pageSize))
	}
	w := walker{f: f, meta: m, seen: make([]uint64, m.high/64+1)}
	_, err = w.walk(m.root, nil, nil, 0)
	return err
}

// The layout of a bbolt file, in the machine's byte order. Offsets are in bytes.
const (
	pageHeader    = 16 // id 8, flags 2, count 2, overflow 4
	elementHeader = 16 // branch: pos 4, key size 4, page 8; leaf: flags 4, pos 4, key size 4, value size 4
	branchPage    = 1
	leafPage      = 2
	bucketElement = 1

	metaMagic  = 0xED0CDAED
	metaLength = 64 // magic 4, version 4, page size 4, flags 4, root 8, sequence 8, freelist 8, high 8, transaction 8, checksum 8
)

var order = binary.NativeEndian

type fileMeta struct {
	pageSize   int
	root, high uint64 // high is the first page that was never used
	txid       uint64
}

// latestMeta returns the valid meta page of the later transaction. The second
// one lies a page into the file, whose size only the first one tells for sure.
func latestMeta(f io.ReaderAt) (best fileMeta, ok bool) {
	try := func(offset int64) {
		b := make([]byte, pageHeader+metaLength)
		if _, err := f.ReadAt(b, offset); err != nil {
			return
		}
		b = b[pageHeader:]
		sum := fnv.New64a()
		_, _ = sum.Write(b[:56])
		if order.Uint32(b) != metaMagic || order.Uint64(b[56:]) != sum.Sum64() {
			return
		}
		m := fileMeta{
			pageSize: int(order.Uint32(b[8:])), root: order.Uint64(b[16:]),
			high: order.Uint64(b[40:]), txid: order.Uint64(b[48:]),
		}
		if m.pageSize >= 1024 && m.pageSize <= 1<<24 && (!ok || m.txid > best.txid) {
			best, ok = m, true
		}
	}
	try(0)
	if ok {
		try(int64(best.pageSize))
		return best, ok
	}
	for size := int64(1024); size <= 1<<24 && !ok; size *= 2 {
		try(size)
	}
	return best, ok
}

// A walker visits every page that is reachable, once.
type walker struct {
	f    io.ReaderAt
	meta fileMeta
	seen []uint64 // a bit for each page
	bufs [][]byte // by depth
}

// walk checks the tree under a page: all keys in order, from min (if any) and
// below max (if any). It returns the last key.
func (w *walker) walk(id uint64, min, max []byte, depth int) (last []byte, err error) {
	bad := func(format string, args ...any) ([]byte, error) {
		return nil, fmt.Errorf("page %d: %s", id, fmt.Sprintf(format, args...))
	}
	if id < 2 || id >= w.meta.high {
		return bad("it is outside of the file")
	}
	if len(w.bufs) == depth {
		w.bufs = append(w.bufs, make([]byte, w.meta.pageSize))
	}
	p := w.bufs[depth]
	start := int64(id) * int64(w.meta.pageSize)
	if _, err := w.f.ReadAt(p, start); err != nil {
		return bad("%v", err)
	}
	flags, count, overflow := order.Uint16(p[8:]), int(order.Uint16(p[10:])), uint64(order.Uint32(p[12:]))
	size := (int64(overflow) + 1) * int64(w.meta.pageSize)
	switch {
	case order.Uint64(p) != id:
		return bad("it says that it is page %d", order.Uint64(p))
	case flags != branchPage && flags != leafPage:
		return bad("it is of no known kind")
	case flags == branchPage && count == 0:
		return bad("it leads nowhere")
	case id+overflow >= w.meta.high:
		return bad("it reaches beyond the file")
	case int64(pageHeader+count*elementHeader) > size:
		return bad("it has more entries than room")
	}
	for n := id; n <= id+overflow; n++ {
		if w.seen[n/64]&(1<<(n%64)) != 0 {
			return bad("it is used twice")
		}
		w.seen[n/64] |= 1 << (n % 64)
	}
	page := io.NewSectionReader(w.f, start, size)
	element := func(i int) (e element, err error) {
		at := int64(pageHeader + i*elementHeader)
		raw, err := part(p, page, at, elementHeader)
		if err != nil {
			return e, err
		}
		if flags == branchPage {
			e.pos, e.keySize, e.child = int64(order.Uint32(raw)), int64(order.Uint32(raw[4:])), order.Uint64(raw[8:])
		} else {
			e.bucket = order.Uint32(raw)&bucketElement != 0
			e.pos, e.keySize, e.valueSize = int64(order.Uint32(raw[4:])), int64(order.Uint32(raw[8:])), int64(order.Uint32(raw[12:]))
		}
		e.pos += at
		if e.pos+e.keySize+e.valueSize > size {
			return e, errors.New("an entry reaches beyond it")
		}
		key, err := part(p, page, e.pos, e.keySize)
		e.key = bytes.Clone(key)
		return e, err
	}
	for i := range count {
		e, err := element(i)
		if err != nil {
			return bad("%v", err)
		}
		c := bytes.Compare(e.key, last)
		if i == 0 {
			c = bytes.Compare(e.key, min)
		}
		if i > 0 && c <= 0 || c < 0 || max != nil && bytes.Compare(e.key, max) >= 0 {
			return bad("its keys are out of order")
		}
		last = e.key
		switch {
		case flags == branchPage:
			below := max
			if i+1 < count {
				next, err := element(i + 1)
				if err != nil {
					return bad("%v", err)
				}
				below = next.key
			}
			if last, err = w.walk(e.child, e.key, below, depth+1); err != nil {
				return nil, err
			}
		case e.bucket:
			if err := w.bucket(p, page, e, depth+1); err != nil {
				return bad("%v", err)
			}
		}
	}
	return last, nil
}

// An element is one entry of a page.
type element struct {
	pos, keySize, valueSize int64
	child                   uint64
	bucket                  bool
	key                     []byte
}

// bucket walks the tree of a bucket. One of few small entries has none: they
// stand in the place of its value.
func (w *walker) bucket(p []byte, page io.ReaderAt, e element, depth int) error {
	if e.valueSize < 16 {
		return errors.New("a bucket has no head")
	}
	head, err := part(p, page, e.pos+e.keySize, 16)
	if err != nil {
		return err
	}
	if root := order.Uint64(head); root != 0 {
		_, err = w.walk(root, nil, nil, depth)
	}
	return err
}

// part returns n bytes of a page, of which the first ones are at hand.
func part(first []byte, page io.ReaderAt, at, n int64) ([]byte, error) {
	if at+n <= int64(len(first)) {
		return first[at : at+n], nil
	}
	b := make([]byte, n)
	_, err := page.ReadAt(b, at)
	return b, err
}
