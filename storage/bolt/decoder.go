package bolt

import (
	"strconv"
	"strings"
	"time"
)

// A decoder reads what an encoder wrote, in a sixth of the time that
// encoding/json takes. It knows no more than that: fields in the encoder's
// order, any of which may be missing, and plain texts. Anything else has it
// lost, and is left to encoding/json, which reads the rest alike.
type decoder struct {
	b    []byte
	s    string // the same; texts are parts of it
	at   int
	lost bool
}

// next passes over text, if that comes next.
func (d *decoder) next(text string) bool {
	if !strings.HasPrefix(d.s[d.at:], text) {
		return false
	}
	d.at += len(text)
	return true
}

func (d *decoder) must(text string) {
	if !d.next(text) {
		d.lost = true
	}
}

// name passes over the name of a field, if that comes next.
func (d *decoder) name(name string) bool {
	rest := d.s[d.at:]
	comma := 1
	if d.s[d.at-1] == '{' {
		comma = 0
	}
	n := comma + 1 + len(name)
	if len(rest) < n+2 || comma == 1 && rest[0] != ',' || rest[comma] != '"' || rest[comma+1:n] != name || rest[n] != '"' || rest[n+1] != ':' {
		return false
	}
	d.at += n + 2
	return true
}

func (d *decoder) group(fields func()) {
	d.must("{")
	if d.lost {
		return
	}
	fields()
	d.must("}")
}

func (d *decoder) object(name string, fields func()) {
	if d.name(name) {
		d.group(fields)
	}
}

// quoted returns where the text stands that comes next.
func (d *decoder) quoted() (from, to int) {
	d.must(`"`)
	from = d.at
	for d.at < len(d.b) && plainText[d.b[d.at]] {
		d.at++
	}
	to = d.at
	d.must(`"`)
	return from, to
}

func (d *decoder) unquote() string {
	from, to := d.quoted()
	return d.s[from:to]
}

func (d *decoder) text(name string) string {
	if !d.name(name) {
		return ""
	}
	return d.unquote()
}

// digits returns an integer as it stands there.
func (d *decoder) digits() string {
	from := d.at
	d.next("-")
	first := d.at
	for d.at < len(d.b) && '0' <= d.b[d.at] && d.b[d.at] <= '9' {
		d.at++
	}
	if d.at > first+1 && d.b[first] == '0' {
		d.lost = true
	}
	return d.s[from:d.at]
}

func (d *decoder) number(name string, bits int) uint64 {
	if !d.name(name) {
		return 0
	}
	n, err := strconv.ParseUint(d.digits(), 10, bits)
	d.lost = d.lost || err != nil
	return n
}

func (d *decoder) count(name string) int {
	if !d.name(name) {
		return 0
	}
	n, err := strconv.Atoi(d.digits())
	d.lost = d.lost || err != nil
	return n
}

func (d *decoder) flag(name string) bool {
	if !d.name(name) {
		return false
	}
	d.must("true")
	return true
}

func (d *decoder) time(name string) (t time.Time) {
	if !d.name(name) {
		return t
	}
	from, to := d.quoted()
	if !d.lost && t.UnmarshalJSON(d.b[from-1:to+1]) != nil {
		d.lost = true
	}
	return t
}
