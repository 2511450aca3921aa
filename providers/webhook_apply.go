package providers

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Apply does one step of a plan and returns the webhook as the forge then
// shows it; of a deleted one, as it was. The error wraps ErrRejected where the
// forge took the step and the webhook still is not what it has to be.
//
// A replacement is made before the old one goes: for a moment both send, which
// is harmless, and at none does neither. What Gitea had queued for the old one
// goes with it and is left to the polls.
func (s WebhookStep) Apply(ctx context.Context, admin HookAdmin, p WebhookPlace, want WebhookSpec) (Webhook, error) {
	var now Webhook
	var err error
	switch s.Do {
	case StepKeep:
		return s.Webhook, nil
	case StepDelete:
		return s.Webhook, gone(admin.DeleteWebhook(ctx, p, s.Webhook.ID))
	case StepCreate, StepReplace:
		now, err = admin.CreateWebhook(ctx, p, want)
	case StepUpdate:
		now, err = admin.UpdateWebhook(ctx, p, s.Webhook, want)
	default:
		return Webhook{}, fmt.Errorf("providers: a webhook has no step %q", s.Do)
	}
	if err != nil {
		return Webhook{}, err
	}
	if s.Do == StepReplace {
		if err := gone(admin.DeleteWebhook(ctx, p, s.Webhook.ID)); err != nil {
			return now, fmt.Errorf("webhook %s replaces %s, which could not be deleted: %w", now.ID, s.Webhook.ID, err)
		}
	}
	var left []string
	for _, f := range p.Flaws(now, want) {
		left = append(left, f.Text)
	}
	if len(left) > 0 {
		return now, fmt.Errorf("webhook %s still %s: %w", now.ID, strings.Join(left, ", "), ErrRejected)
	}
	return now, nil
}

// gone: what is not there need not be deleted.
func gone(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
