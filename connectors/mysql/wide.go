package mysql

import (
	"context"
	"fmt"
	"net"
	"runtime/debug"
	"slices"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

const (
	// wideBytes is the size from which a row is wide. Of wide rows one is in flight at a
	// time, whatever the number of readers: a server sends rows of up to a gigabyte, and
	// memory for one of them is all that a run should need.
	wideBytes = 8 << 20
	// tidyBytes is the size from which the memory of a wide row is given back to the
	// system before somebody else takes his own: the collector would let the two meet.
	tidyBytes = 32 << 20
	// apartBytes is the size above which a value of a wide row is read apart from it: what
	// is left of the row is short, since a table has 4,096 columns at most.
	apartBytes = 1 << 10
)

// gate lets one wide row through at a time.
//
// Who holds it waits for nothing that somebody who waits for it holds: the pipeline's
// budget lets a batch pass that asks for more than its share while all others keep theirs;
// and loads of which one would wait for the other come one after the other (see counted). Of a
// process that lends its snapshot each reader has a gate of its own: it would wait, with the
// gate, for whoever has joined to take the row, and that one for another reader.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

// turn is a reader's: the wide row that it has read last. It is for one goroutine.
type turn struct {
	gate    gate
	columns int // of the rows that are expected; 0 for none, and they come as they are; −1 if they are dropped

	held  bool     // the row is here, or a part of it, and the gate is held
	bytes int      // of the values that came apart
	apart [][]byte // by column; nil where the value is in its place
}

// expect says of how many columns the rows are that come next.
func (t *turn) expect(columns int) {
	if t != nil {
		t.columns = columns
	}
}

// enter waits for the turn.
func (t *turn) enter(done <-chan struct{}) error {
	select {
	case t.gate <- struct{}{}:
		t.held = true
		return nil
	case <-done:
		return net.ErrClosed
	}
}

// room returns memory for a value of n bytes.
func (t *turn) room(n int) []byte {
	if n >= tidyBytes {
		debug.FreeOSMemory() // what others have left lying about
	}
	t.bytes += n
	return make([]byte, n)
}

// put puts the values that came apart in their places.
func (t *turn) put(into [][]byte) {
	for i, v := range t.apart {
		if v != nil {
			into[i] = v
		}
	}
}

// let lets the values go, and returns how many bytes they have. The turn is still held.
func (t *turn) let() (bytes int) {
	bytes = t.bytes
	t.apart, t.bytes = nil, 0
	if bytes >= tidyBytes {
		debug.FreeOSMemory()
	}
	return bytes
}

// pass makes the turn that of a batch of n bytes, which calls done when it has let go of them.
func (t *turn) pass(n int) (done func()) {
	t.held = false
	return func() {
		if n >= tidyBytes {
			debug.FreeOSMemory()
		}
		<-t.gate
	}
}

// end ends the turn, if it is held.
func (t *turn) end() {
	if t == nil || !t.held {
		return
	}
	t.let()
	t.held = false
	<-t.gate
}

// count waits until no other load of the table is under way, if it may have wide rows and the
// server lets its loads wait for each other: LOAD DATA holds the counter of an AUTO_INCREMENT
// column to its end, where innodb_autoinc_lock_mode is not 2 (MySQL's manual, "AUTO_INCREMENT
// Handling in InnoDB"). The one that has the counter might wait for its turn with a wide row,
// which one has that waits for the counter.
func (l *loader) count(ctx context.Context) error {
	if l.plain || !l.infile() || widest(l.layout.Columns) < wideBytes ||
		!slices.ContainsFunc(l.layout.Columns, func(c catalog.Column) bool { return c.Generation == catalog.IdentityByDefault }) {
		return nil
	}
	mode := int64(2)
	if err := l.session.query(ctx, "SHOW GLOBAL VARIABLES LIKE 'innodb_autoinc_lock_mode'", func(r row) error {
		mode = r.number(1)
		return nil
	}); err != nil || mode == 2 {
		return err
	}
	g := l.build.counter(l.chunk.Table.Name)
	select {
	case g <- struct{}{}:
		l.counter = g
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", l.op, ctx.Err())
	}
}

// counted lets the next load of the table begin.
func (l *loader) counted() {
	if l.counter != nil {
		<-l.counter
		l.counter = nil
	}
}

// counter returns what the loads of a table take turns by.
func (b *build) counter(table string) gate {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.counting[table] == nil {
		b.counting[table] = newGate()
	}
	return b.counting[table]
}

// widest returns how many bytes a row's longest values have together, about, in the character
// set in which they travel.
func widest(columns []catalog.Column) (bytes int64) {
	for _, c := range columns {
		switch typeWord(c.Type.Name) {
		case "text", "blob":
			bytes += 4 * 64 << 10
		case "mediumtext", "mediumblob":
			bytes += 4 * 16 << 20
		case "longtext", "longblob", "json", "geometry", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
			bytes += 4 << 30
		}
	}
	return bytes
}
