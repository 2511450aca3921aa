package github

import (
	"fmt"
	"testing"
)

func TestTheCacheKeepsWhatWasUsedLastWithinItsBound(t *testing.T) {
	const size = 8 << 10
	c := newCache(10 * size)
	put := func(i int) { c.put(&answer{key: fmt.Sprint("k", i), body: make([]byte, size-entryCost-2*2)}) }
	for i := range 9 {
		put(i)
	}
	if c.bytes != 9*size {
		t.Errorf("%d bytes", c.bytes)
	}
	c.get("k0")
	put(9)
	put(0) // again: replaced, not doubled
	if c.bytes != 10*size || len(c.entries) != 10 {
		t.Errorf("%d entries of %d bytes", len(c.entries), c.bytes)
	}
	c.get("k1")
	for i := 10; i < 12; i++ {
		c.put(&answer{key: fmt.Sprint("x", i), body: make([]byte, size-entryCost-2*3)})
	}
	for key, kept := range map[string]bool{"k0": true, "k1": true, "k2": false, "k3": false, "k4": true, "x11": true} {
		if (c.get(key) != nil) != kept {
			t.Errorf("%s: kept %v, want %v", key, !kept, kept)
		}
	}
	c.put(&answer{key: "k0", body: make([]byte, 2*size)})
	if c.get("k0") != nil || c.bytes > c.most || len(c.entries) != c.order.Len() {
		t.Errorf("%d entries of %d bytes, one too large among them", len(c.entries), c.bytes)
	}
}
