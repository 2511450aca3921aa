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

// githubSamples have the shapes of GitHub's API version 2022-11-28, without the
// many links of its objects.
var githubSamples = map[string]sample{
	"repository.created": {"repository", func(org sampleOrg, now time.Time) object { return githubRepository("created", org, now) }},
	"repository.deleted": {"repository", func(org sampleOrg, now time.Time) object { return githubRepository("deleted", org, now) }},
	"membership.added":   {"membership", func(org sampleOrg, _ time.Time) object { return githubMembership("added", org) }},
	"membership.removed": {"membership", func(org sampleOrg, _ time.Time) object { return githubMembership("removed", org) }},
	"push":               {"push", githubPush},
	"ping":               {"ping", githubPing},
}

func githubRepository(action string, org sampleOrg, now time.Time) object {
	return object{
		"action": action, "repository": githubRepo(org, now),
		"organization": githubOrg(org), "sender": githubUser(900003, "sample-user"),
	}
}

func githubMembership(action string, org sampleOrg) object {
	url := fmt.Sprintf("https://api.github.com/organizations/%d/team/900004", org.id)
	return object{
		"action": action, "scope": "team", "member": githubUser(900003, "sample-user"),
		"sender": githubUser(900005, "sample-owner"), "organization": githubOrg(org),
		"team": object{
			"name": "sample", "id": 900004, "node_id": "T_900004", "slug": "sample", "description": "",
			"privacy": "closed", "notification_setting": "notifications_enabled", "permission": "pull", "parent": nil,
			"url": url, "members_url": url + "/members{/member}", "repositories_url": url + "/repos",
			"html_url": "https://github.com/orgs/" + org.name + "/teams/sample",
		},
	}
}

func githubPush(org sampleOrg, now time.Time) object {
	after := "85aa8222ff43bc973b3ca946dd4e95544a4e79ec"
	who := object{"name": "sample-user", "email": "sample-user@example.com"}
	commit := object{
		"id": after, "tree_id": strings.Repeat("4b", 20), "distinct": true, "message": "A sample", "timestamp": stamp(now),
		"author": who, "committer": who, "added": []string{"README.md"}, "removed": []string{}, "modified": []string{},
	}
	return object{
		"ref": "refs/heads/main", "before": strings.Repeat("0", 40), "after": after,
		"repository": githubRepo(org, now), "pusher": who, "organization": githubOrg(org), "sender": githubUser(900003, "sample-user"),
		"created": true, "deleted": false, "forced": false, "base_ref": nil, "compare": "",
		"commits": []object{commit}, "head_commit": commit,
	}
}

func githubPing(org sampleOrg, now time.Time) object {
	return object{
		"zen": "Approachable is better than simple.", "hook_id": 900006,
		"hook": object{
			"type": "Organization", "id": 900006, "name": "web", "active": true, "events": []string{"repository"},
			"config":     object{"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": "https://hookd.example.com/hooks/hub"},
			"updated_at": stamp(now), "created_at": stamp(now),
		},
		"organization": githubOrg(org), "sender": githubUser(900003, "sample-user"),
	}
}

func githubUser(id int, login string) object {
	return object{
		"login": login, "id": id, "node_id": fmt.Sprint("U_", id), "avatar_url": "", "gravatar_id": "",
		"url": "https://api.github.com/users/" + login, "html_url": "https://github.com/" + login, "type": "User", "site_admin": false,
	}
}

func githubOrg(org sampleOrg) object {
	api := "https://api.github.com/orgs/" + org.name
	return object{
		"login": org.name, "id": org.id, "node_id": fmt.Sprint("O_", org.id), "url": api, "repos_url": api + "/repos",
		"events_url": api + "/events", "hooks_url": api + "/hooks", "members_url": api + "/members{/member}", "avatar_url": "", "description": "",
	}
}

func githubRepo(org sampleOrg, now time.Time) object {
	owner := githubUser(org.id, org.name)
	owner["type"] = "Organization"
	path := org.name + "/sample"
	return object{
		"id": 900001, "node_id": "R_900001", "name": "sample", "full_name": path, "private": true, "owner": owner,
		"html_url": "https://github.com/" + path, "description": nil, "fork": false, "url": "https://api.github.com/repos/" + path,
		"created_at": stamp(now), "updated_at": stamp(now), "pushed_at": stamp(now),
		"git_url": "git://github.com/" + path + ".git", "ssh_url": "git@github.com:" + path + ".git", "clone_url": "https://github.com/" + path + ".git",
		"homepage": nil, "size": 0, "stargazers_count": 0, "watchers_count": 0, "language": nil, "has_issues": true, "has_projects": true,
		"forks_count": 0, "mirror_url": nil, "archived": false, "disabled": false, "open_issues_count": 0, "license": nil,
		"allow_forking": false, "is_template": false, "topics": []string{}, "visibility": "private", "default_branch": "main",
	}
}

// githubHeader returns the headers of a delivery to an organization's hook.
func githubHeader(event, id string, org sampleOrg, key secret, body []byte) http.Header {
	mac := hmac.New(sha256.New, []byte(string(key)))
	mac.Write(body)
	h := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"hookd-send"}}
	h.Set("X-GitHub-Delivery", id)
	h.Set("X-GitHub-Event", event)
	h.Set("X-GitHub-Hook-ID", "900006")
	h.Set("X-GitHub-Hook-Installation-Target-Type", "organization")
	h.Set("X-GitHub-Hook-Installation-Target-ID", fmt.Sprint(org.id))
	h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return h
}
