package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// A secret is text that must not be shown. Formatting and logging it gives a
// mask; string(s) gives the text.
type secret string

const mask = "********"

func (s secret) String() string               { return mask }
func (s secret) GoString() string             { return mask }
func (s secret) LogValue() slog.Value         { return slog.StringValue(mask) }
func (s secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// A size is a number of bytes.
type size int64

const (
	kib size = 1 << 10
	mib      = kib << 10
	gib      = mib << 10
	tib      = gib << 10
)

var sizeUnits = []struct {
	name string
	of   size
}{{"TiB", tib}, {"GiB", gib}, {"MiB", mib}, {"KiB", kib}, {"B", 1}}

func (s size) String() string {
	for _, u := range sizeUnits {
		if s >= u.of && s%u.of == 0 {
			return strconv.FormatInt(int64(s/u.of), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

func parseSize(text string) (size, error) {
	number, of := text, size(1)
	for _, u := range sizeUnits {
		if n, ok := strings.CutSuffix(text, u.name); ok {
			number, of = strings.TrimSpace(n), u.of
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > int64(1<<62/of) {
		return 0, fmt.Errorf("%q is not a size: write 512MiB or 1GiB, or a number of bytes", text)
	}
	return size(n) * of, nil
}

// parseDuration reads what time.ParseDuration reads, and days: "30d".
func parseDuration(text string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(text, "d"); ok {
		if days, err := strconv.ParseUint(n, 10, 16); err == nil {
			return time.Duration(days) * day, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration: write 30s, 5m, 6h or 30d", text)
	}
	return d, nil
}

// formatDuration writes a duration as people do: 6h instead of 6h0m0s.
func formatDuration(d time.Duration) string {
	if d >= 2*day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// isList reports whether a setting holds several values.
func isList(into any) bool {
	switch into.(type) {
	case *[]string, *[]secret, *[]time.Duration:
		return true
	}
	return false
}

// clear empties a list, which a higher layer replaces as a whole.
func clearList(into any) {
	switch p := into.(type) {
	case *[]string:
		*p = nil
	case *[]secret:
		*p = nil
	case *[]time.Duration:
		*p = nil
	}
}

// put parses text into the setting's variable; into a list it appends.
func put(into any, text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	switch p := into.(type) {
	case *string:
		*p = text
	case *secret:
		*p = secret(text)
	case *[]string:
		*p = append(*p, text)
	case *[]secret:
		*p = append(*p, secret(text))
	case *bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		*p = text == "true"
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		*p = n
	case *size:
		n, err := parseSize(text)
		if err != nil {
			return err
		}
		*p = n
	case *time.Duration:
		d, err := parseDuration(text)
		if err != nil {
			return err
		}
		*p = d
	case *[]time.Duration:
		d, err := parseDuration(text)
		if err != nil {
			return err
		}
		*p = append(*p, d)
	default:
		panic(fmt.Sprintf("setting of type %T", into))
	}
	return nil
}

// format writes what a setting holds, one text per value; secrets are masked,
// and nothing is written for what is unset.
func format(into any) []string {
	var out []string
	add := func(unset bool, text string) {
		if !unset {
			out = append(out, text)
		}
	}
	switch p := into.(type) {
	case *string:
		add(*p == "", *p)
	case *secret:
		add(*p == "", mask)
	case *bool:
		add(!*p, "true")
	case *int:
		add(false, strconv.Itoa(*p))
	case *size:
		add(false, p.String())
	case *time.Duration:
		add(false, formatDuration(*p))
	case *[]string:
		out = append(out, *p...)
	case *[]secret:
		for range *p {
			add(false, mask)
		}
	case *[]time.Duration:
		for _, d := range *p {
			add(false, formatDuration(d))
		}
	}
	return out
}
