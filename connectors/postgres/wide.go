package postgres

import (
	"context"
	"io"
	"runtime/debug"

	"github.com/sanitize-db/sanitize/connectors"
)

const (
	// wideBytes is the size from which a row is wide. Of wide rows one is in flight at a
	// time, whatever the number of readers: a server sends rows of up to a gigabyte, and
	// memory for one of them is all that a run should need.
	wideBytes = 8 << 20
	// tidyBytes is the size from which the memory of a wide row is given back to the
	// system before the next one takes its own: the collector would let the two meet.
	tidyBytes = 32 << 20
)

// wide reads a row of n bytes straight into a batch of its own, of exactly its size. The
// batch gives the gate back when it is released.
func (b *batches) wide(ctx context.Context, n int) error {
	if err := b.snapshot.wide.enter(ctx); err != nil {
		return err
	}
	st := b.builder.st
	st.gate, st.wire = b.snapshot.wide, nil
	if n >= tidyBytes {
		debug.FreeOSMemory() // what others have left lying about
	}
	st.wire = make([]byte, n)
	if err := b.session.readFull(st.wire); err != nil {
		return err
	}
	return b.builder.note(0, 1)
}

// readFull fills p with what comes next: what is there already, and then straight from
// the socket.
func (s *session) readFull(p []byte) error {
	n := copy(p, s.in[s.r:s.w])
	s.r += n
	_, err := io.ReadFull(s.net(), p[n:])
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// part lets the memory of a wide row go, and then the next one in. The batch lets go of
// it, too: somebody may still hold that.
func (st *storage) part(b *connectors.Batch) {
	n := cap(st.wire)
	st.wire = nil
	for i := range st.columns {
		st.columns[i].data = nil
	}
	if b != nil {
		b.Wire, b.Fields, b.Decoded = nil, nil, nil
	}
	clear(st.arrays)
	if n >= tidyBytes {
		debug.FreeOSMemory()
	}
	st.gate.leave()
	st.gate = nil
}
