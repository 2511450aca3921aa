package providers

import (
	"net/url"
	"strings"
)

// hookPath is where deliveries are taken, below the public address.
const hookPath = "/hooks/"

// HookURL is the address that a provider's deliveries are sent to, given the
// public address of hookd.
func HookURL(public, provider string) string {
	return strings.TrimRight(public, "/") + hookPath + url.PathEscape(provider)
}

// IsHookURL reports whether a webhook that sends to address sends to this
// provider of this hookd. Scheme and host compare case-folded, a default port is
// none, and a slash at the end does not count. Where the public address is not
// known (""), the end of the path alone decides.
func IsHookURL(address, public, provider string) bool {
	got, err := url.Parse(strings.TrimSpace(address))
	if err != nil || got.Host == "" || provider == "" {
		return false
	}
	path := strings.TrimRight(got.EscapedPath(), "/")
	if public == "" {
		return strings.HasSuffix(path, hookPath+url.PathEscape(provider))
	}
	want, err := url.Parse(HookURL(strings.TrimSpace(public), provider))
	return err == nil && origin(got) == origin(want) && path == want.EscapedPath()
}

// origin is scheme, host and port in one form.
func origin(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		port = ""
	}
	return scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}
