package main

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// An object is a JSON object in the making.
type object = map[string]any

// A sampleOrg is the organization or group that a sample is about.
type sampleOrg struct {
	id   int
	name string
}

// A sample is a delivery as a forge would send it.
type sample struct {
	header string // the event's name in the headers
	body   func(org sampleOrg, now time.Time) object
}

// samplesOf returns the samples of a kind of forge, by the name that hookd
// gives to the event.
func samplesOf(kind string) map[string]sample {
	switch kind {
	case "github":
		return githubSamples
	case "gitlab":
		return gitlabSamples
	}
	return giteaSamples
}

func sampleNames(kind string) []string { return slices.Sorted(maps.Keys(samplesOf(kind))) }

// sampleHeader returns the headers of a delivery, authenticated by key over its
// very bytes.
func sampleHeader(p *providerConfig, event, id string, org sampleOrg, body []byte, now time.Time) http.Header {
	key := p.Hooks[0]
	switch p.Kind {
	case "github":
		return githubHeader(event, id, org, key, body)
	case "gitlab":
		return gitlabHeader(event, id, key, body, now)
	}
	return giteaHeader(p.Kind, event, id, key, body)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// newUUID returns a random UUID, as forges number their deliveries.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
