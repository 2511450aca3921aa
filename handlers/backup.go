package handlers

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/hookd/hookd/storage"
)

// The bounds of a backup's answer: a copy lies on the disk until it ends, and
// no other is made.
const (
	backupChunk = 1 << 20          // bytes
	chunkTime   = 30 * time.Second // in which the client has to take a chunk
	backupTime  = time.Hour        // in which he has to take all
)

// backup sends a consistent copy of the store. Its length is told first, so
// that the client knows whether it is whole.
func (s *api) backup(w http.ResponseWriter, r *http.Request) {
	if err := parseQuery(r).err; err != nil {
		fail(w, r, s.Log, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), backupTime)
	defer cancel()
	// Making the copy takes as long as the disk does. Only a test's recorder has
	// no deadline to set.
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Now().Add(backupTime))
	b, err := s.Backup(ctx)
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	defer s.endBackup(b)
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(b.Size(), 10))
	h.Set("Content-Disposition", `attachment; filename="hookd-`+s.Now().UTC().Format("20060102T150405Z")+`.db"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	for sent := int64(0); sent < b.Size() && ctx.Err() == nil; {
		_ = out.SetWriteDeadline(time.Now().Add(chunkTime))
		n, err := io.CopyN(w, b, min(backupChunk, b.Size()-sent))
		sent += n
		if err != nil {
			s.Log.Warn("a backup broke off", "sent_bytes", sent, "bytes", b.Size(), "err", err)
			return // the client sees that it is too short
		}
	}
}

func (s *api) endBackup(b storage.Backup) {
	if err := b.Close(); err != nil {
		s.Log.Warn("the copy of a backup was not removed", "err", err)
	}
}
