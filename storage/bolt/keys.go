package bolt

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// Keys sort as what they are made of. A text is escaped and terminated, so that
// no text is a prefix of another; a time is eight bytes of nanoseconds.
//
//	"a\x00b"  ->  a 00 ff b 00 01
const (
	escape     = 0x00
	escaped    = 0xff
	terminated = 0x01
	beyond     = 0x02 // sorts after every key that continues a terminated text
)

// maxLabel bounds, in bytes, the part of a login or path that goes into a key:
// bbolt refuses keys above 32 KiB, and no forge has such names.
const maxLabel = 512

func appendText(b []byte, s string) []byte { return append(appendBare(b, s), escape, terminated) }

func appendBare(b []byte, s string) []byte {
	for i := range len(s) {
		b = append(b, s[i])
		if s[i] == escape {
			b = append(b, escaped)
		}
	}
	return b
}

func join(parts ...string) []byte {
	n := 0
	for _, p := range parts {
		n += len(p) + 2
	}
	b := make([]byte, 0, n)
	for _, p := range parts {
		b = appendText(b, p)
	}
	return b
}

// cut reads the first text of a key.
func cut(k []byte) (text string, rest []byte, ok bool) {
	var b strings.Builder
	for i := 0; i < len(k); i++ {
		if k[i] != escape {
			b.WriteByte(k[i])
			continue
		}
		if i+1 == len(k) {
			break
		}
		if k[i+1] == terminated {
			return b.String(), k[i+2:], true
		}
		b.WriteByte(escape)
		i++
	}
	return "", nil, false
}

// texts reads a key that is n texts.
func texts(k []byte, n int) ([]string, bool) {
	out := make([]string, n)
	for i := range out {
		var ok bool
		if out[i], k, ok = cut(k); !ok {
			return nil, false
		}
	}
	return out, len(k) == 0
}

// appendTime clamps to what fits; the zero time sorts first.
func appendTime(b []byte, t time.Time) []byte {
	var n int64
	if year := t.Year(); year > 2261 {
		n = 1<<63 - 1
	} else if year >= 1970 {
		n = t.UnixNano()
	}
	return binary.BigEndian.AppendUint64(b, uint64(n))
}

func timeOf(k []byte) time.Time { return time.Unix(0, int64(binary.BigEndian.Uint64(k))) }

// label is the sortable form of a login or path. Bytes that are no text become
// what JSON makes of them, so that it is the same before and after storing.
func label(s string) string {
	s = providers.Fold(string([]rune(s)))
	return s[:min(len(s), maxLabel)]
}

func waitingKey(j syncqueue.Job) []byte {
	return append(appendTime([]byte{byte(j.Lane)}, j.NotBefore), j.ID...)
}

func peerKey(p syncqueue.Peer) []byte { return appendText(appendText(nil, p.Provider), p.Target) }

func readyKey(j syncqueue.Job) []byte {
	b := append(peerKey(j.Peer()), byte(j.Lane))
	b = appendText(b, j.Org)
	b = appendText(b, string(j.Kind))
	return append(appendTime(b, j.NotBefore), j.ID...)
}

func leasedKey(r *jobRecord) []byte { return append(appendTime(nil, r.Until), r.ID...) }

func stateKey(j syncqueue.Job) []byte { return append(statePrefix(j.State), j.ID...) }

// statePrefix numbers the states in the order of syncqueue.States.
func statePrefix(s syncqueue.State) []byte {
	return []byte{byte(slices.Index(syncqueue.States, s))}
}

func endedKey(j syncqueue.Job) []byte { return append(appendTime(nil, j.Finished), j.ID...) }

func causedKey(delivery, job string) []byte { return append(join(delivery), job...) }
