package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"time"

	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

// appHook stands for the id of an App's webhook, of which there is one.
const appHook = "app"

// DeliveryLogs finds the organization's webhooks that send to us, which takes a
// token of an owner with the scope admin:org_hook; for an App, its own webhook.
func (f *Forge) DeliveryLogs(ctx context.Context, org providers.Org, ours func(address string) bool) ([]providers.HookLog, error) {
	if f.app != nil {
		log, found, err := f.appLog(ctx, org, ours)
		if found || err != nil {
			return log, wrap(err)
		}
	}
	now, err := f.resolve(ctx, org)
	if err != nil {
		return nil, wrap(err)
	}
	org.Name = now.GetLogin()
	hooks, err := f.orgHooks(ctx, org.Name)
	if err != nil {
		return nil, wrap(err)
	}
	var logs []providers.HookLog
	for _, h := range hooks {
		if !ours(h.GetConfig().GetURL()) {
			continue
		}
		l := providers.HookLog{Org: org, Hook: text(h.GetID()), Kept: f.logKept()}
		if !h.GetActive() {
			l.Off = "the webhook is not active"
		}
		logs = append(logs, l)
	}
	return logs, nil
}

// logKept is how far back GitHub shows deliveries: three days on github.com and
// its dedicated domains, seven on an Enterprise Server (github/docs,
// data/variables/webhooks.yml).
func (f *Forge) logKept() time.Duration {
	const day = 24 * time.Hour
	if f.server {
		return 7 * day
	}
	return 3 * day
}

// appLog is the log of the App's webhook, if that sends to us.
func (f *Forge) appLog(ctx context.Context, org providers.Org, ours func(address string) bool) (logs []providers.HookLog, found bool, err error) {
	cfg, _, err := f.app.Apps.GetHookConfig(ctx)
	if err != nil {
		return nil, false, f.failed(ctx, "GET /app/hook/config", err)
	}
	if !ours(cfg.GetURL()) {
		return nil, false, nil
	}
	return []providers.HookLog{{Org: org, Hook: appHook, Kept: f.logKept()}}, true, nil
}

// orgHooks lists the webhooks of an organization. To who may not look GitHub
// answers 404.
func (f *Forge) orgHooks(ctx context.Context, org string) ([]*sdk.Hook, error) {
	return listing[sdk.Hook]{
		f: f, op: fmt.Sprintf("GET /orgs/%s/hooks", org), id: (*sdk.Hook).GetID,
		fetch: func(o sdk.ListOptions) ([]*sdk.Hook, *sdk.Response, error) {
			return f.api.Organizations.ListHooks(ctx, org, &o)
		},
	}.all(ctx)
}

// Attempts yields what the log has, 100 for a call. Of an App that is the part
// of this installation. Events that the driver ignores by their name alone are
// marked as moot: each payload costs a call.
func (f *Forge) Attempts(ctx context.Context, l providers.HookLog) iter.Seq2[providers.Attempt, error] {
	return func(yield func(providers.Attempt, error) bool) {
		var own int64
		if l.Hook == appHook {
			i, err := f.installs.of(ctx, on(l.Org.ID))
			if err != nil {
				yield(providers.Attempt{}, wrap(err))
				return
			}
			if i != nil {
				own = i.id
			}
		}
		for page, err := range f.attemptPages(ctx, l) {
			if err != nil {
				yield(providers.Attempt{}, wrap(err))
				return
			}
			for _, d := range page {
				if other := d.GetInstallationID(); l.Hook == appHook && other != 0 && other != own {
					continue
				}
				if !yield(attempt(d), nil) {
					return
				}
			}
		}
	}
}

func attempt(d *sdk.HookDelivery) providers.Attempt {
	a := providers.Attempt{
		ID: text(d.GetID()), GUID: d.GetGUID(), At: d.GetDeliveredAt().Time, Event: withAction(d.GetEvent(), d.GetAction()),
		Taken: d.GetStatusCode()/100 == 2, Answer: d.GetStatus(), Moot: !changes(d.GetEvent()),
	}
	if a.Answer == "" {
		a.Answer = strconv.Itoa(d.GetStatusCode())
	}
	return a
}

// attemptPages reads page after page, each of which names where the next begins.
func (f *Forge) attemptPages(ctx context.Context, l providers.HookLog) iter.Seq2[[]*sdk.HookDelivery, error] {
	return func(yield func([]*sdk.HookDelivery, error) bool) {
		op, seen := logPath(l), map[int64]bool{}
		for cursor := ""; ; {
			page, next, err := f.attemptPage(ctx, l, cursor, pageSize)
			if err == nil && cursor == "" && next == "" && len(page) == pageSize {
				// A full page and no link: the log is just so long, or something on
				// the way cuts links. A shorter page has to have one.
				if _, half, e := f.attemptPage(ctx, l, cursor, pageSize/2); e != nil {
					err = e
				} else if half == "" {
					err = nonsense(op, "a full page that does not say what is next")
				}
			}
			for _, d := range page {
				id := d.GetID()
				if err == nil && (id <= 0 || d.GetGUID() == "" || seen[id]) {
					err = nonsense(op, "a delivery without an id, or one that came before")
				}
				seen[id] = true
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(page, nil) || next == "" {
				return
			}
			cursor = next
		}
	}
}

func (f *Forge) attemptPage(ctx context.Context, l providers.HookLog, cursor string, size int) (page []*sdk.HookDelivery, next string, err error) {
	var resp *sdk.Response
	opt := &sdk.ListCursorOptions{PerPage: size, Cursor: cursor}
	if l.Hook == appHook {
		page, resp, err = f.app.Apps.ListHookDeliveries(ctx, opt)
	} else {
		var id int64
		if id, err = number(l.Hook); err != nil {
			return nil, "", err
		}
		page, resp, err = f.api.Organizations.ListHookDeliveries(ctx, l.Org.Name, id, opt)
	}
	switch {
	case err != nil:
		return nil, "", f.failed(ctx, logPath(l), err)
	case page == nil:
		return nil, "", nonsense(logPath(l), "null instead of a list")
	}
	return page, resp.Cursor, f.ownLinks(logPath(l), resp.Header)
}

func logPath(l providers.HookLog) string {
	if l.Hook == appHook {
		return "GET /app/hook/deliveries"
	}
	return fmt.Sprintf("GET /orgs/%s/hooks/%s/deliveries", l.Org.Name, l.Hook)
}

// Payload fetches what was sent. The log holds the payload as an object within
// its answer, of a form too, and the signature as a header. Without the white
// space that an answer may have gained the bytes are most likely those that were
// signed; GitHub does not promise it.
func (f *Forge) Payload(ctx context.Context, l providers.HookLog, a providers.Attempt) (providers.Attempt, error) {
	op := logPath(l) + "/" + a.ID
	id, err := number(a.ID)
	if err != nil {
		return a, wrap(err)
	}
	var d *sdk.HookDelivery
	if l.Hook == appHook {
		d, _, err = f.app.Apps.GetHookDelivery(ctx, id)
	} else {
		var hook int64
		if hook, err = number(l.Hook); err != nil {
			return a, wrap(err)
		}
		d, _, err = f.api.Organizations.GetHookDelivery(ctx, l.Org.Name, hook, id)
	}
	if err != nil {
		return a, wrap(f.failed(ctx, op, err))
	}
	if d.GetID() != id || d.GetGUID() != a.GUID || d.Request == nil || d.Request.RawPayload == nil {
		return a, wrap(nonsense(op, "something else, or no payload"))
	}
	body, err := compact(*d.Request.RawPayload)
	if err != nil {
		return a, wrap(nonsense(op, err.Error()))
	}
	a.Body, a.Header = body, http.Header{}
	for name, value := range d.Request.Headers {
		a.Header.Set(name, value)
	}
	a.Header.Set("Content-Type", "application/json") // of the payload, if a form held it
	return a, nil
}

func compact(raw json.RawMessage) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, err
	}
	if b.Len() == 0 || b.Bytes()[0] != '{' {
		return nil, errors.New("the payload is not an object")
	}
	return b.Bytes(), nil
}
