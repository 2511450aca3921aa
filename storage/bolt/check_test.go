package bolt_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
)

// sound expects a file in which a check finds nothing. One that a test removed
// or still uses is passed over.
func sound(t *testing.T, path string) bolt.Report {
	t.Helper()
	r, err := bolt.Check(path)
	if err != nil && (r.InUse || !r.Exists) {
		return r
	}
	if err != nil || len(r.Faults) > 0 {
		t.Errorf("%s: %v, %q", path, err, r.Faults)
	}
	return r
}

// used returns the file of a stopped store with a delivery, jobs and a cell.
func used(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	db, shut := open(t, dir, bolt.Options{NoSync: true})
	if _, err := push(t, db, 1, true); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	acme := providers.Org{ID: "5", Name: "acme"}
	app := providers.Repo{ID: "41", Path: "acme/app", Org: acme}
	var jobs []syncqueue.Job
	for _, id := range []string{"41", "42", "43"} {
		jobs = append(jobs, syncqueue.RepoJob("git", providers.Repo{ID: id, Path: "acme/" + id, Org: acme}, syncqueue.LanePoll, time.Now()))
	}
	if _, err := db.Enqueue(ctx, syncqueue.Cause{By: "poll"}, jobs...); err != nil {
		t.Fatal(err)
	}
	l, err := db.Lease(ctx, time.Minute, syncqueue.Filter{Kinds: []syncqueue.Kind{syncqueue.KindRepo}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Complete(ctx, l, syncqueue.Outcome{Change: &storage.Change{
		Provider: "git", Snapshots: map[string][]byte{"lists": []byte("x")},
		Cells: []providers.Access{{User: providers.User{ID: "7", Login: "ana"}, Repo: app, Permission: providers.Read}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	shut()
	return filepath.Join(dir, "hookd.db")
}

func TestACheckFindsWhatIsWrongAndChangesNothing(t *testing.T) {
	gone := func(_, _ []byte) []byte { return nil }
	flipped := func(_, v []byte) []byte { v[len(v)-1] ^= 1; return v }
	for name, test := range map[string]struct {
		bucket string
		change func(k, v []byte) []byte
		want   string
	}{
		"a body that rotted":                         {"bodies", flipped, "in bucket bodies is damaged: its checksum does not match"},
		"a delivery that rotted":                     {"deliveries", flipped, "in bucket deliveries is damaged: its checksum does not match"},
		"a job that rotted":                          {"jobs", flipped, "in bucket jobs is damaged"},
		"a name that rotted":                         {"logins", flipped, "in bucket logins is damaged"},
		"a user that is no JSON":                     {"users", func(k, _ []byte) []byte { return bolt.Seal(string(k), []byte("{")) }, "in bucket users is damaged: unexpected end"},
		"a delivery that is lost":                    {"deliveries", gone, "in bucket bodies leads to nothing in bucket deliveries"},
		"a job that is lost":                         {"jobs", gone, "leads to nothing in bucket jobs"},
		"a job that nobody finds":                    {"keys", gone, "in bucket jobs leads to nothing in bucket keys"},
		"a job that is in no listing":                {"states", gone, "in bucket jobs leads to nothing in bucket states"},
		"a cell that nobody finds by its repository": {"holders", gone, "in bucket cells leads to nothing in bucket holders"},
		"a cell that is lost":                        {"cells", gone, "in bucket holders leads to nothing in bucket cells"},
		"a key that leads elsewhere":                 {"keys", func(_, _ []byte) []byte { return []byte("01K900000000000000000000AA") }, "in bucket keys leads to nothing in bucket jobs"},
	} {
		path := used(t)
		sound(t, path)
		if err := bolt.Spoil(path, test.bucket, test.change); err != nil {
			t.Fatal(name, err)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := bolt.Check(path)
		if err != nil || !strings.Contains(strings.Join(r.Faults, "\n"), test.want) {
			t.Errorf("%s: found %q, %v, want %q", name, r.Faults, err, test.want)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: the check changed the file, %v", name, err)
		}
		if _, _, err := bolt.Compact(path); err == nil {
			t.Errorf("%s: it was compacted", name)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: the compaction that failed changed the file, %v", name, err)
		}
	}
}

func TestACheckRefusesWhatIsNotThereOrInUse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hookd.db")
	for _, do := range []func() error{
		func() error { _, err := bolt.Check(path); return err },
		func() error { _, _, err := bolt.Compact(path); return err },
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), "there is no data file at") {
			t.Errorf("where nothing is: %v", err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it made %v", left)
	}
	_, shut := open(t, dir, bolt.Options{NoSync: true})
	for _, do := range []func() error{
		func() error { _, err := bolt.Check(path); return err },
		func() error { _, _, err := bolt.Compact(path); return err },
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), "is in use by another process: stop that one") {
			t.Errorf("in use: %v", err)
		}
	}
	shut()
}

func TestAnOlderFileIsSound(t *testing.T) { sound(t, unpack(t, "v1.db")) }

func TestACompactedFileHoldsTheSame(t *testing.T) {
	dir := t.TempDir()
	db, shut := open(t, dir, bolt.Options{NoSync: true, Retention: bolt.Retention{Deliveries: time.Hour}})
	for i := range int64(300) {
		e, j := delivery(i, append([]byte{byte(i), byte(i >> 3)}, noise(12<<10)...))
		if i%10 > 0 {
			e.Delivery.Received = e.Delivery.Received.Add(-2 * time.Hour)
			e.Delivery.ID = syncqueue.NewID(e.Delivery.Received)
			if _, err := db.Push(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if _, err := db.Push(t.Context(), e, j); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Maintain(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	shut()
	path := filepath.Join(dir, "hookd.db")
	was := sound(t, path)
	before, after, err := bolt.Compact(path)
	if err != nil || before != was.Size || after >= before {
		t.Errorf("compacted from %d to %d bytes, %v", before, after, err)
	}
	is := sound(t, path)
	if is.Size != after || is.Buckets["deliveries"].Records != 30 || is.Buckets["jobs"] != was.Buckets["jobs"] {
		t.Errorf("after it: %+v, before: %+v", is, was)
	}
	if left, _ := filepath.Glob(path + ".*-*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	open(t, dir, bolt.Options{})
}
