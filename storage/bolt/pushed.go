package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// A pushed is a push whose records are made: before anybody waits for the
// writer, so that callers encode side by side. Those of the jobs are too, though
// a job that coalesces with another is encoded in vain.
type pushed struct {
	number uint64 // in the write-ahead log
	id     string
	guid   guid
	record []byte
	body   []byte
	drafts []draft
	bare   bool   // its jobs could not be filed
	done   func() // nothing refers to body any more
}

// made makes the records of a push.
func made(e syncqueue.Entry, jobs []syncqueue.Job, now time.Time) (p *pushed, err error) {
	p = &pushed{id: e.Delivery.ID, guid: guid{e.Delivery.Provider, e.Delivery.GUID}, drafts: make([]draft, len(jobs))}
	key := []byte(p.id)
	if p.record, err = sealDelivery(key, e); err != nil {
		return nil, err
	}
	for i, j := range jobs {
		if p.drafts[i], err = drafted(j, now); err != nil {
			return nil, err
		}
	}
	p.body, p.done = sealBody(key, e.Delivery.Body)
	return p, nil
}

// size is what a push counts, unless its jobs coalesce.
func (p *pushed) size() int64 {
	n := len(p.record) + len(p.body)
	for _, x := range p.drafts {
		n += len(x.record)
	}
	return int64(n)
}

// maxKeys bounds what may go into the keys of a job whose push is written
// ahead. A longer one might be refused by bbolt, and must be while its caller is
// there to be told.
const maxKeys = 4 << 10

// plain reports whether a push will be filed without fail.
func (p *pushed) plain() bool {
	if len(p.id) != idLen || p.size() > walHalf/8 {
		return false
	}
	for _, x := range p.drafts {
		j := x.job
		n := len(j.Key) + len(j.Provider) + len(j.Target) + len(j.Org) + len(j.Kind)
		for _, c := range j.Causes {
			n += len(c.Delivery)
		}
		if n > maxKeys {
			return false
		}
	}
	return true
}

// file stores the push.
func (p *pushed) file(t *txn) error {
	key := []byte(p.id)
	if err := errors.Join(t.add(tDeliveries, key, p.record), t.add(tBodies, key, p.body)); err != nil {
		return err
	}
	if g := p.guid; g.guid != "" {
		t.guids[g] = p.id
		t.after = append(t.after, func() { t.db.seen.add(g, p.id) })
	}
	if p.bare {
		return nil
	}
	for _, x := range p.drafts {
		if _, err := t.pushDraft(x, p.id); err != nil {
			return err
		}
	}
	return nil
}

// receipt is what its caller is told.
func (p *pushed) receipt() syncqueue.Receipt {
	return syncqueue.Receipt{Delivery: p.id, Fresh: true, Jobs: len(p.drafts)}
}

// appendTo writes the push as it stands in the write-ahead log.
func (p *pushed) appendTo(b []byte) []byte {
	for _, text := range []string{p.id, p.guid.provider, p.guid.guid} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	for _, record := range [][]byte{p.record, p.body} {
		b = append(binary.AppendUvarint(b, uint64(len(record))), record...)
	}
	b = binary.AppendUvarint(b, uint64(len(p.drafts)))
	for _, x := range p.drafts {
		b = append(binary.AppendUvarint(b, uint64(len(x.fresh.ID))), x.fresh.ID...)
		b = append(binary.AppendUvarint(b, uint64(len(x.record))), x.record...)
	}
	return b
}

var errCut = errors.New("it ends too early")

// cutPushes reads the pushes of a block, the first of which has that number.
func cutPushes(b []byte, number uint64, count int) ([]*pushed, error) {
	var out []*pushed
	for i := range count {
		c := cutter{b: b}
		p := &pushed{number: number + uint64(i), done: func() {}}
		p.id = string(c.next())
		p.guid = guid{string(c.next()), string(c.next())}
		p.record, p.body = c.next(), c.next()
		for range c.length() {
			id, record := string(c.next()), c.next()
			r, err := unsealJob(id, record)
			if err == nil && r == nil {
				err = errCut
			}
			if err != nil {
				return nil, err
			}
			p.drafts = append(p.drafts, draft{job: r.Job, fresh: r, record: bytes.Clone(record)})
		}
		if c.short {
			return nil, errCut
		}
		out, b = append(out, p), c.b
	}
	return out, nil
}

// A cutter reads what appendTo wrote.
type cutter struct {
	b     []byte
	short bool
}

func (c *cutter) length() int {
	v, n := binary.Uvarint(c.b)
	if n <= 0 || v > uint64(len(c.b)-n) {
		c.short, c.b = true, nil
		return 0
	}
	c.b = c.b[n:]
	return int(v)
}

func (c *cutter) next() []byte {
	n := c.length()
	part := c.b[:n:n]
	c.b = c.b[n:]
	return part
}
