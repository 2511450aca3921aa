package main

// ballast is memory that is never touched, and so takes none of the machine's:
// it only makes the heap look larger to the collector, which by default runs
// whenever the heap has doubled. Some ten megabytes live in an idle hookd, and
// collecting so small a heap took an eighth of the processor's time while
// deliveries came in. It costs as much garbage as it is large between two
// collections, however much lives; a greater GOGC would cost a multiple of what
// lives, where connections are many or the journal is long.
const ballast = 32 << 20

// newBallast returns what has to stay reachable. An operator who tunes the
// collector gets none.
func newBallast(env environ) []byte {
	if env.get("GOGC") != "" || env.get("GOMEMLIMIT") != "" {
		return nil
	}
	return make([]byte, ballast)
}
