package providers

import "iter"

// Sequence turns a complete read into a sequence: nothing is yielded before the
// last page was read, so an error comes alone. Each iteration reads anew.
func Sequence[T any](read func() ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		all, err := read()
		if err != nil {
			var zero T
			yield(zero, err)
			return
		}
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}
