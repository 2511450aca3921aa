package handlers

import (
	"bytes"
	"errors"
	"net/url"
)

var errForm = errors.New("handlers: not a form")

// payloadOf returns the payload field of a form, nil if it has none, still as
// it is encoded. Its name may be encoded, too.
func payloadOf(form []byte) []byte {
	const name = "payload"
	for pair := range bytes.SplitSeq(form, []byte("&")) {
		key, value, _ := bytes.Cut(pair, []byte("="))
		if len(key) > 3*len(name) {
			continue
		}
		if key, err := url.QueryUnescape(string(key)); err == nil && key == name {
			return value
		}
	}
	return nil
}

// unescape decodes a field of a form into memory of its own, at most as much
// as the field. The library's would take it several times.
func unescape(field []byte) ([]byte, error) {
	out := make([]byte, 0, len(field))
	for i := 0; i < len(field); i++ {
		switch c := field[i]; c {
		case '+':
			out = append(out, ' ')
		case '%':
			if i+2 >= len(field) {
				return nil, errForm
			}
			hi, lo := hexDigit(field[i+1]), hexDigit(field[i+2])
			if hi < 0 || lo < 0 {
				return nil, errForm
			}
			out = append(out, byte(hi<<4|lo))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out, nil
}

// hexDigit is the value of a digit, less than 0 if it is none.
func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
