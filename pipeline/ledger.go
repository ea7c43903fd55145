package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Fingerprint holds, part by part, everything that shapes a run's output:
// policy, catalog, key id, masking version, snapshot, chunking. The parts are
// named, so that a difference can be named.
type Fingerprint map[string]string

// Digest returns the SHA-256 of all parts, in hex.
func (f Fingerprint) Digest() string {
	h := sha256.New()
	for _, part := range f.parts() {
		fmt.Fprintf(h, "%d:%s=%d:%s;", len(part), part, len(f[part]), f[part])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Differences names the parts in which f and g differ, sorted.
func (f Fingerprint) Differences(g Fingerprint) []string {
	var names []string
	for _, part := range append(f.parts(), g.parts()...) {
		a, inF := f[part]
		b, inG := g[part]
		if inF != inG || a != b {
			names = append(names, part)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (f Fingerprint) parts() []string {
	parts := make([]string, 0, len(f))
	for p := range f {
		parts = append(parts, p)
	}
	slices.Sort(parts)
	return parts
}

// Ledger is what a build's own ledger holds. The durable rows are written by
// the loaders, each in its chunk's transaction; this is their index in memory.
// It is safe for concurrent use.
type Ledger struct {
	build receipts

	mu       sync.Mutex
	receipts map[string]connectors.Receipt
}

// receipts is the part of connectors.Build that a ledger reads.
type receipts interface {
	Receipts(ctx context.Context) ([]connectors.Receipt, error)
}

// OpenLedger reads the ledger of a build.
func OpenLedger(ctx context.Context, build receipts) (*Ledger, error) {
	l := &Ledger{build: build, receipts: map[string]connectors.Receipt{}}
	if err := l.Refresh(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// Refresh reads the durable ledger again: after an attempt whose commit may have got through.
func (l *Ledger) Refresh(ctx context.Context) error {
	list, err := l.build.Receipts(ctx)
	if err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	for _, r := range list {
		l.Record(r)
	}
	return nil
}

// Reload forgets what is in memory and reads the durable ledger again, and returns how
// many chunks of the list it does not hold. A server that crashes may have lost the last
// commits of a build, which need not wait for its disk.
func (l *Ledger) Reload(ctx context.Context, chunks []connectors.Chunk) (missing int, err error) {
	list, err := l.build.Receipts(ctx)
	if err != nil {
		return 0, fmt.Errorf("read ledger: %w", err)
	}
	l.mu.Lock()
	l.receipts = make(map[string]connectors.Receipt, len(list))
	l.mu.Unlock()
	for _, r := range list {
		l.Record(r)
	}
	for _, c := range chunks {
		if _, done := l.Lookup(c.ID); !done {
			missing++
		}
	}
	return missing, nil
}

// Lookup returns the receipt of a chunk, if it has been committed.
func (l *Ledger) Lookup(chunk string) (connectors.Receipt, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.receipts[chunk]
	return r, ok
}

// Record notes a receipt. Recording one twice changes nothing.
func (l *Ledger) Record(r connectors.Receipt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.receipts[r.Chunk] = r
}

// Totals returns rows, bytes and chunks for each table.
func (l *Ledger) Totals() map[catalog.TableID]TableSummary {
	l.mu.Lock()
	defer l.mu.Unlock()
	totals := map[catalog.TableID]TableSummary{}
	for _, r := range l.receipts {
		t := totals[r.Table]
		t.Table = r.Table
		t.Rows += r.Rows
		t.Bytes += r.Bytes
		t.Chunks++
		totals[r.Table] = t
	}
	return totals
}
