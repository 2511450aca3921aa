package handlers

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"log/slog"
	"net/http"
	"strconv"
)

// A page is one answer of a list.
type page[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next"`
}

// writePage answers with items and the sealed cursor of what follows, "" at
// the end.
func writePage[T any](w http.ResponseWriter, items []T, next string) {
	p := page[T]{Items: items}
	if p.Items == nil {
		p.Items = []T{}
	}
	if next != "" {
		p.Next = &next
	}
	writeJSON(w, http.StatusOK, p)
}

// writePageOf answers with the page of all that the request asks for. The order
// of all must not change between two requests, as that of the configuration.
func writePageOf[T any](w http.ResponseWriter, r *http.Request, log *slog.Logger, all []T) {
	q := parseQuery(r, "limit", "cursor")
	limit, cursor := q.limit(), q.cursor()
	if q.err != nil {
		fail(w, r, log, q.err)
		return
	}
	from, _ := strconv.Atoi(cursor) // 0 for the first page
	items := all[min(max(from, 0), len(all)):]
	next := ""
	if len(items) > limit {
		items = items[:limit]
		next = sealCursor(q.list, strconv.Itoa(from+limit))
	}
	writePage(w, items, next)
}

// sealCursor makes an engine's cursor opaque and ties it to the list and its
// filters, so that a cursor that was mistyped or carried elsewhere is refused
// and does not silently skip what it should not.
func sealCursor(list, cursor string) string {
	if cursor == "" {
		return ""
	}
	b := binary.BigEndian.AppendUint32(nil, cursorSum(list, cursor))
	return base64.RawURLEncoding.EncodeToString(append(b, cursor...))
}

func openCursor(list, sealed string) (cursor string, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(b) <= 4 {
		return "", false
	}
	cursor = string(b[4:])
	return cursor, binary.BigEndian.Uint32(b) == cursorSum(list, cursor)
}

func cursorSum(list, cursor string) uint32 {
	return crc32.ChecksumIEEE([]byte(list + "\x00" + cursor))
}
