package bolt

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/hookd/hookd/syncqueue"
)

// A Report is what a check of a data file found.
type Report struct {
	Sight
	Buckets map[string]Content // by name
	// Ahead are the deliveries in the write-ahead log beside the file that the
	// next start files.
	Ahead int
	// Faults are in the order in which they were found, maxFaults at most.
	Faults []string
}

// Content is what a bucket holds.
type Content struct {
	Records int   `json:"records"`
	Bytes   int64 `json:"bytes"` // of keys and values
}

// maxFaults bounds a Report: a file that has so many has no use for more.
const maxFaults = 100

// Check reads the whole data file of a stopped hookd, or a backup, and changes
// nothing: every page, every record against its checksum, and every index
// against what it leads to. The error is one that Open would return, or that
// somebody uses the file; everything else is a fault of the report.
func Check(path string) (r Report, err error) {
	if r.Sight, err = Look(path); err == nil {
		err = r.stopped(path)
	}
	if err != nil {
		return r, err
	}
	bdb, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lookTimeout, ReadOnly: true})
	if err != nil {
		return r, refused(path, err)
	}
	defer func() { err = errors.Join(err, bdb.Close()) }()
	defer recovered(&err)
	r.Buckets = map[string]Content{}
	return r, bdb.View(func(tx *bbolt.Tx) error {
		c := checkup{view: viewOf(tx), report: &r, jobs: map[syncqueue.State]int{}}
		for t := range tables {
			if c.bucket(t) != nil {
				c.table(t)
			}
		}
		c.counts()
		return c.ahead(path)
	})
}

// stopped refuses a file that is not there or in use.
func (s Sight) stopped(path string) error {
	switch {
	case !s.Exists:
		return fmt.Errorf("bolt: there is no data file at %s: look for data_dir in the configuration", path)
	case s.InUse:
		return refused(path, bolterrors.ErrTimeout)
	}
	return nil
}

// A checkup is a check that is going on.
type checkup struct {
	view
	report *Report
	jobs   map[syncqueue.State]int
}

func (c *checkup) fault(format string, args ...any) {
	if len(c.report.Faults) < maxFaults {
		c.report.Faults = append(c.report.Faults, fmt.Sprintf(format, args...))
	}
}

func (c *checkup) table(t table) {
	var content Content
	_ = c.each(t, nil, func(k, v []byte) (bool, error) {
		content.Records++
		content.Bytes += int64(len(k) + len(v))
		if err := c.record(t, k, v); err != nil {
			c.fault("%v", err)
		}
		return true, nil
	})
	c.report.Buckets[t.String()] = content
}

// record looks at one entry of a table.
func (c *checkup) record(t table, k, v []byte) error {
	var anything struct{}
	switch t {
	case tBodies:
		return c.body(k, v)
	case tDeliveries:
		_, err := unsealDelivery(k, v)
		return err
	case tJobs:
		j, err := unsealJob(string(k), v)
		if err != nil {
			return err
		}
		c.jobs[j.State]++
		if j.State == syncqueue.Done {
			return nil
		}
		return cmp.Or(c.leads(t, k, tKeys, []byte(j.Key)), c.leads(t, k, tStates, stateKey(j.Job)))
	case tDetails:
		return cmp.Or(unsealJSON(t, k, v, &anything), c.leads(t, k, tDeliveries, k))
	case tUsers, tRepos, tVisible:
		return unsealJSON(t, k, v, &anything)
	case tCells:
		return cmp.Or(unsealJSON(t, k, v, &anything), c.turned(t, k, tHolders))
	case tHolders:
		return c.turned(t, k, tCells)
	case tKeys:
		return c.leads(t, k, tJobs, v)
	case tStates, tWaiting, tReady, tLeased, tEnded:
		return c.leads(t, k, tJobs, k[max(0, len(k)-idLen):])
	case tTombs:
		return c.leads(t, k, tCells, k[min(8, len(k)):])
	case tCaused:
		return nil // outlives both its delivery and its job
	}
	_, err := unseal(t, k, v)
	return err
}

// body makes sure that a delivery's bytes unfold to what was received.
func (c *checkup) body(k, v []byte) error {
	record := c.value(tDeliveries, k)
	if record == nil {
		return c.leads(tBodies, k, tDeliveries, k)
	}
	d, err := unsealDelivery(k, record)
	if err != nil {
		return nil // which is told of the delivery
	}
	_, err = unpackBody(k, v, d.Size)
	return err
}

// leads makes sure that there is what an entry leads to.
func (c *checkup) leads(from table, k []byte, to table, key []byte) error {
	if c.has(to, key) {
		return nil
	}
	return fmt.Errorf("bolt: %q in bucket %s leads to nothing in bucket %s", k, from, to)
}

// turned makes sure of the same entry with its last two texts changed round.
func (c *checkup) turned(from table, k []byte, to table) error {
	parts, ok := texts(k, 3)
	if !ok {
		return fmt.Errorf("bolt: %q in bucket %s is no key of that", k, from)
	}
	return c.leads(from, k, to, join(parts[0], parts[2], parts[1]))
}

// counts holds the numbers that the store keeps against those that there are.
func (c *checkup) counts() {
	var st state
	if _, err := c.get(tMeta, metaState, &st); err != nil {
		c.fault("%v", err)
		return
	}
	for _, s := range syncqueue.States {
		if s != syncqueue.Waiting && st.Jobs[s] != c.jobs[s] {
			c.fault("bolt: %d jobs are counted as %s, and there are %d", st.Jobs[s], s, c.jobs[s])
		}
	}
}

// ahead reads the write-ahead log, if there is one beside the file.
func (c *checkup) ahead(path string) error {
	f, err := os.Open(path + walSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("bolt: opening the write-ahead log: %w", err)
	}
	defer func() { _ = f.Close() }()
	var st state
	if _, err := c.get(tMeta, metaState, &st); err != nil {
		return nil // which counts told
	}
	store, err := c.store()
	if err != nil {
		return err
	}
	w := wal{f: f, store: store, next: st.Filed + 1}
	found, lost, err := w.read(st.Filed)
	if err != nil {
		return err
	}
	if c.report.Ahead = len(found); lost > 0 {
		c.fault("bolt: %d deliveries are missing in the write-ahead log: it is damaged, or the data file is an older copy", lost)
	}
	return nil
}
