package providerstest

import (
	"encoding/base64"
	"net/http"
)

// AddFile commits a file to a repository's default branch. The owner's hooks
// hear "push", and "create" before the first.
func (g *Gitea) AddFile(path, file string) error {
	by := g.byLogin[fold(g.opt.Admin)]
	return g.change(path, func(r *repo) {
		first := r.empty
		r.empty = false
		r.contents.add(file)
		g.render(r)
		if first {
			g.announceCreate(r, "main", by)
			g.announcePush(r, "main", by, noCommit)
			return
		}
		g.announcePush(r, "main", by, newSHA())
	})
}

// SetTopics tags a repository. No webhook tells.
func (g *Gitea) SetTopics(path string, topics ...string) error {
	return g.change(path, func(r *repo) { r.contents.topics = topics })
}

type wireContents struct {
	Name     string  `json:"name"`
	Path     string  `json:"path"`
	SHA      string  `json:"sha"`
	Type     string  `json:"type"`
	Size     int     `json:"size"`
	Encoding *string `json:"encoding"`
	Content  *string `json:"content"`
}

const pipeline = "kind: pipeline\n"

// repoContents answers a file with itself and a folder with a list; what is not
// there, or an empty repository, with a 404 (measured, with its messages).
func (c *call) repoContents() {
	r := c.repository()
	if r == nil {
		return
	}
	path := c.r.PathValue("path")
	file, below := r.contents.at(path)
	switch {
	case file:
		encoding, content := "base64", base64.StdEncoding.EncodeToString([]byte(pipeline))
		c.json(wireContents{base(path), path, newSHA(), "file", len(pipeline), &encoding, &content})
	case len(below) > 0:
		entries := []wireContents{}
		for _, name := range below {
			kind := "file"
			if r.contents.isFolder(join(path, name)) {
				kind = "dir"
			}
			entries = append(entries, wireContents{Name: name, Path: join(path, name), SHA: newSHA(), Type: kind})
		}
		c.json(entries)
	default:
		message, where := "GetContentsOrList", "[id: , rel_path: "+path+"]"
		if r.empty {
			message, where = "not found", "[id: main, rel_path: ]"
		}
		c.status = http.StatusNotFound
		c.json(map[string]any{"errors": []string{"object does not exist " + where}, "message": message, "url": c.g.opt.RootURL + "/api/swagger"})
	}
}

// AddRepoHook gives a repository a webhook of its own. No webhook tells.
func (g *Gitea) AddRepoHook(path, address string) error {
	return g.change(path, func(r *repo) { r.contents.hooks.add(g.next("hook"), address) })
}
