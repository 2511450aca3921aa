// Package keys is what drivers share that act as users: each user's own token
// for the CI server, what the CI server last said of it, and his turn.
package keys
