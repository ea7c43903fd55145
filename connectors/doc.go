// Package connectors is the contract between the pipeline and the databases:
// where rows come from (Source) and where they go (Sink), in prose and
// interfaces. Each database has a package below this one; no connector knows
// another, a policy or a transform.
//
// # The life of a copy
//
//	Source.Open ──▶ Snapshot ──Split──▶ Chunk ──Read──▶ Batches ──▶ Batch
//	Sink.Begin  ──▶ Build ──Load──▶ Loader ──Commit──▶ Receipt
//	Build.TableLoaded … Build.Finish, Build.Seal, Build.Promote
//
// All readers of a Snapshot see the same instant. A Build is invisible to the
// users of the target until Promote, and a Build that is not promoted leaves
// the target as it was.
//
// # Who closes, who releases
//
// Whoever opened a thing closes it. Close may be called more than once; the
// second call does nothing and returns nil. Whoever holds a Batch releases it,
// exactly once. Closing a Batches does not release the batches it gave out.
//
// # Cancellation
//
// Every method that takes a context returns soon after it is cancelled, with an
// error for which errors.Is(err, context.Canceled) or DeadlineExceeded holds.
// What was in flight is undone: a cancelled Load commits nothing. After that the
// object can only be closed or aborted. Close, Abort and Release never need a
// live context: they clean up after a cancelled one, within a bounded time.
//
// # What only some can
//
// A connector that can do more says so by a second, small interface: a Source that is a
// Sampler reads a few rows for a detector, and one that is a FilterChecker says which filters
// its snapshots would take; a Snapshot that is a Counter counts a column's
// values, and one that is a Filterer leaves rows behind; a Source that is a Joiner joins a
// snapshot that another process holds, and a Sink that is a Resumer goes on with a build
// that another process has left. A filter changes neither the
// chunks nor the snapshot, only what a Layout lets Read give: so rows read still equal
// rows loaded, chunk by chunk, and a chunk that is done again gives the same rows.
//
// # Definitions and secrets
//
// A catalog holds what people have written into a database: expressions, bodies of
// functions, comments. A connector takes the passwords out (RedactDefinitions) before it
// hands a catalog over, and does not read what is a secret as a whole: the connection
// string of a subscription, the options of a user mapping.
//
// # Errors
//
// An error names the operation and coordinates (table, column, chunk, row) and
// never a cell value, key or password. Errors that a person must act on carry a
// Hint; errors that may be tried again say so to Retryable.
package connectors
