// Package storage is the vocabulary of what hookd keeps: the catalogue of who
// may see which repository, what a forge read changes in it, and what each
// target has confirmed. It holds no engine and imports only the standard
// library and providers.
//
// The catalogue is a matrix of cells, one for each user and repository:
//
//	            repo 41   repo 42   repo 57
//	user 7      write     read      -
//	user 8      -         (none)    admin
//
// Every read of the forge carries a fence: a number drawn when the read began.
// A cell remembers the fence of the read that wrote it, also when that read
// took the access away (a tombstone). Complete reads leave a floor on the
// whole row (a user's list) or column (a repository's audience). A write whose
// fence is below the cell's, the row's or the column's changes nothing: a read
// that started earlier never overwrites one that started later.
//
// All writing goes through the queue's Complete, in the transaction that ends
// the job: there is no state between "applied" and "acknowledged".
package storage
