package providerstest

import (
	"slices"
	"strings"
)

// contents is what a repository has on its default branch, what it is tagged
// with, and the webhooks of its own. The zero contents are those of an empty repository.
type contents struct {
	files  []string // paths, sorted
	topics []string
	hooks  repoHooks
}

func (c *contents) add(path string) {
	if i, ok := slices.BinarySearch(c.files, path); !ok {
		c.files = slices.Insert(c.files, i, path)
	}
}

// at returns whether path is a file, and what lies directly below it if it is a
// folder.
func (c *contents) at(path string) (file bool, below []string) {
	path = strings.Trim(path, "/")
	for _, f := range c.files {
		if f == path {
			return true, nil
		}
		rest, inside := strings.CutPrefix(f, path+"/")
		if path == "" {
			rest, inside = f, true
		}
		if name, _, _ := strings.Cut(rest, "/"); inside && !slices.Contains(below, name) {
			below = append(below, name)
		}
	}
	return false, below
}

// isFolder reports whether something lies below path.
func (c *contents) isFolder(path string) bool {
	file, below := c.at(path)
	return !file && len(below) > 0
}

// tagged are the topics as an API lists them.
func (c *contents) tagged() []string { return slices.Concat([]string{}, c.topics) }

// join appends a name to the path of a folder.
func join(folder, name string) string {
	return strings.TrimPrefix(strings.Trim(folder, "/")+"/"+name, "/")
}
