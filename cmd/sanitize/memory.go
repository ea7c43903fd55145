package main

import (
	"os"
	"runtime/debug"

	"github.com/sanitize-db/sanitize/pipeline"
)

// atEase is the memory that a run may take before the collector works harder: what is
// live in a run of the usual budget, one wide row included, and some room. The promise
// is 256 MB of resident memory.
const atEase = 208 << 20

// garbagePercent is how much garbage, in percent of what is live, is left lying about
// before it is collected, as long as the limit is far. About 12 MB are live in a run of
// ordinary rows: at Go's own 100 the collector takes a fifth of a run's processor time.
const garbagePercent = 400

// limitMemory gives the collector a soft limit, unless GOMEMLIMIT has given one, and
// leaves it time below that, unless GOGC has said how much: by itself it lets garbage
// grow to the size of what is live, which is often for little, and much for a wide row.
// Whoever allows the batches more memory allows it here too.
func limitMemory(budget size) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(atEase + max(int64(budget)-pipeline.DefaultMemory, 0))
	}
}
