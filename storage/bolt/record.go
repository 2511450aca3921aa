package bolt

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
)

// A record is a version byte, a CRC-32C, and the payload. The checksum covers
// the key too, so that a value that strayed to another key is noticed.
//
//	0       1                5
//	+-------+----------------+-----------
//	| 1     | crc(key, data) | data …
//	+-------+----------------+-----------
//
// A version says how the data is to be read: only a body's may be 2 or 3 (body.go).
const (
	recordVersion = 1
	recordHeader  = 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A DamagedError says which record of the data file cannot be read.
type DamagedError struct {
	Bucket string
	Key    []byte
	Reason string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("bolt: the record %q in bucket %s is damaged: %s", e.Key, e.Bucket, e.Reason)
}

// seal returns the record of data under key.
func seal(key, data []byte) []byte {
	return sealInPlace(key, append(make([]byte, recordHeader, recordHeader+len(data)), data...))
}

// sealInPlace makes a record of its own data, before which there is room for
// the header.
func sealInPlace(key, record []byte) []byte { return sealVersion(recordVersion, key, record) }

func sealVersion(version byte, key, record []byte) []byte {
	record[0] = version
	binary.BigEndian.PutUint32(record[1:], checksum(key, record[recordHeader:]))
	return record
}

// sealJSON returns the record of v as JSON. What hookd stores always encodes.
func sealJSON(key []byte, v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("bolt: encoding %q: %w", key, err)
	}
	return seal(key, data), nil
}

// unseal returns the payload of a record, which lives as long as the
// transaction it was read in.
func unseal(in table, key, record []byte) ([]byte, error) {
	return unsealVersion(recordVersion, in, key, record)
}

func unsealVersion(version byte, in table, key, record []byte) ([]byte, error) {
	damaged := func(format string, args ...any) ([]byte, error) {
		return nil, &DamagedError{Bucket: in.String(), Key: append([]byte(nil), key...), Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case len(record) < recordHeader:
		return damaged("%d bytes are too few", len(record))
	case record[0] != version:
		return damaged("unknown version %d", record[0])
	case binary.BigEndian.Uint32(record[1:]) != checksum(key, record[recordHeader:]):
		return damaged("its checksum does not match")
	}
	return record[recordHeader:], nil
}

func unsealJSON(in table, key, record []byte, v any) error {
	data, err := unseal(in, key, record)
	if err != nil {
		return err
	}
	return unmarshal(in, key, data, v)
}

// unmarshal decodes the payload of a record.
func unmarshal(in table, key, data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return &DamagedError{Bucket: in.String(), Key: append([]byte(nil), key...), Reason: err.Error()}
	}
	return nil
}

func checksum(key, data []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, data)
}
