package bolt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An encoder appends the two records that each push writes, to the byte as
// encoding/json does, in a fifth of its time. What is named "If" is left out
// when it is zero.
type encoder struct {
	b   []byte
	err error
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// sealEncoded returns the record of what encode appends, in no more memory than
// that takes: those of jobs stay in memory for a while.
func sealEncoded(key []byte, encode func(*encoder)) ([]byte, error) {
	e := encoders.Get().(*encoder)
	e.b = append(e.b[:0], make([]byte, recordHeader)...)
	encode(e)
	record, err := bytes.Clone(e.b), e.err
	if e.err = nil; cap(e.b) <= maxPooled {
		encoders.Put(e)
	}
	if err != nil {
		return nil, fmt.Errorf("bolt: encoding %s: %w", key, err)
	}
	return sealInPlace(key, record), nil
}

func (e *encoder) name(s string) {
	if e.b[len(e.b)-1] != '{' {
		e.b = append(e.b, ',')
	}
	e.b = append(append(append(e.b, '"'), s...), '"', ':')
}

func (e *encoder) object(name string, fields func()) {
	e.name(name)
	e.group(fields)
}

func (e *encoder) group(fields func()) {
	e.b = append(e.b, '{')
	fields()
	e.b = append(e.b, '}')
}

func (e *encoder) text(name, s string) {
	e.name(name)
	e.quote(s)
}

func (e *encoder) textIf(name, s string) {
	if s != "" {
		e.text(name, s)
	}
}

// plainText are the bytes that stand in JSON for themselves.
var plainText = func() (plain [256]bool) {
	for c := ' '; c <= '~'; c++ {
		plain[c] = !strings.ContainsRune(`"\<>&`, c)
	}
	return plain
}()

// quote leaves all that is not plain to encoding/json.
func (e *encoder) quote(s string) {
	for i := range len(s) {
		if !plainText[s[i]] {
			quoted, err := json.Marshal(s)
			e.b = append(e.b, quoted...)
			e.fail(err)
			return
		}
	}
	e.b = append(append(append(e.b, '"'), s...), '"')
}

func (e *encoder) number(name string, n uint64) {
	e.name(name)
	e.b = strconv.AppendUint(e.b, n, 10)
}

func (e *encoder) count(name string, n int) {
	e.name(name)
	e.b = strconv.AppendInt(e.b, int64(n), 10)
}

func (e *encoder) flagIf(name string, on bool) {
	if on {
		e.name(name)
		e.b = append(e.b, "true"...)
	}
}

func (e *encoder) time(name string, t time.Time) {
	e.name(name)
	e.b = append(e.b, '"')
	var err error
	e.b, err = t.AppendText(e.b)
	e.b = append(e.b, '"')
	e.fail(err)
}

func (e *encoder) timeIf(name string, t time.Time) {
	if !t.IsZero() {
		e.time(name, t)
	}
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}
