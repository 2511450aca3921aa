package handlers_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/storage"
)

// A copied store is a storage.Backup in memory.
type copied struct {
	io.Reader
	size   int64
	closed bool
}

func newCopy(text []byte) *copied {
	return &copied{Reader: bytes.NewReader(text), size: int64(len(text))}
}

func (c *copied) Size() int64  { return c.size }
func (c *copied) Close() error { c.closed = true; return nil }

func TestABackupIsSentWholeAndRemoved(t *testing.T) {
	w := newWorld(t)
	text := bytes.Repeat([]byte("0123456789abcdef"), 200_000) // more than three chunks
	c := newCopy(text)
	w.backup = func(context.Context) (storage.Backup, error) { return c, nil }
	rec, _ := w.call("admin", "POST", "/api/v1/db/backup", "")
	if rec.Code != http.StatusOK || !bytes.Equal(rec.Body.Bytes(), text) || rec.Header().Get("Content-Length") != strconv.Itoa(len(text)) {
		t.Errorf("%d, %d bytes, Content-Length %s", rec.Code, rec.Body.Len(), rec.Header().Get("Content-Length"))
	}
	if !c.closed {
		t.Error("the copy is left behind")
	}
	if rec, _ := w.call("admin", "POST", "/api/v1/db/backup?to=x", ""); rec.Code != http.StatusBadRequest {
		t.Errorf("an unknown parameter: %d", rec.Code)
	}
}

func TestABackupThatCannotBeMadeSaysWhy(t *testing.T) {
	w := newWorld(t)
	for err, want := range map[error]int{
		storage.ErrCopying: http.StatusConflict, storage.ErrNoRoom: http.StatusInsufficientStorage,
		storage.ErrFull: http.StatusServiceUnavailable, storage.ErrClosed: http.StatusServiceUnavailable, errors.New("canary"): http.StatusInternalServerError,
	} {
		w.backup = func(context.Context) (storage.Backup, error) { return nil, err }
		rec, _ := w.call("admin", "POST", "/api/v1/db/backup", "")
		if rec.Code != want || strings.Contains(rec.Body.String(), "canary") {
			t.Errorf("%v: %d %s, want %d", err, rec.Code, rec.Body, want)
		}
	}
}

// TestABackupThatBreaksOffIsTooShort lets the copy fail in the middle.
func TestABackupThatBreaksOffIsTooShort(t *testing.T) {
	w := newWorld(t)
	c := newCopy(make([]byte, 2<<20))
	c.size = 3 << 20
	w.backup = func(context.Context) (storage.Backup, error) { return c, nil }
	srv := httptest.NewServer(w.admin)
	defer srv.Close()
	req, err := http.NewRequest("POST", srv.URL+"/api/v1/db/backup", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+roleTokens["admin"])
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read %d bytes, %v", n, err)
	}
	srv.Close() // waits for the handler
	if !c.closed {
		t.Error("the copy is left behind")
	}
}

// TestASlowClientDoesNotKeepABackupForEver reads the head of an answer and
// nothing more.
func TestASlowClientDoesNotKeepABackupForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := newCopy(make([]byte, 8<<20))
		gone := make(chan struct{})
		w.backup = func(context.Context) (storage.Backup, error) { return closing{c, gone}, nil }
		client := connect(t, w.admin)
		start := time.Now()
		if _, err := io.WriteString(client, "POST /api/v1/db/backup HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nAuthorization: Bearer "+roleTokens["admin"]+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(client, make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
		<-gone
		if took := time.Since(start); took > time.Minute {
			t.Errorf("it was kept for %v", took)
		}
	})
}

// closing tells when a copy is closed.
type closing struct {
	*copied
	gone chan struct{}
}

func (c closing) Close() error { close(c.gone); return nil }
