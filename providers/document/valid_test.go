package document

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// documents is JSON and what is nearly JSON.
var documents = []string{
	``, ` `, `null`, ` true `, `false`, `nul`, `nulll`, `truefalse`, `t`,
	`0`, `-0`, `-`, `00`, `01`, `1.`, `.1`, `1.0`, `1e`, `1e+`, `1E-07`, `-1.5e3`, `1 2`, `+1`, `0x1`, `1e1.5`, `--1`,
	`""`, `"`, `"a`, `"a"b`, `"\"`, `"\""`, `"\u12"`, `"\u12Gg"`, `"\uABcd"`, `"\x"`, `"\/\b\f\n\r\t\\"`,
	"\"\x1f\"", "\"\x20\x7f\x80\xff\"", "\"12345678\x1f\"", "\"1234567\x00\"", `"12345678"`, `"1234567\"89"`, `"1234567\u00e"`, `"é“😀"`,
	`[]`, `[`, `]`, `[1]`, `[1,]`, `[,1]`, `[1 2]`, `[[]]`, `[[],{}]`, `[}`, `[1}`, `{]`, ` [ 1 , 2 ] `,
	`{}`, `{`, `}`, `{"a":1}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":[{"b":{}}],"c":[]}`, `{1:2}`, `{"a"::1}`, `{"a",1}`,
	`[{"a":[1}]`, `[{"a":1]}`, `{} {}`, `[]]`, `{}}`, "\ufeff{}", "{}\x00", "\v{}", "[1]\n",
}

func TestValidityIsThatOfEncodingJSON(t *testing.T) {
	nested := func(depth int, open, inner, end string) string {
		return strings.Repeat(open, depth) + inner + strings.Repeat(end, depth)
	}
	deep := []string{strings.Repeat("[", 1<<20), strings.Repeat(`{"a":`, 1<<20), strings.Repeat(`[{"a":`, 5001)}
	for _, depth := range []int{1, 63, 64, 65, maxDepth - 1, maxDepth, maxDepth + 1} {
		deep = append(deep, nested(depth, "[", "", "]"), nested(depth, `{"a":`, "1", "}"), nested(depth, `{"a":`, "{}", "}"), nested(depth, "[", "[]", "]"))
	}
	for _, doc := range append(deep, documents...) {
		if got, want := Valid([]byte(doc)), json.Valid([]byte(doc)); got != want {
			t.Errorf("%.60q: %t, encoding/json says %t", doc, got, want)
		}
	}
}

func FuzzValidityIsThatOfEncodingJSON(f *testing.F) {
	for _, doc := range documents {
		f.Add([]byte(doc))
	}
	captured, err := os.ReadFile("../gitea/testdata/webhooks/repository-created-fork.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(captured)
	f.Fuzz(func(t *testing.T, doc []byte) {
		if got, want := Valid(doc), json.Valid(doc); got != want {
			t.Errorf("%q: %t, encoding/json says %t", doc, got, want)
		}
	})
}

// BenchmarkValid weighs Valid against json.Valid.
func BenchmarkValid(b *testing.B) {
	body, err := os.ReadFile("../gitea/testdata/webhooks/repository-created-fork.json")
	if err != nil {
		b.Fatal(err)
	}
	for name, fn := range map[string]func([]byte) bool{"ours": Valid, "encoding": json.Valid} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				fn(body)
			}
		})
	}
}
