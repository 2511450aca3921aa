package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// The words that filters take. The server would refuse others too, but only
// after it was found, and as a failure: what is mistyped is wrong usage.
var (
	resultWords     = words([]syncqueue.EntryResult{syncqueue.EntryAccepted, syncqueue.EntryIgnored, syncqueue.EntryPing})
	stateWords      = words(syncqueue.States)
	kindWords       = words(syncqueue.Kinds)
	credentialWords = words([]target.Credential{target.CredentialOK, target.CredentialMissing, target.CredentialRejected, target.CredentialUnknown})
)

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

// wordFlag takes one of the words of a closed set.
func wordFlag(name, usage string, known []string) cli.Flag {
	return &cli.StringFlag{Name: name, Usage: usage, Validator: func(s string) error {
		if !slices.Contains(known, s) {
			return fmt.Errorf("want one of %s", strings.Join(known, ", "))
		}
		return nil
	}}
}

func limitFlag() cli.Flag {
	return &cli.IntFlag{Name: "limit", Value: 100, Usage: "at most `N`, 0 for all", Validator: func(n int) error {
		if n < 0 {
			return errors.New("want 0 or more")
		}
		return nil
	}}
}

// timeBetween checks a duration flag.
func timeBetween(least, most time.Duration) func(time.Duration) error {
	return func(d time.Duration) error {
		if d < least || d > most {
			return fmt.Errorf("want a time from %s to %s", formatDuration(least), formatDuration(most))
		}
		return nil
	}
}

// moreThanZero checks a duration flag that has no upper bound.
func moreThanZero(d time.Duration) error {
	if d <= 0 {
		return errors.New("want more than 0s")
	}
	return nil
}
