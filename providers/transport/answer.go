package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/hookd/hookd/providers"
)

// MaxAnswer bounds the body of one answer, in bytes. A page of 100 repositories
// has some 600 KB; a Gitea team of 10,000 members, which comes in one answer,
// some 6 MB.
const MaxAnswer = 16 << 20

// ErrBudget is the cause when a request was not even sent.
var ErrBudget = errors.New("the token's budget is out")

// Read reads the body of an answer whole, up to a byte more than MaxAnswer, and
// closes it.
func Read(op string, resp *http.Response) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	resp.Body.Close()
	if err != nil {
		return nil, &providers.ForgeError{Op: op, Status: resp.StatusCode, Class: providers.ErrUnavailable, Err: err}
	}
	return body, nil
}

// Give puts a body that was read back into its answer.
func Give(resp *http.Response, body []byte) *http.Response {
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp
}

// Sound returns nil for the body of a successful answer that is not too long
// and says to be JSON. Whether it is finds out who decodes it.
func Sound(resp *http.Response, body []byte, isJSON bool) *providers.ForgeError {
	var why error
	switch {
	case len(body) > MaxAnswer:
		why = fmt.Errorf("answer of more than %d bytes", MaxAnswer)
	case !isJSON:
		why = fmt.Errorf("content type %q", resp.Header.Get("Content-Type"))
	default:
		return nil
	}
	return &providers.ForgeError{Class: providers.ErrNonsense, Err: why}
}

// MediaType is what an answer says to be, in lower case; "" if that is
// unreadable.
func MediaType(resp *http.Response) string {
	t, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

// Said is a forge's message as an error, for people: quoted, and not long. Nil
// for none.
func Said(message string) error {
	if message == "" {
		return nil
	}
	const most = 200
	return errors.New(strconv.Quote(message[:min(len(message), most)]))
}
