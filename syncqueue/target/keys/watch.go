package keys

import (
	"context"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
)

// every is how often Watch reads the directory. Polling sees what file
// notification misses: links that are switched, network mounts.
const every = 2 * time.Second

// Watch calls changed for each login whose token file appeared or has a new
// content, or was not there when it was asked for, until ctx is done, and returns ctx's error. The files it finds at
// first count as new: somebody may have put them there while nobody watched.
func (d *Dir) Watch(ctx context.Context, changed func(login string)) error {
	seen := map[string]digest{}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		d.scan()
		for _, login := range d.since(seen) {
			changed(login)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// scan reads the directory. One that cannot be read leaves what is known as it
// was.
func (d *Dir) scan() {
	names, err := d.names()
	if err != nil {
		d.warn("dir", "the token directory cannot be read", "err", err)
		return
	}
	files := make(map[string]file, len(names))
	live := make(map[digest]bool, len(names))
	for _, name := range names {
		login := providers.Fold(name)
		if _, taken := files[login]; taken {
			continue
		}
		if token, ok := d.load(name); ok {
			sum := digestOf(login, token)
			files[login], live[sum] = file{name: name, sum: sum}, true
		}
	}
	d.keep(live)

	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.warned, "dir")
	d.files, d.read = files, d.now()
}

// since returns the logins, ordered, whose token differs from seen, and makes
// seen equal to the last scan.
func (d *Dir) since(seen map[string]digest) (changed []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for login, f := range d.files {
		if old, ok := seen[login]; !ok || old != f.sum || d.missed[login] {
			seen[login] = f.sum
			delete(d.missed, login)
			changed = append(changed, f.name)
		}
	}
	for login := range seen {
		if _, ok := d.files[login]; !ok {
			delete(seen, login)
		}
	}
	slices.Sort(changed)
	return changed
}
