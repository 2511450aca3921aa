package bolt

import (
	"context"
	"encoding/binary"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// kindOf is whose names an index holds.
func kindOf(in table) providers.SubjectKind {
	if in == tLogins {
		return providers.SubjectUser
	}
	return providers.SubjectRepo
}

func formerKey(provider string, kind providers.SubjectKind, name, id string) []byte {
	return join(provider, string(kind), label(name), id)
}

// former files that an id gave up the name was with the claim by which it took
// the name is, which it has from now on.
func (a *applying) former(in table, was, is, id string, claim uint64) error {
	kind := kindOf(in)
	if again := formerKey(a.provider, kind, is, id); a.t.has(tFormer, again) {
		if err := a.t.del(tFormer, again); err != nil {
			return err
		}
	}
	if was == "" || providers.Fold(was) == providers.Fold(is) {
		return nil
	}
	key := formerKey(a.provider, kind, was, id)
	return a.t.put(tFormer, key, seal(key, append(claimValue(claim), providers.Fold(was)...)))
}

// Former implements storage.Catalogue. The name is compared as a whole: what is
// in the key may be cut short.
func (db *DB) Former(_ context.Context, provider string, kind providers.SubjectKind, name string) (id string, err error) {
	newest := uint64(0)
	prefix := join(provider, string(kind), label(name))
	err = db.view(func(v view) error {
		return v.each(tFormer, prefix, func(k, record []byte) (bool, error) {
			data, err := unseal(tFormer, k, record)
			if err != nil {
				return false, err
			}
			who, _, ok := cut(k[len(prefix):])
			claim := binary.BigEndian.Uint64(data)
			if ok && string(data[8:]) == providers.Fold(name) && (id == "" || claim > newest) {
				id, newest = who, claim
			}
			return true, nil
		})
	})
	if err == nil && id == "" {
		err = storage.ErrUnknown
	}
	return id, err
}
