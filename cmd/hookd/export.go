package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v3"
)

// The forms in which a body is exported.
const (
	bodyJSON   = "json"
	bodyBase64 = "base64"
	bodyNone   = "none"
)

func (a *app) exportCommand() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "writes deliveries with their bodies, one JSON object a line",
		Description: "All that the filter selects, newest first, each as `deliveries list -o json` has it, and\n" +
			"its body: as JSON, or as the forge's very bytes in body_base64. null means that it is not\n" +
			"kept any more. Bodies ask for the role operator; --body none does without.\n\n" +
			"An export is for archives and for looking at. To have deliveries again, `deliveries\n" +
			"replay` takes the same filter: it goes by the journal and needs no body.",
		Flags: clientFlags(filterFlags(
			&cli.StringFlag{Name: "out", Usage: "write to `FILE`, which must not exist, instead of the standard output"},
			&cli.StringFlag{Name: "body", Value: bodyJSON, Usage: "bodies as `FORM` json, base64 or none", Validator: func(s string) error {
				if s != bodyJSON && s != bodyBase64 && s != bodyNone {
					return errors.New("want json, base64 or none")
				}
				return nil
			}},
		)...),
		Action: a.exportDeliveries,
	}
}

func (a *app) exportDeliveries(ctx context.Context, cmd *cli.Command) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM) // so that no half file is left
	defer stop()
	cl, err := a.client(cmd)
	if err != nil {
		return err
	}
	n := 0
	write := func(w io.Writer) error {
		b := bufio.NewWriter(w)
		err := cl.export(ctx, b, filter(cmd), cmd.String("body"), &n)
		return errors.Join(err, b.Flush())
	}
	if out := cmd.String("out"); out != "" {
		err = writeNew(out, write, nil)
	} else {
		err = write(a.stdout)
	}
	if err == nil {
		fmt.Fprintf(a.stderr, "exported %s\n", count(n, "delivery", "deliveries"))
	}
	return err
}

// export writes the deliveries that q selects and counts them.
func (cl *client) export(ctx context.Context, w io.Writer, q url.Values, form string, n *int) error {
	for {
		p, err := cl.list(ctx, "/api/v1/deliveries", q, pageSize)
		if err != nil {
			return err
		}
		for _, item := range p.Items {
			if err := cl.exportOne(ctx, w, item, form); err != nil {
				return err
			}
			*n++
		}
		if p.Next == nil {
			return nil
		}
		q.Set("cursor", *p.Next)
	}
}

// exportOne writes a line: what the list has, and the body as its last key.
func (cl *client) exportOne(ctx context.Context, w io.Writer, item json.RawMessage, form string) error {
	var d struct {
		ID      string `json:"id"`
		HasBody bool   `json:"has_body"`
	}
	if err := json.Unmarshal(item, &d); err != nil {
		return fmt.Errorf("an item of the answer is not hookd's: %w", err)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, item); err != nil {
		return err
	}
	if form != bodyNone {
		line.Truncate(line.Len() - 1) // the brace
		body, err := cl.body(ctx, d.ID, d.HasBody)
		if err != nil {
			return err
		}
		if err := addBody(&line, body, form); err != nil {
			return fmt.Errorf("delivery %s: its body: %w", d.ID, err)
		}
		line.WriteByte('}')
	}
	line.WriteByte('\n')
	_, err := w.Write(line.Bytes())
	return err
}

// body returns nil if there is none, or none any more.
func (cl *client) body(ctx context.Context, id string, kept bool) (body []byte, err error) {
	if !kept {
		return nil, nil
	}
	err = cl.get(ctx, "/api/v1/deliveries/"+url.PathEscape(id)+"/body", nil, &body)
	var e *answerError
	switch {
	case errors.As(err, &e) && e.Status == http.StatusNotFound:
		return nil, nil // retention was faster
	case errors.As(err, &e) && e.Status == http.StatusForbidden:
		return nil, fmt.Errorf("%w, or export without bodies: --body none", err)
	}
	return body, err
}

func addBody(line *bytes.Buffer, body []byte, form string) error {
	if form == bodyBase64 {
		text, err := json.Marshal(body)
		line.WriteString(`,"body_base64":`)
		line.Write(text)
		return err
	}
	line.WriteString(`,"body":`)
	if body == nil {
		line.WriteString("null")
		return nil
	}
	return json.Compact(line, body)
}
