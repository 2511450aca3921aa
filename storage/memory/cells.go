package memory

import (
	"iter"

	"github.com/hookd/hookd/storage"
)

// cells are who holds what, found by user and by repository alike. The Repo of
// each is left zero.
type cells struct {
	ofUser, ofRepo map[id]map[pair]*storage.Cell
}

func newCells() cells {
	return cells{ofUser: map[id]map[pair]*storage.Cell{}, ofRepo: map[id]map[pair]*storage.Cell{}}
}

func (p pair) byUser() id { return id{p.provider, p.user} }
func (p pair) byRepo() id { return id{p.provider, p.repo} }

// get returns nil for none.
func (c cells) get(at pair) *storage.Cell { return c.ofUser[at.byUser()][at] }

func (c cells) put(at pair, x *storage.Cell) {
	row, column := c.ofUser[at.byUser()], c.ofRepo[at.byRepo()]
	if row == nil {
		row = map[pair]*storage.Cell{}
		c.ofUser[at.byUser()] = row
	}
	if column == nil {
		column = map[pair]*storage.Cell{}
		c.ofRepo[at.byRepo()] = column
	}
	row[at], column[at] = x, x
}

func (c cells) drop(at pair) {
	delete(c.ofUser[at.byUser()], at)
	delete(c.ofRepo[at.byRepo()], at)
}

func (c cells) all() iter.Seq2[pair, *storage.Cell] {
	return func(yield func(pair, *storage.Cell) bool) {
		for _, row := range c.ofUser {
			for at, x := range row {
				if !yield(at, x) {
					return
				}
			}
		}
	}
}
