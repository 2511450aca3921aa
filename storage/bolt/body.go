package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
)

// A body is compressed where that makes it smaller, which costs less than to
// write the pages that are saved: forges' JSON shrinks to a third, and to an
// eighth against a text that has what their payloads share, all but names and
// numbers (dictionary.go). A record of version 2 holds it as a block of S2
// (github.com/klauspost/compress/s2), one of version 3 the number of the
// dictionary before that.
const (
	packedVersion = 2
	sharedVersion = 3
)

// maxShared is the longest body that is packed against a dictionary: what
// dictionaries have is at the beginning of a payload, and without one S2 is
// faster.
const maxShared = 32 << 10

// maxPooled is the largest buffer for a record that is used again.
const maxPooled = 64 << 10

var bodyRecords = sync.Pool{New: func() any { return new([]byte) }}

// sealBody is seal for a body, which is most of what a push allocates. Nothing
// may refer to the record any more, as bbolt does until the transaction has
// ended, when done is called.
func sealBody(key, body []byte) (record []byte, done func()) {
	buf := bodyRecords.Get().(*[]byte)
	record = packBody((*buf)[:0], key, body)
	return record, func() {
		if cap(record) <= maxPooled {
			*buf = record
			bodyRecords.Put(buf)
		}
	}
}

// packBody returns the record of a body, in b if that has room.
func packBody(b, key, body []byte) []byte {
	room := s2.MaxEncodedLen(len(body)) // negative above 4 GiB
	b = slices.Grow(b, recordHeader+1+max(room, len(body)))[:recordHeader]
	switch {
	case room <= 0:
	case len(body) <= maxShared:
		b = append(b, newest)
		packed := dictionary(newest).Encode(b[len(b):len(b)+room], body)
		if 1+len(packed) < len(body) {
			return sealVersion(sharedVersion, key, b[:len(b)+len(packed)])
		}
	default:
		packed := s2.Encode(b[len(b):len(b)+room], body)
		if len(packed) < len(body) {
			return sealVersion(packedVersion, key, b[:len(b)+len(packed)])
		}
	}
	return sealInPlace(key, append(b[:recordHeader], body...))
}

// unpackBody returns a copy of the body in a record. Its size, which the
// delivery's own record tells, bounds what a damaged one may unfold to.
func unpackBody(key, record []byte, size int) ([]byte, error) {
	version := byte(recordVersion)
	if len(record) > 0 && (record[0] == packedVersion || record[0] == sharedVersion) {
		version = record[0]
	}
	data, err := unsealVersion(version, tBodies, key, record)
	if err != nil || version == recordVersion {
		return bytes.Clone(data), err
	}
	body, err := unfold(version, data, size)
	if err != nil {
		return nil, &DamagedError{Bucket: tBodies.String(), Key: bytes.Clone(key), Reason: err.Error()}
	}
	return body, nil
}

func unfold(version byte, packed []byte, size int) ([]byte, error) {
	decode := func(block []byte) ([]byte, error) { return s2.Decode(nil, block) }
	if version == sharedVersion {
		if len(packed) == 0 {
			return nil, errors.New("it does not tell its dictionary")
		}
		d := dictionary(packed[0])
		if d == nil {
			return nil, fmt.Errorf("it takes dictionary %d: a newer hookd wrote it", packed[0])
		}
		packed = packed[1:]
		decode = func(block []byte) ([]byte, error) { return d.Decode(nil, block) }
	}
	n, err := s2.DecodedLen(packed)
	if err == nil && n != size {
		err = fmt.Errorf("it unfolds to %d bytes, and %d were received", n, size)
	}
	if err != nil {
		return nil, err
	}
	return decode(packed)
}
