package storage

import "time"

// A Confirm is what a target was seen to show of one user. It is applied with
// the publish job's end.
type Confirm struct {
	Target, Provider, User string

	Version    uint64            // the holdings' version that was looked at
	Done       bool              // everything of Version is as wanted: the user is no longer behind
	Shown      []string          // ids of held repositories that show
	Gone       []string          // ids of lost repositories that no longer show
	Hidden     map[string]string // ids of held repositories that will never show -> evidence
	Credential string            // what the target said of the user's credential, "" if nothing
	Note       string
}

// Visible records that a target began to show (or, if Gone, ceased to show) a
// change that a delivery had announced.
type Visible struct {
	Target   string    `json:"target"`
	Provider string    `json:"provider"`
	UserID   string    `json:"user_id"`
	User     string    `json:"user"`
	RepoID   string    `json:"repo_id"`
	Repo     string    `json:"repo"`
	Gone     bool      `json:"gone,omitempty"`
	Asked    time.Time `json:"received_at"` // when the delivery was received; zero if none announced it
	At       time.Time `json:"visible_at"`
}

// Took is the time from the delivery to the change showing, zero if no
// delivery announced it.
func (v Visible) Took() time.Duration {
	if v.Asked.IsZero() {
		return 0
	}
	return v.At.Sub(v.Asked)
}
