// Package vault keeps users' tokens in a file, sealed by a key that is not in
// it.
//
// The file is JSON. Each token is sealed by itself with AES-256-GCM:
//
//	box        = nonce (12 random bytes) | sealed token | tag (16 bytes)
//	additional = "hookd token 1" NUL target NUL case-folded login
//
// so whoever may write the file, but does not know the key, can neither read a
// token nor give one user another's, nor one CI server's to another. What he can
// do is delete, or bring back an older file.
//
// A change writes a new file beside the old one, syncs it, puts it in the old
// one's place and syncs the folder: after a crash there is one or the other.
package vault
