package gitlab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

const (
	// logKept is how far back the API shows a hook's log (web_hook_log.rb,
	// MAX_RECENT_DAYS).
	logKept = 7 * 24 * time.Hour
	// logPage is the most it gives at once (lib/api/hooks/events.rb); more is
	// refused.
	logPage = 20
	// givesUp is after how many failures in a row a hook is switched off for a
	// while, where that is switched on; what happens then is not logged.
	givesUp = 4
)

// DeliveryLogs finds the hooks that send to us of a group, or of one it lies in,
// which takes a token of an owner. A system hook that does has no log to read:
// its page alone shows it.
func (f *Forge) DeliveryLogs(ctx context.Context, org providers.Org, ours func(address string) bool) ([]providers.HookLog, error) {
	g, err := f.group(ctx, gid(org))
	if err != nil {
		return nil, wrap(err)
	}
	logs, err := f.groupLogs(ctx, convertGroup(g), ours)
	for above := g.FullPath; err == nil && len(logs) == 0; {
		i := strings.LastIndexByte(above, '/')
		if i < 0 {
			break
		}
		above = above[:i]
		var found []providers.HookLog
		found, err = f.groupLogs(ctx, providers.Org{Name: above}, ours)
		logs = append(logs, found...)
		if errors.Is(err, providers.ErrForbidden) || errors.Is(err, providers.ErrNotFound) {
			err = nil // of the group itself nothing was hidden
		}
	}
	if len(logs) > 0 || err != nil && !errors.Is(err, errNoRoute) {
		return logs, wrap(err)
	}
	// No group's hook, or a GitLab without them.
	logs, err = f.systemHooks(ctx, org, ours)
	return logs, wrap(err)
}

func (f *Forge) groupLogs(ctx context.Context, org providers.Org, ours func(address string) bool) ([]providers.HookLog, error) {
	hooks, err := listing[sdk.GroupHook]{
		f: f, op: fmt.Sprintf("GET /groups/%v/hooks", gid(org)), id: func(h *sdk.GroupHook) int64 { return h.ID },
		fetch: func(more ...sdk.RequestOptionFunc) ([]*sdk.GroupHook, *sdk.Response, error) {
			return f.api.Groups.ListGroupHooks(gid(org), &sdk.ListGroupHooksOptions{ListOptions: sdk.ListOptions{PerPage: pageSize}}, append(more, sdk.WithContext(ctx))...)
		},
	}.all(ctx)
	if err != nil {
		return nil, err
	}
	var logs []providers.HookLog
	for _, h := range hooks {
		if !ours(h.URL) {
			continue
		}
		l := providers.HookLog{Org: org, Hook: text(h.ID), Kept: logKept, GivesUp: givesUp}
		switch {
		case h.CustomWebhookTemplate != "":
			l.Lacks = "the hook has a template of its own, so its log does not hold what GitLab says"
		case h.AlertStatus != "" && h.AlertStatus != "executable":
			l.Off = "GitLab has switched the hook off after failures (" + strings.ReplaceAll(h.AlertStatus, "_", " ") + ")"
		}
		logs = append(logs, l)
	}
	return logs, nil
}

// systemHooks are an administrator's to see; for others there are none.
func (f *Forge) systemHooks(ctx context.Context, org providers.Org, ours func(address string) bool) ([]providers.HookLog, error) {
	hooks, err := listing[sdk.Hook]{
		f: f, op: "GET /hooks", id: func(h *sdk.Hook) int64 { return h.ID },
		fetch: func(more ...sdk.RequestOptionFunc) ([]*sdk.Hook, *sdk.Response, error) {
			return f.api.SystemHooks.ListHooks(append(more, sdk.WithContext(ctx))...)
		},
	}.all(ctx)
	if errors.Is(err, providers.ErrForbidden) {
		return nil, nil
	}
	var logs []providers.HookLog
	for _, h := range hooks {
		if ours(h.URL) {
			logs = append(logs, providers.HookLog{Org: org, Hook: text(h.ID), Lacks: "GitLab's API does not show the log of a system hook"})
		}
	}
	return logs, err
}

// hookEvent is an entry of a hook's log (lib/api/entities/web_hook_log.rb).
type hookEvent struct {
	ID      int64           `json:"id"`
	Header  map[string]any  `json:"request_headers"`
	Data    json.RawMessage `json:"request_data"`
	Status  any             `json:"response_status"` // a text: a number, or "internal error"
	Created time.Time       `json:"created_at"`      // not told by older ones
}

// Attempts yields what the log has, 20 for a call, with the payloads. Of those
// GitLab keeps neither the bytes nor tokens and people's addresses, so no
// signature can be checked; nor is resending one, five a minute and to the
// hook's present address only, better than taking it from here.
func (f *Forge) Attempts(ctx context.Context, l providers.HookLog) iter.Seq2[providers.Attempt, error] {
	return func(yield func(providers.Attempt, error) bool) {
		for e, err := range f.hookEvents(ctx, l) {
			if err != nil {
				yield(providers.Attempt{}, wrap(err))
				return
			}
			if !yield(e.attempt(), nil) {
				return
			}
		}
	}
}

func (f *Forge) hookEvents(ctx context.Context, l providers.HookLog) iter.Seq2[*hookEvent, error] {
	return func(yield func(*hookEvent, error) bool) {
		path := fmt.Sprintf("groups/%s/hooks/%s/events", sdk.PathEscape(fmt.Sprint(gid(l.Org))), l.Hook)
		op, seen := "GET /"+path, map[int64]bool{}
		for page := int64(1); page <= maxPages; page++ {
			var got []*hookEvent
			resp, err := f.get(ctx, path, sdk.ListOptions{Page: page, PerPage: logPage}, &got)
			switch {
			case err != nil:
				err = f.failed(ctx, op, err)
			case got == nil:
				err = nonsense(op, "null instead of a list")
			case resp.CurrentPage != 0 && resp.CurrentPage != page:
				err = nonsense(op, fmt.Sprintf("asked for page %d, got page %d", page, resp.CurrentPage))
			}
			fresh := 0
			for _, e := range got {
				if err == nil && (e == nil || e.ID <= 0) {
					err = nonsense(op, "an entry without an id")
				}
				if err != nil {
					break
				}
				if seen[e.ID] {
					continue // newer ones have pushed it here from an earlier page
				}
				seen[e.ID] = true
				fresh++
				if !yield(e, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if end, err := lastPage(resp, page, len(got), fresh); end || err != nil {
				if err != nil {
					yield(nil, nonsense(op, err.Error()))
				}
				return
			}
		}
	}
}

// lastPage reports whether a page was the last. One that is full and says
// nothing of another proves nothing.
func lastPage(resp *sdk.Response, page int64, got, fresh int) (bool, error) {
	_, numbered := resp.Header["X-Next-Page"]
	switch {
	case resp.NextPage != 0 && resp.NextPage != page+1:
		return false, fmt.Errorf("page %d says that page %d is next", page, resp.NextPage)
	case resp.NextPage != 0 && got == 0:
		return false, fmt.Errorf("page %d is empty and says that another is next", page)
	case resp.NextPage != 0:
		return false, nil
	case numbered || got < logPage:
		return true, nil
	case fresh == 0:
		return false, fmt.Errorf("page %d repeats an earlier one", page)
	}
	return false, nil
}

func (e *hookEvent) attempt() providers.Attempt {
	a := providers.Attempt{ID: text(e.ID), At: e.Created, Answer: fmt.Sprint(e.Status), Header: http.Header{}}
	a.Taken = len(a.Answer) == 3 && a.Answer[0] == '2'
	for name, value := range e.Header {
		if s, ok := value.(string); ok {
			a.Header.Set(name, s)
		}
	}
	a.GUID, a.Event = guidOf(a.Header), a.Header.Get("X-Gitlab-Event")
	if body := payloadOf(e.Data); body != nil {
		a.Body = body
	}
	return a
}

// payloadOf returns the logged payload without white space, nil if GitLab has
// left it out for its size (web_hook_log.rb, OVERSIZE_REQUEST_DATA).
func payloadOf(data json.RawMessage) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil || len(fields) == 0 {
		return nil
	}
	if over, ok := fields["oversize"]; ok && len(fields) == 1 && string(over) == "true" {
		return nil
	}
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return nil
	}
	return b.Bytes()
}

// Payload returns a as Attempts did, which had all there is. ErrNotFound: GitLab
// did not log the payload.
func (f *Forge) Payload(_ context.Context, l providers.HookLog, a providers.Attempt) (providers.Attempt, error) {
	if a.Body == nil {
		op := fmt.Sprintf("GET /groups/%v/hooks/%s/events", gid(l.Org), l.Hook)
		return a, wrap(&providers.ForgeError{Op: op, Status: http.StatusOK, Class: providers.ErrNotFound, Err: errors.New("the log has no payload of " + a.ID)})
	}
	return a, nil
}
