// Package command is the target of kind command: a program of the operator's
// own that is started for each affected user.
//
// The program gets its arguments from the configuration alone, never from a
// payload, and no shell is between. On standard input it reads one
// target.Message as JSON. Its environment is PATH, HOME, the variables that the
// configuration passes on, and HOOKD_TARGET, HOOKD_PROVIDER, HOOKD_USER and
// HOOKD_VERSION; hookd's own, with its secrets, stays hidden. Ending with 0 means that
// it is so; any other end is repeated by the queue with its backoff, 75
// (EX_TEMPFAIL of sysexits.h) like the others.
//
// It runs in a process group of its own, which is killed as a whole when its
// time is up or hookd stops, so that no child of it stays behind. What it
// writes is kept, shortened, in the job's record.
package command
