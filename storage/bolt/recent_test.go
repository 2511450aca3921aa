package bolt

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hookd/hookd/syncqueue"
)

// TestRecentJobIsWhatIsStored fills jobs with anything, by reflection: a time
// that asStored has not heard of makes it fail.
func TestRecentJobIsWhatIsStored(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	exact := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a == a.Round(0) && b == b.Round(0) })
	for i := range 2000 {
		var job jobRecord
		scribble(r, reflect.ValueOf(&job).Elem(), anyTexts)
		job.ID = fmt.Sprint(i)
		lifelike(reflect.ValueOf(&job).Elem())
		record, err := sealJob([]byte(job.ID), &job)
		if err != nil {
			t.Fatal(err)
		}
		var want jobRecord
		if err := unsealJSON(tJobs, []byte(job.ID), record, &want); err != nil {
			t.Fatal(err)
		}
		c := newRecent()
		c.add(&job, record)
		got, ok := c.find(job.ID, record)
		if !ok {
			t.Fatal("what was just written is not found")
		}
		if diff := cmp.Diff(&want, got, exact, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-decoded +recent):\n%s", diff)
		}
	}
}

// lifelike gives every time that is not zero a reading of the monotonic clock,
// and makes every text UTF-8, as those are that came in JSON.
func lifelike(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.ToValidUTF8(v.String(), "?"))
	case reflect.Pointer:
		if !v.IsNil() {
			lifelike(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			lifelike(v.Index(i))
		}
	case reflect.Struct:
		if at, ok := v.Addr().Interface().(*time.Time); ok {
			if !at.IsZero() {
				*at = time.Now().Add(time.Duration(at.Nanosecond()))
			}
			return
		}
		for i := range v.NumField() {
			lifelike(v.Field(i))
		}
	}
}

func TestRecentForgetsTheOldest(t *testing.T) {
	c := newRecent()
	for i := range maxRecent + 3 {
		for range 2 {
			c.add(&jobRecord{Job: syncqueue.Job{ID: fmt.Sprint(i)}}, []byte{byte(i)})
		}
	}
	for i := range maxRecent + 3 {
		if _, ok := c.find(fmt.Sprint(i), []byte{byte(i)}); ok != (i >= 3) {
			t.Errorf("job %d of %d is there: %v", i, maxRecent+3, ok)
		}
	}
	if _, ok := c.find("5", []byte("another record")); ok {
		t.Error("a job was found for a record it was not written with")
	}
}
