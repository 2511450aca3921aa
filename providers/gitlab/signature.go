package gitlab

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

const (
	// tolerance is how far a signature's time may be from ours. Within it the
	// delivery id is what tells a repetition.
	tolerance = 5 * time.Minute
	// maxSignatures bounds the work that a header can ask for. GitLab sends one.
	maxSignatures = 8
)

// verifySignature checks a signature in the form of the Standard Webhooks
// specification: an HMAC-SHA256 of id, time and body, joined by dots. Every
// signing token is tried whatever the headers say.
func (h *Hook) verifySignature(header http.Header, body []byte) (int, error) {
	id, stamp := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	given, ok := signatures(header.Get("Webhook-Signature"))
	ok = ok && id != "" && h.fresh(stamp)
	match := -1
	for i, key := range h.signing {
		if key == nil {
			continue
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + stamp + "."))
		mac.Write(body)
		want := mac.Sum(nil)
		for _, sum := range given {
			if hmac.Equal(sum, want) && match < 0 {
				match = i
			}
		}
	}
	if !ok || match < 0 {
		return 0, providers.ErrSignature
	}
	return match, nil
}

func (h *Hook) fresh(stamp string) bool {
	s, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || s <= 0 {
		return false
	}
	// Seconds are compared: a Duration from a time far off would overflow.
	off := h.now().Unix() - s
	return off <= int64(tolerance/time.Second) && off >= -int64(tolerance/time.Second)
}

// signatures reads the header's list and leaves out versions it does not know.
// There is always something to compare with, so that a missing signature costs
// the same work as a wrong one.
func signatures(list string) (sums [][]byte, ok bool) {
	parts := strings.Split(list, " ")
	ok = len(parts) <= maxSignatures
	for _, part := range parts[:min(len(parts), maxSignatures)] {
		version, encoded, found := strings.Cut(part, ",")
		if !found {
			ok = false
		}
		if version != "v1" {
			continue
		}
		sum, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil {
			ok = false
			continue
		}
		sums = append(sums, sum)
	}
	if len(sums) == 0 {
		return [][]byte{make([]byte, sha256.Size)}, false
	}
	return sums, ok
}
