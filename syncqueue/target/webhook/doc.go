// Package webhook is the target of kind http: a service of the operator's own
// that is told, by one signed POST for each affected user, what he may see now.
//
// The request follows the Standard Webhooks specification
// (github.com/standard-webhooks): headers webhook-id, webhook-timestamp and
// webhook-signature, "v1," and the base64 of an HMAC-SHA256 over id, timestamp
// and body joined by dots. The body is a target.Message. The id stays the same
// when a request is repeated, and a service that keeps the highest version of
// each user may ignore older ones.
//
// Any answer of 2xx is taken for the truth: there is nothing to read back. All
// others are repeated by the queue with its backoff, not before what a
// Retry-After of a 429 or 503 says. Redirects are not followed.
//
// The address is checked when the connection is made, after the name was
// resolved, so that no name leads to the machine itself, its neighbours or a
// cloud's metadata service unless the configuration allows that network.
package webhook
