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

// limitMemory gives the collector a soft limit, unless GOMEMLIMIT has given one: by
// itself it lets garbage grow to the size of what is live, and a wide row is live.
// Whoever allows the batches more memory allows it here too.
func limitMemory(budget size) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(atEase + max(int64(budget)-pipeline.DefaultMemory, 0))
	}
}
