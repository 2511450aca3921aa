package handlers

import (
	"math/bits"
	"sync"
)

// buffers keeps those that small bodies were read into: what a delivery
// allocates is mostly the room for its body. They double in size, from
// firstChunk to smallBody.
var buffers [6]sync.Pool

func sizeClass(n int64) int { return bits.Len64(uint64(n-1) / firstChunk) }

// roundUp returns the size of a buffer for n bytes.
func roundUp(n int64) int64 {
	if c := sizeClass(n); c < len(buffers) {
		return firstChunk << c
	}
	return n
}

// newBuffer returns an empty buffer of a size that roundUp gave.
func newBuffer(size int64) *[]byte {
	if c := sizeClass(size); c < len(buffers) {
		if b, ok := buffers[c].Get().(*[]byte); ok {
			return b
		}
	}
	b := make([]byte, 0, size)
	return &b
}

// reuse takes back a buffer that newBuffer gave and nobody refers to.
func reuse(b *[]byte) {
	if c := sizeClass(int64(cap(*b))); c < len(buffers) {
		*b = (*b)[:0]
		buffers[c].Put(b)
	}
}
