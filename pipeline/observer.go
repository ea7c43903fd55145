package pipeline

import (
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Phase is a part of a run.
type Phase string

// The phases, in order.
const (
	Preflight Phase = "preflight"
	Open      Phase = "open snapshot"
	Compile   Phase = "compile"
	Prepare   Phase = "build aside"
	Copy      Phase = "copy"
	Finish    Phase = "finish"
	Seal      Phase = "seal"
	Promote   Phase = "promote"
)

// Observer is told how a run goes. Its methods are called from several
// goroutines and return soon: the run waits for them. No event carries a cell value.
type Observer interface {
	// PhaseBegan is called when a phase begins; the one before it has ended.
	PhaseBegan(p Phase)
	// Scheduled is called once, before the first chunk: what there is to copy.
	Scheduled(tables []TableEstimate)
	// ChunkMoved is called when a chunk begins and then after each few megabytes of it:
	// how much of it has been written, which no commit has made durable yet. After
	// ChunkRetried the chunk begins anew.
	ChunkMoved(chunk connectors.Chunk, rows, bytes int64)
	// ChunkLoaded is called after each chunk's commit.
	ChunkLoaded(table catalog.TableID, chunk string, rows, bytes int64, took time.Duration)
	// ChunkRetried is called before a chunk is done again.
	ChunkRetried(chunk string, attempt int, cause error)
	// TableLoaded is called when the last chunk of a table is in and its indexes stand.
	TableLoaded(table catalog.TableID)
	// Watched is called now and then while the snapshot is open, and when the readers are
	// slowed or may go on: how the source fares.
	Watched(w Watch)
}

// ResumeObserver is an Observer that is told what is done already, and what is done again.
type ResumeObserver interface {
	// Resumed is called after Scheduled by a run that goes on: what it has found in the
	// ledger, in all and for each table. No ChunkLoaded tells of those chunks.
	Resumed(found Resumed, tables map[catalog.TableID]FoundTable)
	// PhaseRetried is called before a phase is done again, from Copy on, for what the
	// ledger lacks.
	PhaseRetried(p Phase, attempt int, cause error)
}

// TableEstimate is what the schedule expects of a table.
type TableEstimate struct {
	Table  catalog.TableID
	Chunks int
	Rows   int64 // estimate
	Bytes  int64 // estimate
	// Chunked is the sum of Chunk.Bytes of its chunks: Bytes, but for a filter.
	Chunked int64
}

// Silence is an Observer that does nothing.
type Silence struct{}

// PhaseBegan does nothing.
func (Silence) PhaseBegan(Phase) {}

// Scheduled does nothing.
func (Silence) Scheduled([]TableEstimate) {}

// ChunkMoved does nothing.
func (Silence) ChunkMoved(connectors.Chunk, int64, int64) {}

// ChunkLoaded does nothing.
func (Silence) ChunkLoaded(catalog.TableID, string, int64, int64, time.Duration) {}

// ChunkRetried does nothing.
func (Silence) ChunkRetried(string, int, error) {}

// TableLoaded does nothing.
func (Silence) TableLoaded(catalog.TableID) {}

// Watched does nothing.
func (Silence) Watched(Watch) {}
