package main

import (
	"fmt"
	"io"
	"strings"
)

// The levels of a finding.
const (
	levelOK   = "ok"
	levelWarn = "warn"
	levelFail = "FAIL"
)

// A finding is the result of one check: what was seen, and unless all is well,
// what to do.
type finding struct {
	Level   string `json:"level"`
	Check   string `json:"check"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	Fix     string `json:"fix,omitempty"`
}

// A report collects findings in the order in which they are told.
type report struct{ findings []finding }

func (r *report) add(f ...finding) { r.findings = append(r.findings, f...) }

func (r *report) say(level, check, subject, fix, format string, args ...any) {
	r.add(finding{level, check, subject, fmt.Sprintf(format, args...), fix})
}

func (r *report) count(level string) int {
	n := 0
	for _, f := range r.findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// print writes a line for each finding, and under each that is not ok what to
// do about it.
func (r *report) print(w io.Writer) {
	wide := 0
	for _, f := range r.findings {
		wide = max(wide, len([]rune(clean(f.Subject))))
	}
	for _, f := range r.findings {
		subject := clean(f.Subject)
		pad := strings.Repeat(" ", wide-len([]rune(subject)))
		fmt.Fprintf(w, "%-4s  %s%s  %s\n", f.Level, subject, pad, clean(f.Text))
		if f.Level != levelOK && f.Fix != "" {
			fmt.Fprintf(w, "      %s  fix: %s\n", strings.Repeat(" ", wide), clean(f.Fix))
		}
	}
	switch failed, warned := r.count(levelFail), r.count(levelWarn); {
	case failed > 0 && warned > 0:
		fmt.Fprintf(w, "%d failed, %s\n", failed, count(warned, "warning", "warnings"))
	case failed > 0:
		fmt.Fprintf(w, "%d failed\n", failed)
	case warned > 0:
		fmt.Fprintf(w, "%s\n", count(warned, "warning", "warnings"))
	default:
		fmt.Fprintln(w, "all is well")
	}
}
