package providers

import (
	"net/http"
	"time"
)

// Unsigned is the Secret of a delivery that was fetched from the forge's log and
// whose bytes are not those that were signed: see DeliveryLog.
const Unsigned = -1

// A Delivery is one POST of a forge whose signature was verified, as it was
// received, or what the forge's own log has of one that was not. The bytes are the forge's own: whatever a parser makes of them can
// be made again.
type Delivery struct {
	ID       string      // hookd's own, a ULID; sorts by time received
	Provider string      // the configured provider it came to
	GUID     string      // the forge's delivery id; with Provider the key of deduplication
	Header   http.Header // without anything secret
	Body     []byte
	Secret   int // index of the live secret that matched, or Unsigned
	Received time.Time

	// Sent is when the forge's own log says it was sent, if it was fetched out
	// of that; zero if it came by itself.
	Sent time.Time `json:",omitzero"`
}
