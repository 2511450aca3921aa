// Package transport is what the drivers of CI servers have in common on the
// wire: one origin, one JSON value of bounded size for an answer, and errors in
// which no secret is quoted.
package transport
