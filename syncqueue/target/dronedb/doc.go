// Package dronedb makes Drone 2.x follow the forge through Drone's own
// database, PostgreSQL or SQLite: for one user it writes the rows that Drone's
// sync would write for what changed, and nothing else.
//
//	account   who is he in Drone? nobody, a machine or inactive: no account
//	list      what does Drone show him? perms joined with repos, no forge call
//	plan      what lacks, and what is lost; nothing of it: done
//	guard     before anything is taken: does the forge's own count agree?
//	resolve   addresses of rows that are new or renamed; who holds their names?
//	apply     one short transaction: names, rows, permissions
//	list      read back: "committed" is not "shown"
//
// A permission is written as Drone's sync writes it (store/batch2/batch.go):
// read only and never verified (perm_synced 0), so that Drone asks the forge
// itself before it shows anything inside of that repository.
//
// What strangers may see is no user's matter: conceal.go closes it in the
// repository's own row, and has Drone asked without any credential.
//
// Drone's sync deletes the row of a repository whose name another one took, and
// with it the secrets and schedules. This package moves such a row out of the
// way, to the name that it has on the forge now, or to one that no forge can
// give if it is gone there. It never deletes a repository, and never touches
// builds, secrets, counters and tokens.
//
// Drone may sync meanwhile, from another process: whatever is written here is
// insert-or-ignore or by key, rows are locked in Drone's order (permissions,
// then repositories), and a race that shows is begun again.
package dronedb
