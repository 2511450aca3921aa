package bolt

import (
	"bytes"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
)

// A body is compressed where that makes it smaller, which costs less than to
// write the pages that are saved: forges' JSON shrinks to a third. A record of
// version 2 holds it as a block of S2 (github.com/klauspost/compress/s2).
const packedVersion = 2

// maxPooled is the largest buffer for the record of a body that is used again.
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
	b = slices.Grow(b, recordHeader+max(room, len(body)))[:recordHeader]
	if room > 0 {
		packed := s2.Encode(b[recordHeader:recordHeader+room], body)
		if len(packed) < len(body) {
			return sealVersion(packedVersion, key, b[:recordHeader+len(packed)])
		}
	}
	return sealInPlace(key, append(b, body...))
}

// unpackBody returns a copy of the body in a record. Its size, which the
// delivery's own record tells, bounds what a damaged one may unfold to.
func unpackBody(key, record []byte, size int) ([]byte, error) {
	if len(record) == 0 || record[0] != packedVersion {
		body, err := unseal(tBodies, key, record)
		return bytes.Clone(body), err
	}
	packed, err := unsealVersion(packedVersion, tBodies, key, record)
	if err != nil {
		return nil, err
	}
	n, err := s2.DecodedLen(packed)
	if err == nil && n != size {
		err = fmt.Errorf("it unfolds to %d bytes, and %d were received", n, size)
	}
	var body []byte
	if err == nil {
		body, err = s2.Decode(nil, packed)
	}
	if err != nil {
		return nil, &DamagedError{Bucket: tBodies.String(), Key: bytes.Clone(key), Reason: err.Error()}
	}
	return body, nil
}
