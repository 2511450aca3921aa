package providerstest

import (
	"encoding/base64"
	"net/http"
	"path"
)

func base(file string) string { return path.Base(file) }

// AddFile commits a file to a repository's default branch. The hooks hear
// "push".
func (g *GitHub) AddFile(path, file string) error {
	return g.change(path, func(r *ghRepo) error {
		r.contents.add(file)
		return nil
	}, func(r *ghRepo) { g.announcePush(r, "main", g.admin()) })
}

// SetTopics tags a repository. The hooks hear "repository edited", which is
// nobody's access.
func (g *GitHub) SetTopics(path string, topics ...string) error {
	return g.change(path, func(r *ghRepo) error {
		r.contents.topics = topics
		return nil
	}, nil)
}

// repoContents answers a file with itself and a folder with a list; an empty
// repository, and what is not there, with a 404 (docs.github.com/en/rest/repos/contents).
func (c *ghCall) repoContents() {
	r := c.repository()
	if r == nil {
		return
	}
	path := c.r.PathValue("path")
	file, below := r.contents.at(path)
	switch {
	case len(r.contents.files) == 0:
		c.refuse(http.StatusNotFound, "This repository is empty.")
	case file:
		c.json(ghFields{
			"type": "file", "encoding": "base64", "size": len(pipeline), "name": base(path), "path": path, "sha": newSHA(),
			"content": base64.StdEncoding.EncodeToString([]byte(pipeline)) + "\n",
		})
	case len(below) > 0:
		entries := []ghFields{}
		for _, name := range below {
			kind := "file"
			if r.contents.isFolder(join(path, name)) {
				kind = "dir"
			}
			entries = append(entries, ghFields{"type": kind, "name": name, "path": join(path, name), "sha": newSHA(), "size": 0})
		}
		c.json(entries)
	default:
		c.notFound()
	}
}

// AddRepoHook gives a repository a webhook of its own.
func (g *GitHub) AddRepoHook(path, address string) error {
	return g.change(path, func(r *ghRepo) error {
		r.contents.hooks.add(g.next("hook"), address)
		return nil
	}, nil)
}
