package bolt

import (
	"bytes"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// setBack moves what waits for a time along with a clock that was set back by d.
// It is rare enough to be done at once, however many jobs wait.
func (t *txn) setBack(d time.Duration) error {
	if err := t.merged(); err != nil {
		return err
	}
	t.db.log.Warn("the clock was set back: what waits is moved along", "by", d)
	var waiting []string
	for in, skip := range map[table]int{tWaiting: 1 + 8, tReady: -idLen, tLeased: 8} {
		err := t.each(in, nil, func(k, _ []byte) (bool, error) {
			if skip < 0 {
				k = k[len(k)+skip:]
			} else {
				k = k[skip:]
			}
			waiting = append(waiting, string(bytes.Clone(k)))
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	for _, id := range waiting {
		r, err := t.intact(id)
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		next := *r
		next.Job = syncqueue.Earlier(r.Job, d)
		if r.State == syncqueue.Leased {
			next.Until = r.Until.Add(-d)
		}
		if err := t.fileLease(r, &next); err != nil {
			return err
		}
	}
	return nil
}
