// Package github speaks the dialect of GitHub and GitHub Enterprise Server: it
// reads their webhooks (Hook) and asks their API (Forge).
package github
