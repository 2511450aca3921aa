package github_test

import "testing"

// BenchmarkHook weighs what the intake waits for (Verify, Parse) against what a
// worker does later (Describe).
func BenchmarkHook(b *testing.B) {
	h := newHook(b, secret)
	d := payloads(b)["testdata/webhooks/repository-created.json"]
	b.Run("Verify", func(b *testing.B) {
		for b.Loop() {
			h.Verify(d.Header, d.Body)
		}
	})
	b.Run("Parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h.Parse(d)
		}
	})
	b.Run("Describe", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h.Describe(d)
		}
	})
}
