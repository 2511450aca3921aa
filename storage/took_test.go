package storage_test

import (
	"testing"
	"time"

	"github.com/hookd/hookd/storage"
)

func TestOnlyAnnouncedArrivalsCount(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	shown := []storage.Visible{
		{Repo: "late", Asked: at, At: at.Add(3 * time.Second)},
		{Repo: "gone", Asked: at, At: at.Add(time.Second), Gone: true},
		{Repo: "polled", At: at},
		{Repo: "before it was asked", Asked: at, At: at.Add(-time.Second)},
		{Repo: "soon", Asked: at, At: at.Add(time.Second)},
	}
	got := storage.Announced(shown)
	if len(got) != 2 || got[0].Repo != "late" || got[1].Repo != "soon" || shown[4].Repo != "soon" {
		t.Fatalf("%v", got)
	}
	if took := storage.Took(got); took[0] != time.Second || took[1] != 3*time.Second {
		t.Errorf("%v", took)
	}
}

func TestPercentilesAreNearestRanks(t *testing.T) {
	var sorted []time.Duration
	for i := range 20 {
		sorted = append(sorted, time.Duration(i+1))
	}
	for p, want := range map[float64]time.Duration{.01: 1, .5: 10, .95: 19, .99: 20, 1: 20} {
		if got, ok := storage.Percentile(sorted, p); got != want || !ok {
			t.Errorf("percentile %v is %d, want %d", p, got, want)
		}
	}
	if _, ok := storage.Percentile(nil, .5); ok {
		t.Error("there is a percentile of nothing")
	}
}
