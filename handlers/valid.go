package handlers

import "encoding/binary"

// maxDepth is how deeply a document may be nested: what encoding/json, which
// reads it again later, bears.
const maxDepth = 10000

// validJSON reports whether b is one JSON document: it says what json.Valid
// says of every input, in a third of the time or less, since it steps over
// whole strings. It does not recurse, so that no body can exhaust the stack.
func validJSON(b []byte) bool {
	var objects [maxDepth/64 + 1]uint64 // a bit for each depth: an object is open there, else an array
	depth := 0
	inObject := false
	for i := skipSpace(b, 0); ; {
		if inObject {
			if i = skipName(b, i); i < 0 {
				return false
			}
		}
		if i >= len(b) {
			return false
		}
		switch c := b[i]; c {
		case '{', '[':
			if depth++; depth > maxDepth {
				return false
			}
			inObject = c == '{'
			if inObject {
				objects[depth/64] |= 1 << (depth % 64)
			} else {
				objects[depth/64] &^= 1 << (depth % 64)
			}
			if i = skipSpace(b, i+1); i < len(b) && b[i] == c+2 { // ']' and '}' are two above what they close
				break
			}
			continue
		case '"':
			i = skipString(b, i+1)
		case 't':
			i = skipWord(b, i, "true")
		case 'f':
			i = skipWord(b, i, "false")
		case 'n':
			i = skipWord(b, i, "null")
		default:
			i = skipNumber(b, i)
		}
		if i < 0 {
			return false
		}
		// A value ended, or an empty container is about to.
		for {
			if i = skipSpace(b, i); depth == 0 {
				return i == len(b)
			}
			if i == len(b) {
				return false
			}
			inObject = objects[depth/64]>>(depth%64)&1 == 1
			c := b[i]
			if i++; c == ',' {
				i = skipSpace(b, i)
				break
			}
			if inObject && c != '}' || !inObject && c != ']' {
				return false
			}
			depth--
		}
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipName returns where the value of a name that is to begin at i begins, like
// all below a negative number if that is no JSON.
func skipName(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	if i = skipString(b, i+1); i < 0 {
		return -1
	}
	if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
		return -1
	}
	return skipSpace(b, i+1)
}

// skipString returns what follows the string whose text begins at i. It looks
// at eight bytes at once while none of them ends the string, escapes, or is a
// control character; like json.Valid it accepts what is no UTF-8.
func skipString(b []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for {
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			quote, slash := w^ones*'"', w^ones*'\\'
			// A top bit is set where a byte is below 0x20 or zero; above one
			// that is, it may be set wrongly, which only costs a closer look.
			if ((w-ones*0x20)&^w|(quote-ones)&^quote|(slash-ones)&^slash)&tops != 0 {
				break
			}
			i += 8
		}
		for end := min(i+8, len(b)); i < end; i++ {
			switch c := b[i]; {
			case c == '"':
				return i + 1
			case c < 0x20:
				return -1
			case c == '\\':
				if i = skipEscape(b, i+1); i < 0 {
					return -1
				}
				i-- // the loop steps on
			}
		}
		if i >= len(b) {
			return -1
		}
	}
}

// skipEscape returns what follows the escape whose letter is at i.
func skipEscape(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		if i+5 > len(b) {
			return -1
		}
		for _, c := range b[i+1 : i+5] {
			if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return -1
			}
		}
		return i + 5
	}
	return -1
}

func skipWord(b []byte, i int, word string) int {
	if end := i + len(word); end <= len(b) && string(b[i:end]) == word {
		return end
	}
	return -1
}

func skipNumber(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if i = skipDigits(b, i); i < 0 {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		if i = skipDigits(b, i+1); i < 0 {
			return -1
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		return skipDigits(b, i)
	}
	return i
}

// skipDigits returns what follows the digits at i, of which there is at least
// one.
func skipDigits(b []byte, i int) int {
	from := i
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	if i == from {
		return -1
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
