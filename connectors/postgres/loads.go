package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// frozenBytes is the size from which a table is worth being emptied to be loaded frozen:
// to empty it makes a new file, which costs a little in thousands of small tables. Tests set it.
var frozenBytes int64 = 1 << 20

// loads knows which chunks of a table were begun, and how much of it is in. The zero
// value is ready. It is safe for concurrent use.
type loads struct {
	mu     sync.Mutex
	begun  map[catalog.TableID]map[string]bool
	chunks map[catalog.TableID]map[string]int64 // bytes of those that are in
}

// begin notes that a loader of a chunk is opened, and reports whether no other chunk
// of its table has ever been begun.
func (l *loads) begin(c connectors.Chunk) (alone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun == nil {
		l.begun = map[catalog.TableID]map[string]bool{}
	}
	ids := l.begun[c.Table]
	if ids == nil {
		ids = map[string]bool{}
		l.begun[c.Table] = ids
	}
	ids[c.ID] = true
	return len(ids) == 1
}

// loaded notes a receipt. Noting one twice changes nothing.
func (l *loads) loaded(r connectors.Receipt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.chunks == nil {
		l.chunks = map[catalog.TableID]map[string]int64{}
	}
	if l.chunks[r.Table] == nil {
		l.chunks[r.Table] = map[string]int64{}
	}
	l.chunks[r.Table][r.Chunk] = r.Bytes
}

// known returns the chunks that are in, as far as is known.
func (l *loads) known() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[string]bool{}
	for _, chunks := range l.chunks {
		for id := range chunks {
			all[id] = true
		}
	}
	return all
}

// bytes returns how much of a table has been loaded.
func (l *loads) bytes(id catalog.TableID) (n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.chunks[id] {
		n += b
	}
	return n
}

// alone reports whether a chunk may be loaded into a table that its own transaction
// empties first. Then its rows are written as if they had stood there for long (FREEZE):
// neither the indexes nor anybody later has to touch each of them again.
//
// Only a chunk that is the whole table, or is made to come first, and of whose table
// nothing else is there or on its way, is loaded so: whatever came before it would be
// gone. So it takes the table's lock before it looks what is there, and what comes after
// it waits. Where it returns true the session is in the transaction that has the lock.
func (b *build) alone(ctx context.Context, held *session, c connectors.Chunk, routed bool) (bool, error) {
	first := b.loads.begin(c)
	b.mu.Lock()
	if t := b.spec.Catalog.Table(c.Table); t != nil {
		routed = routed || b.routed[words(b.spec.Catalog.Root(t).ID)]
	}
	b.mu.Unlock()
	if routed || !first || c.Bytes < frozenBytes || c.Lo != 0 || !c.Last && !c.Lead {
		return false, nil
	}
	if err := held.exec(ctx, "BEGIN; LOCK TABLE ONLY "+table(c.Table)+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		return false, err
	}
	var there bool
	sql := fmt.Sprintf("SELECT EXISTS (SELECT FROM %s.ledger WHERE table_schema = %s AND table_name = %s)",
		ident(b.ledger), literal(c.Table.Schema), literal(c.Table.Name))
	if err := held.conn.QueryRow(ctx, sql).Scan(&there); err != nil || !there {
		return !there, err
	}
	return false, held.exec(ctx, "ROLLBACK")
}
