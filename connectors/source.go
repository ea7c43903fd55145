package connectors

import (
	"context"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Source is a database that rows come from. It is only read: sessions are
// read-only, bounded in number, and wait for locks for a bounded time.
//
// Methods are safe for concurrent use.
type Source interface {
	// Properties returns facts that do not change while the source is open.
	Properties() Properties

	// Identity says which server and database this is.
	Identity(ctx context.Context) (Identity, error)

	// Catalog reads the definitions without opening a snapshot and without
	// taking a lock that outlives the call. For plan and inspect.
	Catalog(ctx context.Context) (*catalog.Catalog, error)

	// Open opens one consistent view. It checks the account's rights on every
	// table first, and fails before it has read a row if any is missing.
	// The caller closes the snapshot.
	Open(ctx context.Context) (Snapshot, error)

	// Close closes all sessions. Snapshots that are still open end.
	Close() error
}

// Snapshot is one consistent view of a source: every method, and every reader
// that Read opens, sees the same instant.
//
// Methods are safe for concurrent use.
type Snapshot interface {
	// Token identifies the instant. Where Properties.JoinableSnapshot is set,
	// another process can join the snapshot by it while the snapshot is open.
	Token() string

	// Catalog returns the definitions as of the snapshot. Repeated calls return
	// the same catalog.
	Catalog() *catalog.Catalog

	// Definitions returns everything that a sink of the same connector needs
	// to build the same database without its rows, read under the snapshot.
	Definitions(ctx context.Context) (*Definitions, error)

	// Layout says how the rows of a table travel when the values of the named
	// columns are decoded. It fails for a column that cannot be decoded or
	// that does not exist, and for a table that stores no rows.
	Layout(table catalog.TableID, decoded []string) (*Layout, error)

	// Split divides a table into chunks that cover it exactly, without overlap.
	// The same snapshot and target size give the same chunks with the same ids.
	// An empty table may give no chunk. targetBytes ≤ 0 means the connector's default.
	Split(ctx context.Context, table catalog.TableID, targetBytes int64) ([]Chunk, error)

	// Read opens a reader on one chunk. It may wait for a free session. The
	// caller closes what it gets.
	Read(ctx context.Context, chunk Chunk, layout *Layout) (Batches, error)

	// Close ends the view and its sessions, and releases its locks.
	Close() error
}

// LeadSplitter is a Snapshot that can divide a table unevenly.
type LeadSplitter interface {
	// SplitLead divides a table as Split does, but for the first chunk: that is as
	// large as leadBytes and carries Chunk.Lead. A table that is not larger is one
	// chunk, and not a lead.
	SplitLead(ctx context.Context, table catalog.TableID, leadBytes, targetBytes int64) ([]Chunk, error)
}

// Batches gives out the rows of one chunk. It is for one goroutine.
type Batches interface {
	// Next returns the next batch, which the caller releases, or io.EOF after
	// the last. After an error every further call returns an error.
	Next(ctx context.Context) (*Batch, error)

	// Close gives the session back. Closing before io.EOF drops the rest.
	Close() error
}

// Definitions is everything that makes a database but its rows: tables, types,
// functions, indexes. Only a sink of the same connector can read it.
type Definitions struct {
	Connector string
	Version   string // of the server that they were read from
	Data      []byte
	// Sequences holds the position of each sequence.
	Sequences []Sequence
	// LeftBehind names the objects that do not come along as they are, each with its
	// fate and the reason: what would tie the target to production, or act by itself.
	// Sink.Begin adds what the target's server refuses, and no run fails for.
	LeftBehind []catalog.Object
}

// Sequence is the position of a sequence, and the columns that it fills, if any.
type Sequence struct {
	ID        catalog.TableID
	Last      int64
	Called    bool // whether Last has been given out
	Increment int64
	Min, Max  int64
	Cycles    bool // begins again behind its last value
	Fills     []catalog.ColumnID
}

// AtEnd reports whether a value, which is within Min and Max, is the last one that the sequence
// can give.
func (s Sequence) AtEnd(value int64) bool {
	if s.Increment < 0 {
		return uint64(value)-uint64(s.Min) < -uint64(s.Increment)
	}
	return uint64(s.Max)-uint64(value) < uint64(s.Increment)
}

// Suiter is a Source whose rows have a form that not every server takes. It is told the
// target's properties before it is asked for a layout; who is not takes the newest for it.
type Suiter interface {
	Suit(target Properties)
}

// Identity says which server and database a source or a sink is, so that a run
// can refuse to write to its own source.
type Identity struct {
	// Server is equal for two connections to the same running server, by
	// whatever name it was reached; empty if the server does not tell.
	Server   string
	Database string
	// Cluster is equal for a server and the standbys that follow it; empty if that is not known.
	Cluster string
	// Follows is set of a standby.
	Follows bool
	// Display is host, port and database for people, without a password.
	Display string
}

// Same reports whether both are the same database of the same server, or of a server and one
// that follows it. Two servers of which neither follows are two, though one was a copy of the other.
func (i Identity) Same(j Identity) bool {
	server := i.Server != "" && i.Server == j.Server
	cluster := i.Cluster != "" && i.Cluster == j.Cluster && (i.Follows || j.Follows)
	return (server || cluster) && i.Database == j.Database
}
