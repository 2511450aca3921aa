package providerstest

import (
	"encoding/base64"
	"net/http"
)

// AddFile commits a file to a project's default branch. (System hooks hear a
// push or repository_update where they asked for it, which the simulated ones
// never do.)
func (g *GitLab) AddFile(path, file string) error {
	return g.quietly(path, func(p *glProject) { p.contents.add(file) })
}

// SetTopics tags a project. System hooks hear project_update.
func (g *GitLab) SetTopics(path string, topics ...string) error {
	return g.update(path, func(p *glProject) { p.contents.topics = topics })
}

func (g *GitLab) quietly(path string, change func(*glProject)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.project(path)
	if err == nil {
		change(p)
		g.version++
	}
	return err
}

// file needs a ref, of which HEAD is the default branch, and has the whole path
// in one escaped segment (lib/api/files.rb).
func (c *glCall) file() {
	p := c.askedProject()
	path := c.r.PathValue("file")
	switch {
	case p == nil:
	case c.r.URL.Query().Get("ref") == "":
		c.status = http.StatusBadRequest
		c.json(map[string]string{"error": "ref is missing, ref is empty"})
	case len(p.contents.files) == 0:
		c.refuse(http.StatusNotFound, "404 Commit Not Found")
	default:
		if file, _ := p.contents.at(path); !file {
			c.refuse(http.StatusNotFound, "404 File Not Found")
			return
		}
		c.json(map[string]any{
			"file_name": base(path), "file_path": path, "size": len(pipeline), "encoding": "base64", "ref": c.r.URL.Query().Get("ref"),
			"blob_id": newSHA(), "commit_id": newSHA(), "content": base64.StdEncoding.EncodeToString([]byte(pipeline)),
		})
	}
}

// tree lists a folder (lib/api/repositories.rb).
func (c *glCall) tree() {
	p := c.askedProject()
	if p == nil {
		return
	}
	path := c.r.URL.Query().Get("path")
	file, below := p.contents.at(path)
	switch {
	case len(p.contents.files) == 0:
		c.refuse(http.StatusNotFound, "404 Tree Not Found")
	case file, len(below) == 0:
		c.refuse(http.StatusNotFound, "404 invalid revision or path Not Found")
	default:
		glPaged(c, below, func(name string) any {
			kind := "blob"
			if p.contents.isFolder(join(path, name)) {
				kind = "tree"
			}
			return map[string]string{"id": newSHA(), "name": name, "type": kind, "path": join(path, name), "mode": "100644"}
		})
	}
}

// AddRepoHook gives a project a webhook of its own.
func (g *GitLab) AddRepoHook(path, address string) error {
	return g.quietly(path, func(p *glProject) { p.contents.hooks.add(g.next("hook"), address) })
}
