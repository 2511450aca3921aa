package main

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// An origin is where a value came from: a place in the file, an environment
// variable or a flag. The zero origin is a default.
type origin struct {
	File      string
	Line, Col int // from 1; columns count characters
	Var       string
	Flag      string
}

func (o origin) String() string {
	switch {
	case o.Flag != "":
		return "--" + o.Flag
	case o.Var != "":
		return o.Var
	case o.Line > 0:
		return fmt.Sprintf("%s:%d:%d", o.File, o.Line, o.Col)
	case o.File != "":
		return o.File
	}
	return "default"
}

// A fault is one thing that is wrong with the configuration.
type fault struct {
	at  origin
	msg string
}

// faults is a configuration that cannot be used. As an error it makes the
// process exit 78; print shows it to people.
type faults struct {
	list   []fault
	source source
}

func (f *faults) Error() string {
	lines := make([]string, len(f.list))
	for i, x := range f.list {
		lines[i] = x.String()
	}
	return strings.Join(lines, "\n")
}

func (x fault) String() string {
	if x.at == (origin{}) {
		return "configuration: " + x.msg
	}
	return x.at.String() + ": " + x.msg
}

func (f *faults) add(at origin, format string, args ...any) {
	f.list = append(f.list, fault{at, fmt.Sprintf(format, args...)})
}

// sorted orders the faults as a reader meets them: the file from top to
// bottom, then what has no place in it.
func (f *faults) sorted() *faults {
	slices.SortStableFunc(f.list, func(a, b fault) int {
		if (a.at.Line > 0) != (b.at.Line > 0) {
			return cmp.Compare(b.at.Line, a.at.Line)
		}
		return cmp.Or(cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.at.Col, b.at.Col), cmp.Compare(a.at.Var, b.at.Var))
	})
	return f
}

// print writes every fault, those of the file with an excerpt and a caret.
func (f *faults) print(w io.Writer) {
	for _, x := range f.list {
		fmt.Fprintln(w, x)
		if x.at.Line > 0 {
			f.source.excerpt(w, x.at)
		}
	}
}

// A source is the text of a configuration file.
type source struct {
	name  string
	lines []string
}

// byteOrderMark is what some editors put before a text. YAML allows it
// (YAML 1.2.2, section 5.2).
const byteOrderMark = "\ufeff"

func newSource(name string, text []byte) source {
	plain := strings.TrimPrefix(string(text), byteOrderMark)
	return source{name, strings.Split(strings.TrimSuffix(plain, "\n"), "\n")}
}

// excerpt shows the line of a place, the one before, and a caret. It ends up in
// logs, so it shows values of settings known not to be secret only.
func (s source) excerpt(w io.Writer, at origin) {
	if at.Line > len(s.lines) {
		return
	}
	for n := max(at.Line-1, 1); n <= at.Line; n++ {
		mark := ' '
		if n == at.Line {
			mark = '>'
		}
		fmt.Fprintf(w, "%c %4d | %s\n", mark, n, presentable(s.lines[n-1]))
	}
	fmt.Fprintf(w, "         %s^\n", blank(s.lines[at.Line-1], at.Col-1))
}

// blank returns as much white space as the first n characters of line take.
func blank(line string, n int) string {
	out := make([]rune, 0, n)
	for _, r := range line {
		if len(out) == n {
			break
		}
		if r != '\t' {
			r = ' '
		}
		out = append(out, r)
	}
	return string(out) + strings.Repeat(" ", n-len(out))
}

var (
	yamlKey   = regexp.MustCompile(`([^\s:{},\[\]-][^\s:{},\[\]]*):(?:\s|$)`)
	yamlStart = regexp.MustCompile(`^\s*(?:- )*(?:[^\s:]+:(?:\s|$)|)`)
)

// presentable returns line if all keys in it are of settings that are not
// secret, and there are no credentials in an address, else the line up to its
// first value.
func presentable(line string) string {
	if line == "---" {
		return line
	}
	keys := yamlKey.FindAllStringSubmatch(line, -1)
	open := len(keys) > 0 && !strings.Contains(line, "@")
	for _, k := range keys {
		open = open && openKeys()[k[1]]
	}
	start := yamlStart.FindString(line)
	if open || strings.TrimSpace(line[len(start):]) == "" {
		return line
	}
	if start == "" {
		return mask
	}
	return strings.TrimRight(start, " ") + " " + mask
}

// openKeys are the names that stand before values which are not secret.
var openKeys = sync.OnceValue(func() map[string]bool {
	open := map[string]bool{}
	var visit func(t table)
	visit = func(t table) {
		for _, s := range t.settings {
			for part := range strings.SplitSeq(s.path, ".") {
				open[part] = true
			}
		}
		for _, s := range t.settings {
			switch s.into.(type) {
			case *secret, *[]secret:
				delete(open, last(s.path))
			}
		}
		for path, element := range t.lists {
			for part := range strings.SplitSeq(path, ".") {
				open[part] = true
			}
			visit(element())
		}
	}
	visit(defaults().table())
	return open
})
