package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// giteaSamples have the shapes of Gitea 1.25, of which hookd reads a small
// part.
var giteaSamples = map[string]sample{
	"repository.created": {"repository", giteaSample(func(org object, now time.Time) object { return giteaRepository("created", org, now) })},
	"repository.deleted": {"repository", giteaSample(func(org object, now time.Time) object { return giteaRepository("deleted", org, now) })},
	"fork":               {"fork", giteaSample(giteaFork)},
	"push":               {"push", giteaSample(giteaPush)},
	"ping":               {"push", giteaSample(giteaTest)},
}

// giteaSample writes the organization as Gitea does, like a user.
func giteaSample(body func(org object, now time.Time) object) func(sampleOrg, time.Time) object {
	return func(org sampleOrg, now time.Time) object { return body(giteaUser(org.id, org.name, now), now) }
}

func giteaRepository(action string, org object, now time.Time) object {
	return object{
		"action":       action,
		"repository":   giteaRepo(900001, org, "sample", now),
		"organization": org,
		"sender":       giteaUser(2, "sample-user", now),
	}
}

// giteaFork is the fork of a repository of the organization into it. In Gitea
// "forkee" is what was forked.
func giteaFork(org object, now time.Time) object {
	base := giteaRepo(900001, org, "sample", now)
	fork := giteaRepo(900002, org, "sample-fork", now)
	fork["fork"], fork["parent"] = true, base
	return object{"forkee": base, "repository": fork, "sender": giteaUser(2, "sample-user", now)}
}

func giteaPush(org object, now time.Time) object {
	repo := giteaRepo(900001, org, "sample", now)
	user := giteaUser(2, "sample-user", now)
	who := object{"name": "sample-user", "email": "sample-user@noreply.localhost", "username": "sample-user"}
	after := "85aa8222ff43bc973b3ca946dd4e95544a4e79ec"
	commit := object{
		"id": after, "message": "A sample\n", "url": fmt.Sprint(repo["html_url"], "/commit/", after),
		"author": who, "committer": who, "verification": nil, "timestamp": stamp(now),
		"added": []string{"README.md"}, "removed": []string{}, "modified": []string{},
	}
	return object{
		"ref": "refs/heads/main", "before": strings.Repeat("0", 40), "after": after, "compare_url": "",
		"commits": []object{commit}, "total_commits": 1, "head_commit": commit,
		"repository": repo, "pusher": user, "sender": user,
	}
}

// giteaTest is what the test button of Gitea's page sends: a push from a
// commit to itself.
func giteaTest(org object, now time.Time) object {
	push := giteaPush(org, now)
	push["before"] = push["after"]
	return push
}

func giteaUser(id int, login string, now time.Time) object {
	return object{
		"id": id, "login": login, "login_name": "", "source_id": 0, "full_name": "",
		"email": login + "@noreply.localhost", "avatar_url": "", "html_url": "http://localhost/" + login,
		"language": "", "is_admin": false, "last_login": "0001-01-01T00:00:00Z", "created": stamp(now),
		"restricted": false, "active": false, "prohibit_login": false, "location": "", "website": "",
		"description": "", "visibility": "public", "followers_count": 0, "following_count": 0,
		"starred_repos_count": 0, "username": login,
	}
}

func giteaRepo(id int, owner object, name string, now time.Time) object {
	path := fmt.Sprint(owner["login"], "/", name)
	return object{
		"id": id, "owner": owner, "name": name, "full_name": path, "description": "",
		"empty": true, "private": true, "fork": false, "template": false, "mirror": false, "size": 0,
		"language": "", "languages_url": "http://localhost/api/v1/repos/" + path + "/languages",
		"html_url": "http://localhost/" + path, "url": "http://localhost/api/v1/repos/" + path, "link": "",
		"ssh_url": "git@localhost:" + path + ".git", "clone_url": "http://localhost/" + path + ".git",
		"original_url": "", "website": "", "stars_count": 0, "forks_count": 0, "watchers_count": 1,
		"open_issues_count": 0, "open_pr_counter": 0, "release_counter": 0, "default_branch": "main",
		"archived": false, "created_at": stamp(now), "updated_at": stamp(now), "archived_at": "1970-01-01T00:00:00Z",
		"permissions": object{"admin": true, "push": true, "pull": true},
		"has_code":    true, "has_issues": true, "has_wiki": true, "has_pull_requests": true, "has_projects": true,
		"projects_mode": "all", "has_releases": true, "has_packages": true, "has_actions": false,
		"ignore_whitespace_conflicts": false, "allow_merge_commits": true, "allow_rebase": true,
		"allow_rebase_explicit": true, "allow_squash_merge": true, "allow_fast_forward_only_merge": true,
		"default_merge_style": "merge", "avatar_url": "", "internal": false, "mirror_interval": "",
		"object_format_name": "sha1", "mirror_updated": "0001-01-01T00:00:00Z", "topics": []string{}, "licenses": []string{},
	}
}

// giteaHeader returns the headers of a delivery, signed over its very bytes.
// Gitea sends GitHub's and Gogs' headers beside its own.
func giteaHeader(kind, event, id string, key secret, body []byte) http.Header {
	mac := hmac.New(sha256.New, []byte(string(key)))
	mac.Write(body)
	sum := hex.EncodeToString(mac.Sum(nil))
	h := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"hookd-send"}}
	h.Set("X-Hub-Signature-256", "sha256="+sum)
	h.Set("X-GitHub-Delivery", id)
	h.Set("X-GitHub-Event", event)
	families := []string{"X-Gitea-", "X-Gogs-"}
	if kind == "forgejo" {
		families = append(families, "X-Forgejo-")
	}
	for _, f := range families {
		h.Set(f+"Delivery", id)
		h.Set(f+"Event", event)
		h.Set(f+"Event-Type", event)
		h.Set(f+"Signature", sum)
	}
	h.Set("X-Gitea-Hook-Installation-Target-Type", "organization")
	return h
}
