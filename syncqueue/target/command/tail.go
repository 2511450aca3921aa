package command

import (
	"bytes"
	"strconv"
	"strings"
)

// maxTail is how much of what a program wrote is kept: its last words say most.
const maxTail = 2 << 10

// A tail keeps the end of what is written to it. It never fails, so that a
// program that writes much does not block.
type tail struct {
	b       []byte
	dropped int
}

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - maxTail; over > 0 {
		t.dropped += over
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

// String is what was kept, as one printable line.
func (t *tail) String() string {
	text := strings.ToValidUTF8(string(bytes.TrimSpace(t.b)), "\uFFFD")
	if text == "" {
		return ""
	}
	quoted := strconv.QuoteToGraphic(text)
	quoted = quoted[1 : len(quoted)-1]
	if t.dropped > 0 {
		quoted = "… " + quoted
	}
	return quoted
}
