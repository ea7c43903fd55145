package postgres

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/sanitize-db/sanitize/connectors"
)

// Decoder turns the bytes of a binary COPY, header and trailer included, into
// batches. It is for one goroutine.
type Decoder struct {
	r    io.Reader
	b    *builder
	rest []byte // read, but of the next batch
	head bool   // the header has been read
	done bool   // the trailer has been read
	err  error
}

// NewDecoder returns a decoder of what COPY … TO STDOUT (FORMAT binary) writes
// for the columns of the layout.
func NewDecoder(layout *connectors.Layout, r io.Reader) (*Decoder, error) {
	if layout.Format != Binary {
		return nil, fmt.Errorf("postgres: decoder of %s: format %q is not binary", layout.Table.ID, layout.Format)
	}
	return &Decoder{r: r, b: newBuilder(layout)}, nil
}

// Next returns the next batch, which the caller releases, or io.EOF after the
// trailer. After an error every further call returns it.
func (d *Decoder) Next() (*connectors.Batch, error) {
	if d.err != nil {
		return nil, d.err
	}
	batch, err := d.next()
	if err != nil {
		d.b.drop()
		d.err = err
	}
	return batch, err
}

func (d *Decoder) next() (*connectors.Batch, error) {
	if !d.head {
		if err := d.header(); err != nil {
			return nil, err
		}
	}
	if d.done {
		return nil, io.EOF
	}
	b := d.b
	b.begin()
	st := b.st
	st.wire = append(st.wire, d.rest...)
	d.rest = d.rest[:0]
	pos := 0
	for {
		end, rows, err := b.scan(pos, connectors.BatchRows-b.rows)
		if err != nil {
			return nil, err
		}
		pos = end
		b.rows += rows
		if b.rows < connectors.BatchRows && pos < connectors.BatchBytes && len(st.wire)-pos >= 2 && binary.BigEndian.Uint16(st.wire[pos:]) == trailer {
			if len(st.wire) != pos+2 {
				return nil, errCopy
			}
			d.done = true
		}
		if d.done || b.rows >= connectors.BatchRows || pos >= connectors.BatchBytes {
			break
		}
		// Read about as much as the batch still wants: what is read beyond it
		// has to be moved to the next one.
		want := min(max((connectors.BatchRows-b.rows)*b.perRow, 4096), 64<<10)
		st.wire = growBy(st.wire, want)
		n, err := d.r.Read(st.wire[len(st.wire) : len(st.wire)+want])
		st.wire = st.wire[:len(st.wire)+n]
		if n == 0 && err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	if !d.done {
		d.rest = append(d.rest[:0], st.wire[pos:]...)
	}
	st.wire = st.wire[:pos]
	if b.rows == 0 {
		b.drop()
		return nil, io.EOF
	}
	return b.finish()
}

func (d *Decoder) header() error {
	var h [headerSize]byte
	if _, err := io.ReadFull(d.r, h[:]); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if string(h[:len(signature)]) != signature {
		return errCopy
	}
	d.head = true
	_, err := io.CopyN(io.Discard, d.r, int64(binary.BigEndian.Uint32(h[len(signature)+4:])))
	return err
}

// growBy makes room for n more bytes.
func growBy(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	grown := make([]byte, len(b), max(2*cap(b), len(b)+n))
	copy(grown, b)
	return grown
}
