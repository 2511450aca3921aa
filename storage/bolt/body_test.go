package bolt

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
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

// What a forge sends takes little beside what all of its payloads share, long
// ones too.
func TestABodyOfAForgeIsPacked(t *testing.T) {
	for name, c := range map[string]struct{ times, atMost int }{
		"gitea/testdata/webhooks/repository-created-fork.json":            {1, 5},
		"github/testdata/webhooks/repository-created.json":                {1, 3},
		"gitlab/testdata/webhooks/System_Hook.project_create-nested.json": {1, 2},
		"gitea/testdata/webhooks/push.json":                               {20, 3},
	} {
		body, err := os.ReadFile("../../providers/" + name)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.Repeat(body, c.times)
		record := packBody(nil, []byte("01J"), body)
		if len(record) > len(body)/c.atMost {
			t.Errorf("%s: %d bytes take %d", name, len(body), len(record))
		}
		if got, err := unpackBody([]byte("01J"), record, len(body)); err != nil || !bytes.Equal(got, body) {
			t.Errorf("%s: %d bytes came back as %d: %v", name, len(body), len(got), err)
		}
	}
}

// Whatever a dictionary packed needs that very text to be read again.
func TestADictionaryNeverChanges(t *testing.T) {
	const of1 = "d406dc08069278df0b10d588a120aa997f61f947affd6c5a35402534f2b0467f"
	if sum := fmt.Sprintf("%x", sha256.Sum256(dictionary1)); sum != of1 {
		t.Errorf("dictionary 1 is another one: %s", sum)
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
	versioned := func(version byte, data ...byte) []byte {
		return sealVersion(version, key, append(make([]byte, recordHeader), data...))
	}
	packed := func(data []byte) []byte { return versioned(packedVersion, data...) }
	shared := packBody(nil, key, []byte(strings.Repeat("x", 1000)))[recordHeader:]
	whole := s2.Encode(nil, []byte(strings.Repeat("x", 1000)))
	huge := append([]byte{0x80, 0x80, 0x80, 0x80, 0x04}, whole[2:]...) // says 1 GiB
	for name, record := range map[string][]byte{
		"another size":         packed(whole),
		"a gigabyte":           packed(huge),
		"cut short":            packed(whole[:len(whole)-1]),
		"nothing":              packed(nil),
		"no block":             packed([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
		"newer version":        versioned(sharedVersion+1, whole...),
		"shared, another size": versioned(sharedVersion, shared...),
		"shared, a gigabyte":   versioned(sharedVersion, append([]byte{newest, 0x80, 0x80, 0x80, 0x80, 0x04}, shared[3:]...)...),
		"shared, cut short":    versioned(sharedVersion, shared[:len(shared)-1]...),
		"no dictionary":        versioned(sharedVersion),
		"newer dictionary":     versioned(sharedVersion, append([]byte{newest + 1}, shared[1:]...)...),
		"wrong checksum":       append(packed(whole), 0),
		"empty":                {},
	} {
		var damaged *DamagedError
		if _, err := unpackBody(key, record, 999); !errors.As(err, &damaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, record := range map[string][]byte{"packed": packed(whole), "shared": versioned(sharedVersion, shared...)} {
		if got, err := unpackBody(key, record, 1000); err != nil || len(got) != 1000 {
			t.Errorf("the right one, %s: %d bytes, %v", name, len(got), err)
		}
	}
}

func FuzzUnpackBody(f *testing.F) {
	key := []byte("01J")
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 100, 5000} {
		body := bytes.Repeat([]byte{byte(r.Uint32()), 'a', 'b'}, n)
		f.Add(byte(sharedVersion), packBody(nil, key, body)[recordHeader:], len(body))
		f.Add(byte(packedVersion), s2.Encode(nil, body), len(body))
	}
	f.Fuzz(func(t *testing.T, version byte, data []byte, size int) {
		record := sealVersion(version, key, append(make([]byte, recordHeader), data...))
		body, err := unpackBody(key, record, size)
		if err == nil && version != recordVersion && len(body) != size {
			t.Errorf("%d bytes, want %d", len(body), size)
		}
	})
}
