package bolt

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// TestDecoderReadsJobsOfPlainTexts fills jobs by reflection: a field that the
// decoder has not heard of makes it fail.
func TestDecoderReadsJobsOfPlainTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		var job jobRecord
		scribble(r, reflect.ValueOf(&job).Elem(), plainTexts)
		var e encoder
		e.job(&job)
		if e.err != nil {
			t.Fatal(e.err)
		}
		got, ok := decodeJob(e.b)
		if !ok {
			t.Fatalf("left to encoding/json: %s", e.b)
		}
		var want jobRecord
		if err := json.Unmarshal(e.b, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(&want, got) {
			t.Fatalf("%s\nread as %+v", e.b, got)
		}
	}
}

func TestJobsOfAnyTextAreRead(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		var job jobRecord
		scribble(r, reflect.ValueOf(&job).Elem(), anyTexts)
		record, err := sealJob([]byte(job.ID), &job)
		if err != nil {
			t.Fatal(err)
		}
		got, err := unsealJob(job.ID, record)
		if err != nil {
			t.Fatal(err)
		}
		var want jobRecord
		if err := json.Unmarshal(record[recordHeader:], &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(&want, got) {
			t.Fatalf("%s\nread as %+v", record[recordHeader:], got)
		}
	}
}

// FuzzDecodeJob holds the decoder to what encoding/json makes of the same
// bytes, whatever those are.
func FuzzDecodeJob(f *testing.F) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 50 {
		var job jobRecord
		scribble(r, reflect.ValueOf(&job).Elem(), plainTexts)
		var e encoder
		e.job(&job)
		f.Add(e.b)
	}
	for _, s := range []string{
		``, `{}`, `{"id":"a"}`, `{"id":"a",}`, `{,"id":"a"}`, `{"id":"a"} `, `{"id":"a"}}`, `{"id":"a","id":"b"}`, `{"ID":"a"}`, `{"id":null}`,
		`{"lane":256}`, `{"lane":-0}`, `{"lane":00}`, `{"attempts":-0}`, `{"attempts":01}`, `{"attempts":-}`, `{"attempts":9223372036854775808}`,
		`{"fence":18446744073709551616}`, `{"attempts":1e3}`, `{"fresh":false}`, `{"fresh":truer}`, `{"since":"0001-01-01T00:00:00Z"}`,
		`{"since":"2026-11-23T7:00:00Z"}`, `{"since":"2026-11-23T07:00:00,5+00:00"}`, `{"since":"null"}`, `{"since":""}`, `{"causes":[]}`,
		`{"causes":[{}]}`, `{"causes":[{},]}`, `{"again":{}}`, `{"plan":{"repos":[]}}`, `{"plan":{"repos":["1",]}}`, `{"id":"a`, `{"id":"\u0061"}`, `{"id":"é"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, ok := decodeJob(data)
		if !ok {
			return
		}
		var want jobRecord
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("%q was read, which encoding/json refuses: %v", data, err)
		}
		if !reflect.DeepEqual(&want, got) {
			t.Fatalf("%q was read as\n%+v, not as\n%+v", data, got, want)
		}
	})
}

// BenchmarkUnseal weighs the decoder against encoding/json on a job of a dozen
// deliveries.
func BenchmarkUnseal(b *testing.B) {
	now := time.Now()
	job := syncqueue.Job{
		ID: syncqueue.NewID(now), Kind: syncqueue.KindRepo, Key: "repo/git/41", Provider: "git", Org: "5", State: syncqueue.Ready,
		NotBefore: now, Deadline: now, Created: now, Since: now,
	}
	for range 12 {
		job.Causes = append(job.Causes, syncqueue.Cause{Delivery: syncqueue.NewID(now), Event: "repository.created", At: now})
	}
	var e encoder
	e.job(&jobRecord{Job: job})
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := decodeJob(e.b); !ok {
				b.Fatalf("left to encoding/json: %s", e.b)
			}
		}
	})
	b.Run("encoding", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := json.Unmarshal(e.b, new(jobRecord)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
