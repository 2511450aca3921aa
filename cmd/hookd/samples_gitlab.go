package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// gitlabSamples are those of GitLab's system hooks, which have the same bodies
// as the hooks of groups.
var gitlabSamples = map[string]sample{
	"project_create":         {"System Hook", func(org sampleOrg, now time.Time) object { return gitlabProject("project_create", org, now) }},
	"project_destroy":        {"System Hook", func(org sampleOrg, now time.Time) object { return gitlabProject("project_destroy", org, now) }},
	"user_add_to_group":      {"System Hook", func(org sampleOrg, now time.Time) object { return gitlabMember("user_add_to_group", org, now) }},
	"user_remove_from_group": {"System Hook", func(org sampleOrg, now time.Time) object { return gitlabMember("user_remove_from_group", org, now) }},
	"push":                   {"System Hook", gitlabPush},
}

func gitlabProject(event string, org sampleOrg, now time.Time) object {
	return object{
		"event_name": event, "created_at": stamp(now), "updated_at": stamp(now),
		"name": "Sample", "path": "sample", "path_with_namespace": org.name + "/sample",
		"project_id": 900001, "project_namespace_id": org.id, "owner_name": org.name, "owner_email": "",
		"owners": []object{{"name": "Sample User", "email": "sample-user@example.com"}}, "project_visibility": "private",
	}
}

func gitlabMember(event string, org sampleOrg, now time.Time) object {
	return object{
		"event_name": event, "created_at": stamp(now), "updated_at": stamp(now),
		"group_name": org.name, "group_path": org.name, "group_id": org.id, "group_access": "Developer", "group_plan": nil, "expires_at": nil,
		"user_username": "sample-user", "user_name": "Sample User", "user_email": "sample-user@example.com", "user_id": 900003,
	}
}

func gitlabPush(org sampleOrg, now time.Time) object {
	path, after := org.name+"/sample", "85aa8222ff43bc973b3ca946dd4e95544a4e79ec"
	who := object{"name": "Sample User", "email": "sample-user@example.com"}
	return object{
		"object_kind": "push", "event_name": "push", "before": strings.Repeat("0", 40), "after": after,
		"ref": "refs/heads/main", "ref_protected": true, "checkout_sha": after,
		"user_id": 900003, "user_name": "Sample User", "user_username": "sample-user", "user_email": "", "project_id": 900001,
		"project": object{
			"id": 900001, "name": "Sample", "description": nil, "web_url": "https://gitlab.com/" + path, "avatar_url": nil,
			"git_ssh_url": "git@gitlab.com:" + path + ".git", "git_http_url": "https://gitlab.com/" + path + ".git",
			"namespace": org.name, "visibility_level": 0, "path_with_namespace": path, "default_branch": "main",
		},
		"commits": []object{{
			"id": after, "message": "A sample\n", "title": "A sample", "timestamp": stamp(now), "url": "https://gitlab.com/" + path + "/-/commit/" + after,
			"author": who, "added": []string{"README.md"}, "modified": []string{}, "removed": []string{},
		}},
		"total_commits_count": 1,
	}
}

// gitlabHeader returns the headers of a delivery: with a signing token signed
// as Standard Webhooks are, else with the secret itself, as GitLab does.
func gitlabHeader(event, id string, key secret, body []byte, now time.Time) http.Header {
	h := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"hookd-send"}}
	h.Set("Idempotency-Key", id)
	h.Set("X-Gitlab-Event", event)
	h.Set("X-Gitlab-Event-UUID", newUUID())
	encoded, signing := strings.CutPrefix(string(key), signingPrefix)
	if !signing {
		h.Set("X-Gitlab-Token", string(key))
		return h
	}
	k, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return h // unsigned: the configuration's check refused such a key
	}
	at := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", at)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return h
}
