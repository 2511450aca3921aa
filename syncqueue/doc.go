// Package syncqueue is the vocabulary of work: jobs, the keys under which they
// coalesce, the durable queue and journal, and the pool that runs handlers. It
// says when work runs; package reconcile says what work is; the engines under
// storage keep it.
//
// A job's life:
//
//	          push                    lease                complete
//	(absent) ------> waiting -> ready ------> leased ------------------> done
//	                    ^   due   ^             | | |
//	                    |         |  expired    | | +-- complete, parked -> parked --+
//	                    |         +-------------+ |                                  | push,
//	                    |                         +---- bury ------------> dead --+  | operator
//	                    +--- retry, again, recurring, pushed while leased ----+   |  |
//	                    ^                                                         |  |
//	                    +---------------------------------------------------------+--+
//
// waiting and ready differ only by the clock: a job is ready when its NotBefore
// has come. Jobs with one key are one job until it is done. A push to a waiting
// job merges into it; a push to a leased job is kept beside it and runs when
// the lease ends; a push to a parked or dead job wakes it.
//
// Attempts are counted at lease, so that a job that kills its worker still ends
// as a dead letter, and given back when the process shuts down. A lease whose
// time ran out changes nothing any more: ErrLost.
//
// Who is leased next is decided for each peer (the forge or CI server that a
// job asks) by itself: the uppermost lane that has something ready, unless one
// below was passed over Patience times in a row; in it the organization after
// the one served last; of that, whatever is due longest. What the budget of the
// peer does not allow stays where it is (Hold), and of the workers of a peer
// some keep themselves free for what is urgent.
//
// A storm of repo jobs of one organization may be taken over by one Plan.
package syncqueue
