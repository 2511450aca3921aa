package target

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hookd/hookd/providers"
)

// MessageType is the type of every Message.
const MessageType = "user.access"

// A Message tells a target that cannot read a forge what one user is to see. It
// carries the state and not a step towards it: whoever missed one, or gets it
// twice, is right again after the next.
type Message struct {
	ID        string      `json:"id"`   // the same for the same data: a repetition is known by it
	Type      string      `json:"type"` // MessageType
	Timestamp time.Time   `json:"timestamp"`
	Data      MessageData `json:"data"`
}

// MessageData is what a Message says.
type MessageData struct {
	Target   string         `json:"target"`
	Provider string         `json:"provider"`
	User     providers.User `json:"user"`
	Version  uint64         `json:"version"`  // rises with every change; an older one is to be ignored
	Complete bool           `json:"complete"` // what is not in Present is not held; else only Absent is lost
	Present  []MessageRepo  `json:"present"`
	Absent   []MessageRepo  `json:"absent"`
}

// MessageRepo is one repository of a Message. Lost ones have no permission.
type MessageRepo struct {
	ID         string               `json:"id"` // the forge's
	Repo       string               `json:"repo"`
	Permission string               `json:"permission,omitempty"` // read, write or admin
	Visibility providers.Visibility `json:"visibility,omitempty"`
	Archived   bool                 `json:"archived,omitempty"`
}

// NewMessage says what want wants for u.
func NewMessage(target, provider string, u providers.User, want Desired, now time.Time) Message {
	m := Message{
		Type: MessageType, Timestamp: now.UTC(),
		Data: MessageData{
			Target: target, Provider: provider, User: u, Version: want.Version, Complete: want.Complete,
			Present: make([]MessageRepo, len(want.Present)), Absent: make([]MessageRepo, len(want.Absent)),
		},
	}
	for i, a := range want.Present {
		m.Data.Present[i] = MessageRepo{a.Repo.ID, a.Repo.Path, a.Permission.String(), a.Repo.Visibility, a.Repo.Archived}
	}
	for i, a := range want.Absent {
		m.Data.Absent[i] = MessageRepo{ID: a.Repo.ID, Repo: a.Repo.Path}
	}
	data, _ := json.Marshal(m.Data) // texts and numbers: it cannot fail
	sum := sha256.Sum256(data)
	m.ID = fmt.Sprintf("%s.%s.%s.%d.%x", target, provider, u.ID, want.Version, sum[:6])
	return m
}

// Accepted is the result of a target that took a message and cannot be read
// back: it is believed.
func Accepted(want Desired, note string) Result {
	r := Result{Synced: true, Before: -1, After: len(want.Present), Note: note}
	for _, a := range want.Present {
		r.Shown = append(r.Shown, a.Repo.ID)
	}
	for _, a := range want.Absent {
		r.Gone = append(r.Gone, a.Repo.ID)
	}
	return r
}

// A LaterError means that the target asked not to be called before a time.
type LaterError struct {
	At  time.Time
	Err error
}

func (e *LaterError) Error() string { return e.Err.Error() }

func (e *LaterError) Unwrap() error { return e.Err }
