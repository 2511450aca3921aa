package main

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// A job is the API's, with what the commands show of it.
type job struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	Key       string    `json:"key"`
	Provider  string    `json:"provider"`
	Target    string    `json:"target"`
	Subject   subject   `json:"subject"`
	Within    subject   `json:"within"`
	State     string    `json:"state"`
	Attempts  int       `json:"attempts"`
	NotBefore time.Time `json:"not_before"`
	LastError string    `json:"last_error"`
	Outcome   string    `json:"outcome"`
	Note      string    `json:"note"`
	Created   time.Time `json:"created_at"`
	Finished  time.Time `json:"finished_at"`
	Causes    []struct {
		Delivery string    `json:"delivery"`
		By       string    `json:"by"`
		Event    string    `json:"event"`
		Why      string    `json:"why"`
		At       time.Time `json:"at"`
	} `json:"causes"`
}

type subject struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (s subject) String() string {
	if s.Name != "" {
		return s.Name
	}
	return strings.TrimSpace(s.Kind + " " + s.ID)
}

// about is what a job looks at, and for whom.
func (j job) about() string {
	s := j.Subject.String()
	if w := j.Within.String(); w != "" {
		s += " in " + w
	}
	if j.Target != "" {
		s += " on " + j.Target
	}
	return s
}

// why is the last thing to know about a job.
func (j job) why() string {
	if j.LastError != "" {
		return j.LastError
	}
	return j.Note
}

var jobHead = []string{"AGE", "JOB", "KIND", "ABOUT", "STATE", "ATTEMPTS", "DUE", "NOTE"}

func (j job) cells(now time.Time) []string {
	due := ""
	if j.State != string(syncqueue.Done) && j.State != string(syncqueue.Dead) {
		due = age(j.NotBefore, now)
	}
	return []string{age(j.Created, now), j.ID, j.Kind, j.about(), j.State, strconv.Itoa(j.Attempts), due, j.why()}
}

func printJobs(w io.Writer, jobs []job, now time.Time) error {
	rows := make([][]string, len(jobs))
	for i, j := range jobs {
		rows[i] = j.cells(now)
	}
	return printTable(w, jobHead, rows)
}
