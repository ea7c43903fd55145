// Package pipeline runs a copy: one snapshot of a source, masked by a plan while
// it streams, built aside in a sink, verified and promoted.
//
// # The life of a run
//
//	preflight → open snapshot → compile → build aside → copy chunks → finish → seal → promote
//
// Run.Do takes these steps in this order and stops at the first that fails; then
// it aborts the build, and the target is what it was. A chunk's whole story is
// one loop in job.go: read, mask, load, commit, record. Many chunks run at once,
// each in one goroutine of the Dispatcher's; there are no channels between the
// steps of one chunk.
//
// # Nothing lost, nothing doubled
//
// Each chunk commits together with its ledger row. A chunk whose attempt fails
// in a way that may be retried is done again as a whole; if its commit may have
// got through before the connection broke, the ledger is asked first. At the end the rows
// read, as counted here, must equal the rows that the ledger holds, for every table.
//
// # Stopping
//
// Drain finishes the chunks in flight and stops; cancelling the context drops
// them. Both abort the build and return an error for which
// errors.Is(err, ErrInterrupted) holds. A promotion that has begun to change the target
// is brought to its end all the same. A build that cannot be put away is a CleanupError
// in the chain.
//
// # Going on
//
// A run whose snapshot another process holds (Run.Snapshot) leaves its build aside when it
// is interrupted or loses an end, and Run.Resume goes on from the ledger: it joins the
// snapshot, compares the fingerprint part by part, takes the chunks from the ledger rather
// than splitting again, and loads those that have no receipt. Within a run, too, a lost
// connection to the target, or a restart that has cost its last commits, is made good by
// asking the ledger what is there.
//
// The package knows no dialect, no policy file and no telemetry: it sees a
// Source, a Sink, a masking.Plan and an Observer.
package pipeline
