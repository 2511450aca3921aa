package syncqueue

import (
	"context"
	"errors"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

var (
	// ErrLost: the lease is not held any more; nothing was changed.
	ErrLost = errors.New("syncqueue: lease lost")
	// ErrUnknown: there is no such job or delivery.
	ErrUnknown = errors.New("syncqueue: unknown")
	// ErrAmbiguous: several ids begin with the prefix.
	ErrAmbiguous = errors.New("syncqueue: ambiguous id prefix")
	// ErrBusy: the job is leased; what was asked would pull it from under its worker.
	ErrBusy = errors.New("syncqueue: job is running")
)

// A Lease is the right to end a job until a time. Fence is larger than that of
// every lease given before, across restarts: a read begun under this lease is
// later than any read begun under those.
type Lease struct {
	Job   Job
	Fence uint64
	Until time.Time
}

// An Entry is what the journal keeps of a delivery beside its bytes.
type Entry struct {
	Delivery providers.Delivery
	Event    providers.Event
	Result   EntryResult
	Reason   string // why it was ignored
}

// EntryResult is what became of a delivery at the door.
type EntryResult string

// The results that are journalled. (A duplicate is the first delivery's.)
const (
	EntryAccepted EntryResult = "accepted"
	EntryIgnored  EntryResult = "ignored"
	EntryPing     EntryResult = "ping"
)

// A Receipt is the journal's answer to a Push.
type Receipt struct {
	Delivery string // id of the journalled delivery: the first one's, if not Fresh
	Fresh    bool
	Jobs     int // jobs pushed or, for a duplicate, revived
}

// A Queue is durable: every method that returns nil has committed and synced.
// Methods may be called concurrently. Jobs of one key never run at once.
type Queue interface {
	// Push journals e and pushes jobs in one commit. A delivery whose provider
	// and GUID are already journalled changes nothing but revives its dead
	// jobs: Fresh is false. storage.ErrFull if nothing could be recorded; a
	// duplicate is recognised even then. Nothing refers to the delivery's body
	// any more when Push returns.
	Push(ctx context.Context, e Entry, jobs ...Job) (Receipt, error)

	// Repeat is Push where nothing new may begin: it answers a delivery that is
	// journalled as Push does, and ErrUnknown to every other, which it does not
	// record.
	Repeat(ctx context.Context, provider, guid string) (Receipt, error)

	// Enqueue pushes jobs, with cause c, past any deduplication.
	Enqueue(ctx context.Context, c Cause, jobs ...Job) ([]string, error)

	// Lease blocks until a job is due that f allows, the queue is not paused,
	// or ctx is done. Order: lane, except that one below is not passed over
	// more than Patience times in a row; then peers, then organizations in
	// turn; then due time. It counts an attempt and draws a fence.
	Lease(ctx context.Context, ttl time.Duration, f Filter) (Lease, error)

	// Extend moves the lease's end to now + ttl. ErrLost.
	Extend(ctx context.Context, l Lease, ttl time.Duration) (Lease, error)

	// Complete applies the outcome and ends the run in one commit. ErrLost.
	Complete(ctx context.Context, l Lease, o Outcome) (storage.Applied, error)

	// Retry makes the job due at a time, with the cause as its last error. A
	// cause that wraps ErrReleased or is Postponed gives the attempt back.
	// ErrLost.
	Retry(ctx context.Context, l Lease, at time.Time, cause error) error

	// Bury makes the job a dead letter. ErrLost.
	Bury(ctx context.Context, l Lease, cause error) error
}

// A Backlog tells what is about to be leased.
type Backlog interface {
	// Ready lists jobs of a kind that ask a provider about one organization
	// and are due, those of the upper lanes first, then by due time; at most
	// limit. What came due a moment ago may be missing.
	Ready(ctx context.Context, provider, org string, k Kind, limit int) ([]Job, error)
}

// A Journal reads deliveries back.
type Journal interface {
	// Deliveries lists newest first.
	Deliveries(ctx context.Context, q DeliveryQuery, cursor string, limit int) (items []Record, next string, err error)
	// Delivery finds by id or unique prefix of one. ErrUnknown, ErrAmbiguous.
	Delivery(ctx context.Context, id string) (Record, error)
	// Body returns headers and bytes. ErrUnknown also when retention took them.
	Body(ctx context.Context, id string) (providers.Delivery, error)
	// Known tells, in order, which of a provider's delivery ids (GUIDs) are
	// journalled, and when the oldest delivery of the whole journal was received:
	// what came before that may be forgotten. Zero if the journal is empty.
	Known(ctx context.Context, provider string, guids []string) (known []bool, oldest time.Time, err error)
	// JobsOf lists the jobs a delivery caused, directly or in consequence.
	JobsOf(ctx context.Context, deliveryID string) ([]Job, error)
}

// A Record is a journalled delivery without its bytes.
type Record struct {
	Entry    // Delivery.Body is nil
	Size     int
	Details  *providers.Details
	HasBody  bool
	JobCount int
}

// A DeliveryQuery selects deliveries; zero fields select all.
type DeliveryQuery struct {
	Provider, Event string
	Result          EntryResult
	Since, Until    time.Time
}

// A Console is the operator's side of the queue.
type Console interface {
	// Jobs lists newest first.
	Jobs(ctx context.Context, q JobQuery, cursor string, limit int) (items []Job, next string, err error)
	// Job finds by id or unique prefix of one. ErrUnknown, ErrAmbiguous.
	Job(ctx context.Context, id string) (Job, error)
	// Pending finds the one job of a key that is not done. ErrUnknown.
	Pending(ctx context.Context, k Key) (Job, error)
	// PendingOf lists the jobs that are not done and whose keys begin with a
	// prefix, in the order of their keys.
	PendingOf(ctx context.Context, prefix Key) ([]Job, error)
	// Revive makes a waiting, parked or dead job due now, past the shrink
	// guard. ErrUnknown, ErrBusy; a done job is ErrUnknown.
	Revive(ctx context.Context, id string) (Job, error)
	// Drop ends a job that is not leased. ErrUnknown, ErrBusy.
	Drop(ctx context.Context, id string) error
	// Pause stops Lease, durably; intake goes on.
	Pause(ctx context.Context, on bool) error
	// Stats counts.
	Stats(ctx context.Context) (Stats, error)
}

// A JobQuery selects jobs; zero fields select all.
type JobQuery struct {
	State    State
	Kind     Kind
	Provider string
}

// Stats is the queue in numbers.
type Stats struct {
	Jobs   map[State]int
	Oldest time.Time // the longest overdue job's NotBefore; zero if none is overdue
	Paused bool
	Bytes  int64 // of the data file
}
