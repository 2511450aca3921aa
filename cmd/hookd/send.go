package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/providers"
)

func (a *app) sendCommand() *cli.Command {
	return &cli.Command{
		Name:      "send",
		Usage:     "fires a signed sample delivery at a running hookd",
		ArgsUsage: "EVENT",
		Description: "EVENT is, for Gitea and Forgejo, one of\n  " + strings.Join(sampleNames("gitea"), ", ") + ",\n" +
			"for GitHub\n  " + strings.Join(sampleNames("github"), ", ") + ",\n" +
			"for GitLab\n  " + strings.Join(sampleNames("gitlab"), ", ") + ".\n\n" +
			"The delivery is signed with the provider's first secret and looks as the forge's own.\n" +
			"It is about the provider's first organization, whose id is asked of the forge; hookd\n" +
			"will ask the forge about the repository, and find that it does not exist unless\n" +
			"--override repository.id=N names a real one.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "provider", Required: true, Usage: "as which provider `NAME`"},
			&cli.StringSliceFlag{Name: "override", Usage: "change a value of the body by its path: `KEY=VALUE`, such as repository.full_name=acme/x"},
			&cli.BoolFlag{Name: "print", Usage: "print the delivery instead of sending it"},
			&cli.StringFlag{Name: "to", Usage: "post to `URL` instead of the configured listen address"},
		},
		Action: a.send,
	}
}

func (a *app) send(ctx context.Context, cmd *cli.Command) error {
	c, err := loadConfig(cmd.String("config"), a.env)
	if err != nil {
		return err
	}
	p := c.provider(cmd.String("provider"))
	if p == nil {
		return usagef(cmd, "no provider %q is configured", cmd.String("provider"))
	}
	event := cmd.Args().First()
	s, ok := samplesOf(p.Kind)[event]
	if !ok {
		return usagef(cmd, "no sample of %q: there are %s", event, strings.Join(sampleNames(p.Kind), ", "))
	}
	now := time.Now()
	org := a.sampleOrg(ctx, p)
	body := s.body(org, now)
	for _, o := range cmd.StringSlice("override") {
		if err := overrideValue(body, o); err != nil {
			return usagef(cmd, "--override %s: %v", o, err)
		}
	}
	text, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		return err
	}
	id := newUUID()
	header := sampleHeader(p, s.header, id, org, text, now)
	if cmd.Bool("print") {
		for _, name := range slices.Sorted(maps.Keys(header)) {
			fmt.Fprintf(a.stdout, "%s: %s\n", name, header.Get(name))
		}
		fmt.Fprintf(a.stdout, "\n%s\n", text)
		return nil
	}
	to, err := sendTo(cmd.String("to"), c.Listen, p.Name)
	if err != nil {
		return usagef(cmd, "%v", err)
	}
	return a.post(ctx, to, id, header, text)
}

// sampleOrg is the organization that a sample is about. Its id matters: an
// organization of the same name and another id is a stranger to hookd.
func (a *app) sampleOrg(ctx context.Context, p *providerConfig) sampleOrg {
	name := p.Orgs[0]
	if name == "*" {
		name = "acme"
	}
	id, err := askOrg(ctx, p, name)
	if err != nil {
		fmt.Fprintf(a.stderr, "the id of %s is made up, because the forge does not tell it: %v\n", name, err)
		id = 1
	}
	return sampleOrg{id, name}
}

func askOrg(ctx context.Context, p *providerConfig, name string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	forge, err := newForge(p, providers.NewOrgSet(p.Orgs...), http.DefaultTransport, nil)
	if err != nil {
		return 0, err
	}
	org, err := forge.Org(ctx, name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(org.ID)
}

// overrideValue sets the value at a dotted path that exists. What reads as JSON
// is taken as JSON, so that numbers and booleans keep their type.
func overrideValue(body object, assignment string) error {
	path, text, ok := strings.Cut(assignment, "=")
	if !ok {
		return errors.New("write path=value")
	}
	keys := strings.Split(path, ".")
	at := body
	for _, k := range keys[:len(keys)-1] {
		next, ok := at[k].(object)
		if !ok {
			return fmt.Errorf("there is no object %q in the sample", k)
		}
		at = next
	}
	key := keys[len(keys)-1]
	old, ok := at[key]
	if !ok {
		return fmt.Errorf("there is no %q in the sample", path)
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		value = text
	}
	if _, isText := old.(string); isText {
		value = text
	}
	at[key] = value
	return nil
}

// sendTo is the address of a provider's hook.
func sendTo(to, listen, provider string) (string, error) {
	if to == "" {
		base, err := reachable(listen)
		if err != nil {
			return "", fmt.Errorf("listen %s: %w: name the address by --to URL", listen, err)
		}
		return base + "/hooks/" + provider, nil
	}
	u, err := url.Parse(to)
	if err != nil || !isWeb(u) {
		return "", fmt.Errorf("--to: %q is not a web address", to)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/hooks/" + provider
	}
	return u.String(), nil
}

func (a *app) post(ctx context.Context, to, id string, header http.Header, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = header
	start := time.Now()
	resp, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return fmt.Errorf("nobody takes deliveries at %s: %w\nfix: start hookd by `hookd serve`, or name its address by --to URL", to, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("the answer of %s broke off: %w", to, err)
	}
	fmt.Fprintf(a.stdout, "POST %s  delivery %s  %s in %s\n%s\n", to, id, resp.Status, seconds(time.Since(start)), bytes.TrimSpace(answer))
	if resp.StatusCode >= 300 {
		return errSilent
	}
	return nil
}
