package postgres

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// signature begins a binary COPY; flags and the length of an extension follow
// it, 4 bytes each.
const signature = "PGCOPY\n\377\r\n\000"

const headerSize = len(signature) + 8

// trailer ends a binary COPY, in the place of a row's number of fields.
const trailer = 0xffff

var errCopy = errors.New("malformed COPY data")

// builder gathers rows into batches. It is for one goroutine; its batches are not.
type builder struct {
	layout  *connectors.Layout
	text    bool
	columns int
	decoded []int
	charset *charset
	gaps    []int // fields to step over before each decoded one, and behind the last
	ops     []op
	rows    int
	st      *storage
	perRow  int // bytes of a row, about
}

// op is how the values of one column are decoded and encoded.
type op uint8

const (
	opBytes   op = iota // the bytes themselves: text, json, enum, what is opaque
	opJSONB             // a version byte, then text
	opBytea             // bytes; in text format, hexadecimal
	opUUID              // 16 bytes
	opBool              //
	opInt16             //
	opInt32             //
	opInt64             //
	opFloat32           //
	opFloat64           //
	opNumeric           // decimal text
	opDate              //
	opStamp             // timestamp
	opStampTZ           // timestamp with time zone
)

func opOf(t catalog.Type) op {
	switch t.Kind {
	case catalog.Bool:
		return opBool
	case catalog.Int:
		switch t.Bits {
		case 16:
			return opInt16
		case 32:
			return opInt32
		}
		return opInt64
	case catalog.Float:
		if t.Bits == 32 {
			return opFloat32
		}
		return opFloat64
	case catalog.Numeric:
		return opNumeric
	case catalog.Date:
		return opDate
	case catalog.Timestamp:
		return opStamp
	case catalog.TimestampTZ:
		return opStampTZ
	case catalog.UUID:
		return opUUID
	case catalog.Bytes:
		return opBytea
	case catalog.JSON:
		if t.OID == oidJSONB {
			return opJSONB
		}
	}
	return opBytes
}

// holdsText reports whether a decoded value of a column is a text, in the encoding of the database.
func holdsText(t catalog.Type, text bool) bool {
	switch {
	case t.OID == oidChar: // a byte
		return false
	case text:
		return true
	}
	return t.Kind == catalog.Text || t.Kind == catalog.JSON
}

// storage is the memory of one batch, which the next ones use again.
type storage struct {
	wire    []byte
	fields  []connectors.Field
	columns []columnStorage
	arrays  []arrow.Array
	free    func(*connectors.Batch)
	gate    gate // of a wide row, which is given back with it
}

type columnStorage struct {
	valid   []byte
	views   []arrow.ViewHeader
	data    []byte
	offsets []int32
	longs   []int64
	days    []int32
	floats  []float64
	bits    []byte
}

// keepBytes bounds the memory that a batch leaves for the next one.
const keepBytes = 8 * connectors.BatchBytes

var storages sync.Pool

func newStorage() *storage {
	if st, ok := storages.Get().(*storage); ok {
		return st
	}
	st := &storage{}
	st.free = st.put
	return st
}

func (st *storage) put(b *connectors.Batch) {
	if st.gate != nil {
		st.part(b)
	}
	if cap(st.wire) > keepBytes {
		st.wire = nil
	}
	for i := range st.columns {
		if cap(st.columns[i].data) > keepBytes {
			st.columns[i].data = nil
		}
	}
	clear(st.arrays)
	storages.Put(st)
}

func newBuilder(layout *connectors.Layout) *builder {
	b := &builder{layout: layout, text: layout.Format == Text, columns: len(layout.Columns), decoded: layout.Decoded, perRow: 128}
	b.charset, _ = layout.Charset.(*charset)
	done := 0
	for _, i := range layout.Decoded {
		b.ops = append(b.ops, opOf(layout.Columns[i].Type))
		b.gaps = append(b.gaps, i-done)
		done = i + 1
	}
	b.gaps = append(b.gaps, b.columns-done)
	return b
}

// begin makes room for the next batch.
func (b *builder) begin() {
	st := newStorage()
	st.wire, st.fields = st.wire[:0], st.fields[:0]
	for len(st.columns) < len(b.decoded) {
		st.columns = append(st.columns, columnStorage{})
	}
	b.st, b.rows = st, 0
}

// drop gives the memory of an unfinished batch back.
func (b *builder) drop() {
	if b.st != nil {
		b.st.put(nil)
		b.st = nil
	}
}

// add adds one whole row.
func (b *builder) add(row []byte) error {
	st := b.st
	at := len(st.wire)
	st.wire = append(st.wire, row...)
	return b.note(at, 1)
}

// note takes so many rows, the first of which begins at a place in the wire; they are the
// last there. In text format it takes one.
func (b *builder) note(at, rows int) error {
	b.rows += rows
	if len(b.decoded) == 0 || rows == 0 {
		return nil
	}
	if b.text {
		return b.scanText(at)
	}
	end, found, err := b.scan(at, rows)
	if err != nil || found != rows || end != len(b.st.wire) {
		return errCopy
	}
	return nil
}

func (b *builder) full() bool {
	return b.rows >= connectors.BatchRows || len(b.st.wire) >= connectors.BatchBytes
}

// scan steps over binary rows from pos on, most of them at most and none that
// begins where a batch is full, and notes their decoded fields. It returns where it
// stopped, and how many rows it has passed: fewer if the next one is not whole, or
// is the trailer.
func (b *builder) scan(pos, most int) (end, rows int, err error) {
	st := b.st
	wire, stride := st.wire, len(b.decoded)
	gaps, last := b.gaps[:stride], b.gaps[stride]
	noted := len(st.fields)
	fields := slices.Grow(st.fields, stride*most)[:noted+stride*most]
	for rows < most && pos < connectors.BatchBytes && len(wire)-pos >= 2 {
		if n := int(binary.BigEndian.Uint16(wire[pos:])); n != b.columns {
			if n != trailer {
				err = errCopy
			}
			break
		}
		at := pos + 2
		row := fields[noted : noted+stride]
		for j, gap := range gaps {
			at = skip(wire, at, gap)
			next := skip(wire, at, 1)
			if next < 0 || next > len(wire) {
				at = next
				break
			}
			n := int32(binary.BigEndian.Uint32(wire[at:]))
			row[j] = connectors.Field{Off: uint32(at + 4), Len: n}
			at = next
		}
		at = skip(wire, at, last)
		if at < 0 {
			err = errCopy
			break
		}
		if at > len(wire) {
			break
		}
		pos = at
		noted += stride
		rows++
	}
	st.fields = fields[:noted]
	return pos, rows, err
}

// skip steps over fields of a binary row and returns where the next one begins:
// a position beyond wire if they are not whole, and −1 if they are malformed. From
// there it goes no further.
func skip(wire []byte, pos, fields int) int {
	for range fields {
		// In this form the compiler sees that no other check is needed.
		if pos < 0 || pos > len(wire)-4 {
			if pos < 0 {
				return -1
			}
			return len(wire) + 1
		}
		n := int32(binary.BigEndian.Uint32(wire[pos : pos+4]))
		pos += 4
		if n > 0 {
			pos += int(n)
		} else if n < -1 {
			return -1
		}
	}
	return pos
}

// scanText notes the decoded fields of the text row that ends the wire.
func (b *builder) scanText(pos int) error {
	st := b.st
	line := st.wire[pos:]
	if len(line) == 0 || line[len(line)-1] != '\n' {
		return errCopy
	}
	line = line[:len(line)-1]
	next, col := 0, 0
	for next < len(b.decoded) {
		// A tab inside a value is escaped, so each one separates.
		n := bytes.IndexByte(line, '\t')
		if n < 0 {
			n = len(line)
		}
		if col == b.decoded[next] {
			f := connectors.Field{Off: uint32(pos), Len: int32(n)}
			if n == 2 && line[0] == '\\' && line[1] == 'N' {
				f.Len = -1
			}
			st.fields = append(st.fields, f)
			next++
		}
		if n == len(line) {
			if next < len(b.decoded) {
				return errCopy
			}
			break
		}
		line, pos, col = line[n+1:], pos+n+1, col+1
	}
	return nil
}

// finish decodes the columns and hands the batch over.
func (b *builder) finish() (*connectors.Batch, error) {
	st := b.st
	if b.rows > 0 {
		b.perRow = len(st.wire)/b.rows + 1
	}
	st.arrays = st.arrays[:0]
	for j := range b.decoded {
		a, row, err := b.decode(j)
		if err != nil {
			for _, a := range st.arrays {
				a.Release()
			}
			b.drop()
			return nil, fmt.Errorf("column %s, row %d of the batch: %w", word(b.layout.Columns[b.decoded[j]].Name), row, err)
		}
		st.arrays = append(st.arrays, a)
	}
	batch := connectors.NewBatch(b.rows, st.wire, st.fields, st.arrays, st.free)
	b.st = nil
	return batch, nil
}
