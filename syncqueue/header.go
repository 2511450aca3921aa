package syncqueue

import (
	"net/http"
	"strings"
)

// maxHeaderValue bounds what is kept of one header.
const maxHeaderValue = 512

// keptHeaders are the headers of a delivery worth keeping beside those that
// keeps knows by their shape.
var keptHeaders = map[string]bool{
	"Content-Type":          true,
	"User-Agent":            true,
	"Webhook-Id":            true,
	"Webhook-Timestamp":     true,
	"Idempotency-Key":       true,
	"X-Event-Key":           true,
	"X-Hook-Uuid":           true,
	"X-Request-Id":          true,
	"X-Request-Uuid":        true,
	"X-Attempt-Number":      true,
	"X-Gitlab-Instance":     true,
	"X-Gitlab-Webhook-Uuid": true,
}

// keptSuffixes are how the forges' own names of what a delivery is end.
var keptSuffixes = []string{
	"-Event", "-Event-Type", "-Event-Uuid", "-Delivery", "-Hook-Id",
	"-Hook-Installation-Target-Id", "-Hook-Installation-Target-Type",
	"-Enterprise-Host", "-Enterprise-Version",
}

// keptHeader returns the headers that may be kept: a list of what is allowed,
// because signatures, tokens and cookies come under ever new names.
func keptHeader(h http.Header) http.Header {
	kept := make(http.Header, 8)
	room := make([]string, 0, 8)
	for name, values := range h {
		if len(values) == 0 || !keeps(name) {
			continue
		}
		v := values[0]
		if len(v) > maxHeaderValue {
			v = v[:maxHeaderValue]
		}
		room = append(room, v)
		kept[name] = room[len(room)-1 : len(room) : len(room)]
	}
	return kept
}

func keeps(name string) bool {
	if keptHeaders[name] {
		return true
	}
	if !strings.HasPrefix(name, "X-") {
		return false
	}
	for _, s := range keptSuffixes {
		if strings.HasSuffix(name, s) {
			return true
		}
	}
	return false
}
