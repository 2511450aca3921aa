// Package bolt is the durable engine: queue, journal, console and catalogue in
// one bbolt file that belongs to one process.
//
// # Writing
//
// A push that is new is appended to the write-ahead log, PATH.wal, and answered
// when that is synced (see wal.go): one write of a few pages and one sync for all
// that push at the time. The next transaction, whoever asks for it, files what was
// written ahead; if nobody does, one of its own does within fileEvery, for
// hundreds of pushes at once. Whatever reads the journal or the queue has that done first, so
// nobody can tell the difference. What a crash leaves in the log is filed at
// the next start. A push that may be a repetition, that is large, or for which
// there may be no room, is a transaction from the start.
//
// One caller at a time writes, for those that wait: for all of them, or half of
// those about if they are many and the disk is fast, so that the other half can
// prepare meanwhile (see line). It runs their requests in one transaction,
// commits, and answers them: an answer without an error means that it is on
// disk. A request that fails after it wrote something fails alone: bbolt has no
// savepoints, so the batch is done over without it.
//
// # Buckets
//
// A text in a key is escaped and terminated, so that keys sort as what they are
// made of; a time is eight bytes of nanoseconds; an id is a ULID as text. "-"
// is no value. Every other value but those of keys is a record: version,
// CRC-32C over key and data, data (see record.go).
//
//	bucket      key                            value
//	meta        "schema" | "id" | "state"      version | the store's identity | what is counted
//	deliveries  id                             provider, guid, JSON without the bytes
//	bodies      id                             the bytes, compressed (body.go), so that retention can drop them alone
//	details     id of delivery                 JSON of providers.Details
//	caused      delivery | job                 -          the jobs of a delivery
//
//	jobs        id                             JSON, with fence and end of the lease
//	keys        the job's Key                  id         jobs that are not done, by what they coalesce
//	states      state | id                     -          jobs that are not done, for listings
//	waiting     lane | due | id                -          not due when last looked at
//	ready       provider | target | lane | org | kind | due | id   -   due: Lease seeks, and never scans
//	leased      until | id                     -
//	ended       finished | id                  -          done, and no delivery keeps them
//
//	users       provider | user                JSON
//	repos       provider | repo                JSON
//	logins      provider | login | user        claim      folded; the newest claim holds the login
//	paths       provider | path | repo         claim      likewise
//	former      provider | kind | name | id    claim, name   what a user or repository was called before
//	cells       provider | user | repo         JSON       who holds what
//	holders     provider | repo | user         -          the same, the other way round
//	tombs       changed | provider | user | repo   -      cells that are tombstones, for retention
//	snapshots   what a poll calls it           its bytes
//	visible     at | number                    JSON of storage.Visible
//
// A ready job is in waiting or in ready and nowhere else, a leased one in
// leased; parked and dead ones are found by states. What the deliveries'
// guids are is kept in memory, see dedupe.
//
// # Versions
//
// A record's version says how its data is to be read. Fields may be added to a
// JSON record without a new one, as long as their zero value is what an older
// record means; a table that is younger than the file is made when that is
// opened. Anything else asks for a new version or schema. testdata/v1.db.gz is
// a file of before the first such additions, which every later hookd opens.
//
// # Trust in the file
//
// The whole file is walked at open (see verify.go) and refused if bbolt could
// not read it. Records are checked when they are read; a damaged one is a
// *DamagedError and concerns nobody else. A marker beside the file (see
// identity.go) tells a store that vanished from one that never was. What
// verify.go does for pages, Check does for every record and index, of a file
// that nobody has open.
package bolt
