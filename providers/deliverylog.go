package providers

import (
	"context"
	"iter"
	"net/http"
	"time"
)

// A DeliveryLog reads what a forge itself recorded of what it sent to webhooks,
// so that a delivery that never arrived can be fetched. Its methods are those of
// a Forge: they block on the network and never retry.
//
// What a log tells came over the forge's API, to hookd's own token: it is as
// authentic as the answers that say who may see what. A signature in it can
// often not be checked any more, as a log need not keep the bytes as they were
// signed.
type DeliveryLog interface {
	// DeliveryLogs finds the webhooks that send what happens in org to an
	// address that ours accepts. None is no error. ErrForbidden and ErrNotFound
	// mean that this token may not look.
	DeliveryLogs(ctx context.Context, org Org, ours func(address string) bool) ([]HookLog, error)

	// Attempts yields what a log holds, the latest first; pages are asked for
	// as they are needed. It yields an error at most once, as the last element.
	Attempts(ctx context.Context, l HookLog) iter.Seq2[Attempt, error]

	// Payload returns a with its header and body. ErrNotFound: the log does not
	// hold them (any more).
	Payload(ctx context.Context, l HookLog, a Attempt) (Attempt, error)
}

// A HookLog is the log of one webhook.
type HookLog struct {
	Org     Org
	Hook    string        // the forge's id of the webhook
	Kept    time.Duration // how far back the log goes
	GivesUp int           // after so many failures in a row the forge neither sends nor logs for a while; 0 never
	Off     string        // why the forge sends nothing now, "" if it does
	Lacks   string        // why there is no log to read, "" if there is one
}

// An Attempt is one try at sending a delivery, as it was logged. A delivery that
// was sent again has several under one GUID.
type Attempt struct {
	ID     string    // in the log
	GUID   string    // of the delivery
	At     time.Time // by the forge's clock; zero if the log does not tell
	Event  string    // for people
	Taken  bool      // the receiver answered 2xx
	Answer string    // what it answered, in the log's words
	// Moot: by its name alone it changes nobody's list, so its payload is not
	// worth a call.
	Moot bool

	Header http.Header // these two only where the log lists them too, else Payload fetches them
	Body   []byte
}
