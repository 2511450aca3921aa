package bolt

import (
	_ "embed"
	"sync"

	"github.com/klauspost/compress/s2"
)

// What the payloads of the three forges have in common: some of each, made up,
// with every field that is documented, as the forges write them (GitHub and
// GitLab without spaces, Gitea indented by one). A body refers to it by number,
// so it is never to change: what serves better gets the next one, and is listed.
//
//go:embed dictionary/1.txt
var dictionary1 []byte

// newest is the dictionary by which bodies are packed.
const newest = 1

var makeDictionary1 = sync.OnceValue(func() *s2.Dict { return s2.MakeDictManual(dictionary1, 0) })

// dictionary returns one by its number, nil if there is none.
func dictionary(number byte) *s2.Dict {
	if number == 1 {
		return makeDictionary1()
	}
	return nil
}
