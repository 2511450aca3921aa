package main

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
)

// stale tells whose access outlives its loss: nobody can act for him, so the CI
// server goes on showing him what he lost. Only a running hookd knows.
func (d *doctor) stale(ctx context.Context, t *targetConfig) {
	if d.live == nil {
		return
	}
	subject := t.Name + "/lost access"
	p, err := d.live.list(ctx, "/api/v1/jobs", url.Values{"state": {"parked"}}, 0)
	if err != nil {
		d.say(levelWarn, "lost access", subject, "hookd queue list --state parked", "cannot be read: %v", err)
		return
	}
	var whose []string
	for _, raw := range p.Items {
		var j struct {
			Target  string `json:"target"`
			Note    string `json:"note"`
			Subject struct {
				Name string `json:"name"`
			} `json:"subject"`
		}
		if json.Unmarshal(raw, &j) == nil && j.Target == t.Name && strings.HasPrefix(j.Note, "security: ") {
			whose = append(whose, j.Subject.Name)
		}
	}
	if len(whose) > 0 {
		d.say(levelFail, "lost access", subject, "give hookd a credential of each, or end their accounts there",
			"%s may still see what they lost: %s", count(len(whose), "person", "people"), strings.Join(whose, ", "))
	}
}
