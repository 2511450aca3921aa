package main

import "testing"

func TestAnOperatorWhoTunesTheCollectorHasHisWay(t *testing.T) {
	for _, c := range []struct {
		env  environ
		want int
	}{
		{nil, ballast},
		{environ{"GOGC="}, ballast},
		{environ{"GOGC=100"}, 0},
		{environ{"GOGC=off"}, 0},
		{environ{"GOMEMLIMIT=200MiB"}, 0},
	} {
		if got := len(newBallast(c.env)); got != c.want {
			t.Errorf("%q: %d bytes, want %d", c.env, got, c.want)
		}
	}
}
