package connectors

import (
	"context"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Sink is a database that a run replaces as a whole. Nothing that its users can
// see changes before Build.Promote.
//
// Methods are safe for concurrent use.
type Sink interface {
	// Properties returns facts that do not change while the sink is open.
	Properties() Properties

	// Identity says which server and database the target is (or will be: the
	// target database need not exist).
	Identity(ctx context.Context) (Identity, error)

	// Begin takes the target for this run alone, removes what killed runs have
	// left (and finishes a promotion that was cut in the middle), and builds
	// the empty database aside.
	//
	// It fails with KindGuard, and changes nothing, when the target exists and
	// does not carry our mark; with KindBusy when another run holds it.
	Begin(ctx context.Context, spec BuildSpec) (Build, error)

	// Close closes all sessions. It does not abort a build: Abort does.
	Close() error
}

// BuildSpec says what to build.
type BuildSpec struct {
	Run         string            // id of the run: letters and digits, at most 16
	Fingerprint map[string]string // kept beside the ledger: what shaped this output
	Catalog     *catalog.Catalog  // of the source, under the snapshot
	Definitions *Definitions
	// Chunks are all that will be loaded. A sink that is a Resumer stores them beside the
	// ledger: how large tables are is no part of a snapshot, so that a run that goes on
	// could not split them in the same way.
	Chunks  []Chunk
	Workers int // most chunks that will be loaded at once
	// Derived lists the columns that do not travel: a trigger of the build computes them
	// while the rows are loaded. A sink that cannot do so fails with KindUnsupported.
	Derived []Derived
}

// Derived is a column that a trigger of its table, or of the table that this one is a
// partition of, computes anew.
type Derived struct {
	Column  catalog.ColumnID
	Trigger string
}

// Build is a database being built aside.
//
// Load, Receipts and TableLoaded may be called concurrently; the others are
// called one after the other, in the order Finish, Seal, Promote.
type Build interface {
	// Load opens a loader for one chunk. It may wait for a free session. A chunk
	// whose receipt is in the ledger already must not be loaded again: the
	// caller asks Receipts. If the ledger has it all the same, Commit fails and
	// the rows are not doubled.
	Load(ctx context.Context, chunk Chunk, layout *Layout) (Loader, error)

	// Receipts returns what the ledger holds: the receipt of every chunk that
	// has been committed.
	Receipts(ctx context.Context) ([]Receipt, error)

	// TableLoaded tells that the last chunk of a table has been committed, and
	// builds the table's indexes and unique keys. For a table in which rows are
	// not copied it is called too.
	TableLoaded(ctx context.Context, table catalog.TableID) error

	// Finish builds what needs all tables: foreign keys (validated), sequences
	// (past the largest value loaded), triggers, views, statistics. A foreign
	// key that does not hold is an error of KindIntegrity naming the constraint.
	Finish(ctx context.Context) error

	// Seal verifies that what was built is whole (every key valid, ledger
	// equal to what the caller has read: rows per table), removes the ledger and sets our mark.
	Seal(ctx context.Context, rows map[catalog.TableID]int64) error

	// Promote makes the build the target in one step. The former copy is kept
	// until that has succeeded, then dropped. After Promote, Abort does nothing.
	// Where more than that step is needed, a context that ends behind it stops
	// nothing; what fails there is an error of which Changed holds.
	Promote(ctx context.Context) error

	// Abort removes the build and gives the target free. The target is as it
	// was before Begin. It may be called at any time, more than once, and after
	// Promote, when it only gives the target free.
	Abort() error
}

// Loader writes the batches of one chunk. It is for one goroutine.
// Either Commit or Abort ends it; Abort after Commit does nothing.
type Loader interface {
	// Write writes a batch. It does not keep the batch or anything of it, and
	// does not release it.
	Write(ctx context.Context, b *Batch) error

	// Commit makes all rows of the chunk, and its ledger row, durable together
	// in one transaction, and returns the receipt.
	Commit(ctx context.Context) (Receipt, error)

	// Abort drops everything written.
	Abort() error
}

// Receipt is the proof of a committed chunk.
type Receipt struct {
	Chunk string          `json:"chunk"` // Chunk.ID
	Table catalog.TableID `json:"table"`
	Rows  int64           `json:"rows"`
	Bytes int64           `json:"bytes"` // as written on the wire
}
