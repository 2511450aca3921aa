package bolt

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// TestEncoderAgreesWithEncodingJSON fills the records with anything, by
// reflection: a field that the encoder has not heard of makes it fail.
func TestEncoderAgreesWithEncodingJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var job jobRecord
		scribble(r, reflect.ValueOf(&job).Elem(), anyTexts)
		var delivery deliveryRecord
		scribble(r, reflect.ValueOf(&delivery).Elem(), anyTexts)
		delivery.Delivery.Body = nil // stored elsewhere

		for _, x := range []struct {
			record any
			encode func(*encoder)
		}{
			{&job, func(e *encoder) { e.job(&job) }},
			{&delivery, func(e *encoder) { e.delivery(&delivery) }},
		} {
			want, err := json.Marshal(x.record)
			if err != nil {
				t.Fatal(err)
			}
			var e encoder
			x.encode(&e)
			if e.err != nil {
				t.Fatal(e.err)
			}
			if diff := cmp.Diff(string(want), string(e.b)); diff != "" {
				t.Fatalf("%T (-encoding/json +ours):\n%s", x.record, diff)
			}
		}
	}
}

func TestEncoderRefusesTimesThatJSONCannotHold(t *testing.T) {
	far := time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := sealJob([]byte("id"), &jobRecord{Job: syncqueue.Job{NotBefore: far}}); err == nil {
		t.Error("a job due in the year 12000 was encoded")
	}
	if _, err := sealDelivery([]byte("id"), syncqueue.Entry{Delivery: providers.Delivery{Received: far}}); err == nil {
		t.Error("a delivery of the year 12000 was encoded")
	}
}

var (
	plainTexts = []string{"a", "acme/app-1", "X-Gitea-Event", " ~"}
	anyTexts   = append([]string{"<&>", "\"\\", "\x00\x1f\x7f", "é\u2028😀", "\xff"}, plainTexts...)
)

// scribble sets everything in v, each part to zero now and then.
func scribble(r *rand.Rand, v reflect.Value, texts []string) {
	if r.IntN(4) == 0 && v.Kind() != reflect.Struct {
		return
	}
	if t, ok := v.Addr().Interface().(*time.Time); ok {
		if r.IntN(4) > 0 {
			*t = time.Unix(r.Int64N(1<<34), r.Int64N(1e9)).In(time.FixedZone("", r.IntN(24)*3600-12*3600))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			scribble(r, v.Field(i), texts)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		scribble(r, v.Elem(), texts)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
		for i := range v.Len() {
			scribble(r, v.Index(i), texts)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(20) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			scribble(r, key, texts)
			scribble(r, value, texts)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString(texts[r.IntN(len(texts))] + texts[r.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(r.Int64() - r.Int64())
	case reflect.Uint8:
		v.SetUint(r.Uint64N(256))
	case reflect.Uint64:
		v.SetUint(r.Uint64())
	default:
		panic("no value for " + v.Type().String())
	}
}

// BenchmarkSeal weighs the encoder against encoding/json on a push's records.
func BenchmarkSeal(b *testing.B) {
	now := time.Now()
	repo := providers.Repo{ID: "41", Path: "acme/app", Org: providers.Org{ID: "5", Name: "acme"}, Visibility: providers.Private, Created: now}
	e := syncqueue.Entry{
		Delivery: providers.Delivery{
			ID: syncqueue.NewID(now), Provider: "git", GUID: "6f2f4c0e-1f0c-4a52-9a4b-5c8e0b8d8f10", Received: now,
			Header: map[string][]string{"X-Gitea-Event": {"repository"}, "X-Gitea-Delivery": {"6f2f4c0e"}, "Content-Type": {"application/json"}, "User-Agent": {"Go-http-client/1.1"}},
		},
		Event:  providers.Event{Name: "repository.created", Repo: &repo, Org: repo.Org, Sender: providers.User{ID: "7", Login: "ann"}, Effect: providers.EffectRepo},
		Result: syncqueue.EntryAccepted,
	}
	jobs := syncqueue.JobsFor(e.Delivery, e.Event, syncqueue.Timing{Debounce: time.Second, MaxDelay: 5 * time.Second}, now)
	job := &jobRecord{Job: syncqueue.Fresh(jobs[0], now)}
	d := &deliveryRecord{Entry: e}
	var buf encoder
	for name, fn := range map[string]func(){
		"job/ours":          func() { buf.b = buf.b[:0]; buf.job(job) },
		"job/encoding":      func() { json.Marshal(job) },
		"delivery/ours":     func() { buf.b = buf.b[:0]; buf.delivery(d) },
		"delivery/encoding": func() { json.Marshal(d) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				fn()
			}
		})
	}
}
