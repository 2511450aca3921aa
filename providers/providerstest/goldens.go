package providerstest

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
)

// Payloads reads what is written down in testdata/webhooks, by file name. made
// is told the name without its extension.
func Payloads(t testing.TB, made func(name string, body []byte) providers.Delivery) map[string]providers.Delivery {
	t.Helper()
	files, err := filepath.Glob("testdata/webhooks/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no payloads: %v", err)
	}
	all := map[string]providers.Delivery{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[file] = made(strings.TrimSuffix(filepath.Base(file), ".json"), body)
	}
	return all
}

// RunGoldens reads every payload and compares what came of it with the golden
// beside its file, which update writes anew.
func RunGoldens(t *testing.T, h providers.Hook, all map[string]providers.Delivery, update bool) {
	for _, file := range slices.Sorted(maps.Keys(all)) {
		d := all[file]
		if _, err := h.Verify(d.Header, d.Body); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		var golden struct {
			Event   providers.Event   `json:"event"`
			Ignored string            `json:"ignored,omitempty"`
			Ping    bool              `json:"ping,omitempty"`
			Details providers.Details `json:"details"`
		}
		var err error
		golden.Event, err = h.Parse(d)
		var ignored *providers.Ignored
		if errors.As(err, &ignored) {
			golden.Ignored, golden.Ping = ignored.Reason, ignored.Ping
		} else if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if golden.Details, err = h.Describe(d); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		got, err := json.MarshalIndent(golden, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		if update {
			if err := os.WriteFile(file+".golden", got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file + ".golden")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: -golden +got\n%s", file, diff)
		}
	}
}
