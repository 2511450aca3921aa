package syncqueue

// Drift is how many of the changes that a run made no webhook had announced:
// it was a poll, a sweep or somebody's question that found them. It is the one
// place that decides so; a cell tells the same of itself by Asked being zero.
//
// What a first fill meets, and what somebody holds who never held anything
// before or whose list was never read as a whole, was missed by nobody. A publish job changes nothing that the forge
// could have announced.
func (r Report) Drift() int {
	j := r.Job
	if j.Announced() || j.Kind == KindPublish || j.CausedBy(ByFill) {
		return 0
	}
	return r.Applied.Changed() - r.Applied.First
}
