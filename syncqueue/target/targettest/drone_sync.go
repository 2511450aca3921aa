package targettest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// sync follows service/syncer/syncer.go. u is a copy of the row as it was when
// the request was authenticated; there is no lock between two syncs of a user.
func (d *Drone) sync(ctx context.Context, u droneUser) error {
	d.begin(u.Login)
	defer d.end(u.Login)

	// Whatever happens, the whole row goes back as it was read, stamped as
	// synchronized (source: syncer.go:66).
	defer func() {
		u.Syncing, u.Synced = false, d.opt.Now().Unix()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.updateUser(u)
	}()
	if !u.Syncing {
		u.Syncing = true
		d.mu.Lock()
		d.updateUser(u)
		d.mu.Unlock()
	}

	list, err := d.remote(ctx, &u)
	if err != nil {
		return err
	}
	remote := map[string]droneRepo{}
	for _, r := range list {
		switch {
		case strings.Count(r.Slug, "/") > 1: // subgroups (source: syncer.go:107)
		case r.Archived: // (source: syncer.go:114)
		case !d.matches(r.Namespace):
		default:
			r.Archived = false // no column
			remote[r.UID] = r
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.apply(u.ID, remote)
	return nil
}

// matches is the namespace filter (source: service/syncer/filter.go:24).
func (d *Drone) matches(namespace string) bool {
	return len(d.opt.Filter) == 0 || slices.ContainsFunc(d.opt.Filter, func(f string) bool { return strings.EqualFold(f, namespace) })
}

// apply is the difference and its transaction: what is not in remote is
// revoked, even when remote is empty (source: syncer.go:163, batch2/batch.go:34).
func (d *Drone) apply(user int64, remote map[string]droneRepo) {
	now := d.opt.Now().Unix()
	local := map[string]droneRepo{}
	for _, r := range d.listOf(user) {
		local[r.UID] = r
	}
	var batch []droneRepo // inserts, then updates: Drone's order inside each is random, here by id
	for uid, r := range remote {
		if _, ok := local[uid]; !ok {
			r.Synced, r.Created, r.Updated, r.Version = now, now, now, 1
			batch = append(batch, r)
		}
	}
	for uid, r := range local {
		if x, ok := remote[uid]; ok && differs(r, x) {
			merge(&r, x)
			r.Synced, r.Updated = now, now
			batch = append(batch, r)
		}
	}
	slices.SortFunc(batch, func(a, b droneRepo) int {
		return cmp.Or(cmp.Compare(min(a.ID, 1), min(b.ID, 1)), cmp.Compare(len(a.UID), len(b.UID)), cmp.Compare(a.UID, b.UID))
	})

	for k, p := range d.perms {
		if k.user == user {
			p.synced = 0
			d.perms[k] = p
		}
	}
	var inserts, updates []droneRepo
	for _, r := range batch {
		if d.deleteNamesake(r) || r.ID == 0 {
			inserts = append(inserts, r)
		} else {
			updates = append(updates, r)
		}
	}
	for _, r := range inserts {
		d.insertRepo(r)
		d.insertPerm(user, r.UID)
	}
	for _, r := range updates {
		if old, ok := d.repos[r.ID]; ok {
			merge(&old, r) // visibility stays as it was first stored (measured)
			old.Updated = now
			d.repos[r.ID] = old
		}
		d.insertPerm(user, r.UID)
	}
	for uid := range local {
		if _, ok := remote[uid]; !ok {
			delete(d.perms, permKey{user, uid})
		}
	}
}

// differs and merge are those of service/syncer/util.go.
func differs(a, b droneRepo) bool {
	return a.Namespace != b.Namespace || a.Name != b.Name || a.HTTPURL != b.HTTPURL || a.SSHURL != b.SSHURL ||
		a.Private != b.Private || a.Branch != b.Branch || a.Link != b.Link
}

func merge(dst *droneRepo, src droneRepo) {
	dst.Namespace, dst.Name, dst.Slug = src.Namespace, src.Name, src.Namespace+"/"+src.Name
	dst.HTTPURL, dst.SSHURL, dst.Private, dst.Branch = src.HTTPURL, src.SSHURL, src.Private, src.Branch
	if src.Link != "" {
		dst.Link = src.Link
	}
}

// renew trades an expired session for a new one. The forge takes a refresh
// token once; of two syncs that hold the same one, the loser fails and its last
// write puts the spent one back, so every later sync fails too (measured).
func (d *Drone) renew(u *droneUser) error {
	now := d.opt.Now()
	if u.refresh == 0 || !time.Unix(u.expiry, 0).Add(-time.Minute).Before(now) {
		return nil
	}
	key := providers.Fold(u.Login)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forge++
	if d.grants[key] != u.refresh {
		return errors.New("token was already used")
	}
	d.grants[key]++
	u.refresh, u.expiry = d.grants[key], now.Add(time.Hour).Unix()
	d.updateUser(*u)
	return nil
}

func (d *Drone) begin(login string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.syncs[providers.Fold(login)]
	if c == nil {
		c = &syncCount{}
		d.syncs[providers.Fold(login)] = c
	}
	c.all++
	c.running++
	c.most = max(c.most, c.running)
}

func (d *Drone) end(login string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.syncs[providers.Fold(login)].running--
}
