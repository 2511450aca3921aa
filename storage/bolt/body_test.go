package bolt

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
	"pgregory.net/rapid"
)

func TestBodiesComeBackAsTheyWere(t *testing.T) {
	key := []byte("01J")
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "part")
		body := bytes.Repeat(part, rapid.IntRange(0, 300).Draw(t, "times"))
		record, done := sealBody(key, body)
		got, err := unpackBody(key, record, len(body))
		if err != nil || !bytes.Equal(got, body) {
			t.Fatalf("%d bytes came back as %d: %v", len(body), len(got), err)
		}
		if len(record) > recordHeader+len(body) {
			t.Errorf("%d bytes take %d", len(body), len(record))
		}
		done()
	})
}

func TestABodyOfAForgeTakesLessThanHalf(t *testing.T) {
	body, err := os.ReadFile("../../providers/gitea/testdata/webhooks/repository-created-fork.json")
	if err != nil {
		t.Fatal(err)
	}
	if record := packBody(nil, []byte("01J"), body); len(record) > len(body)/2 {
		t.Errorf("%d bytes take %d", len(body), len(record))
	}
}

// TestABodyInUseIsNotOverwritten seals others before the first is done with.
func TestABodyInUseIsNotOverwritten(t *testing.T) {
	key := []byte("01J")
	first, done := sealBody(key, []byte(strings.Repeat("first ", 100)))
	kept := bytes.Clone(first)
	for range 10 {
		_, done := sealBody(key, []byte(strings.Repeat("other ", 100)))
		done()
	}
	if !bytes.Equal(first, kept) {
		t.Error("the record of a body changed before it was given back")
	}
	done()
}

func TestBodiesOfBeforeTheyWereCompressedAreRead(t *testing.T) {
	body := []byte(strings.Repeat("x", 1000))
	got, err := unpackBody([]byte("01J"), seal([]byte("01J"), body), len(body))
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestABodyUnfoldsToItsSizeOnly takes records with a right checksum that
// nobody wrote: a gigabyte in a few bytes must not be made room for.
func TestABodyUnfoldsToItsSizeOnly(t *testing.T) {
	key := []byte("01J")
	packed := func(data []byte) []byte {
		return sealVersion(packedVersion, key, append(make([]byte, recordHeader), data...))
	}
	whole := s2.Encode(nil, []byte(strings.Repeat("x", 1000)))
	huge := append([]byte{0x80, 0x80, 0x80, 0x80, 0x04}, whole[2:]...) // says 1 GiB
	for name, record := range map[string][]byte{
		"another size":   packed(whole),
		"a gigabyte":     packed(huge),
		"cut short":      packed(whole[:len(whole)-1]),
		"nothing":        packed(nil),
		"no block":       packed([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
		"newer version":  sealVersion(packedVersion+1, key, append(make([]byte, recordHeader), whole...)),
		"wrong checksum": append(packed(whole), 0),
		"empty":          {},
	} {
		var damaged *DamagedError
		if _, err := unpackBody(key, record, 999); !errors.As(err, &damaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := unpackBody(key, packed(whole), 1000); err != nil || len(got) != 1000 {
		t.Errorf("the right one: %d bytes, %v", len(got), err)
	}
}

func FuzzUnpackBody(f *testing.F) {
	key := []byte("01J")
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 100, 5000} {
		body := bytes.Repeat([]byte{byte(r.Uint32()), 'a', 'b'}, n)
		f.Add(packBody(nil, key, body)[recordHeader:], len(body))
	}
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		record := sealVersion(packedVersion, key, append(make([]byte, recordHeader), data...))
		body, err := unpackBody(key, record, size)
		if err == nil && len(body) != size {
			t.Errorf("%d bytes, want %d", len(body), size)
		}
	})
}
