package providers

import (
	"net/http"
	"time"
)

// A Delivery is one POST of a forge whose signature was verified, as it was
// received. The bytes are the forge's own: whatever a parser makes of them can
// be made again.
type Delivery struct {
	ID       string      // hookd's own, a ULID; sorts by time received
	Provider string      // the configured provider it came to
	GUID     string      // the forge's delivery id; with Provider the key of deduplication
	Header   http.Header // without anything secret
	Body     []byte
	Secret   int // index of the live secret that matched
	Received time.Time
}
