package mysql

import (
	"context"
	"database/sql/driver"
	"io"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// lent is what the driver gives: rows of one table, in values that it allocated before.
type lent struct {
	row  []driver.Value
	left int
}

func (l *lent) Columns() []string { return make([]string, len(l.row)) }
func (l *lent) Close() error      { return nil }

func (l *lent) Next(into []driver.Value) error {
	if l.left == 0 {
		return io.EOF
	}
	l.left--
	copy(into, l.row)
	return nil
}

// dropped takes lines and forgets them.
type dropped struct{ n int }

func (d *dropped) write(_ context.Context, lines []byte) error {
	d.n += len(lines)
	return nil
}
func (*dropped) end(context.Context) (outcome, error) { return outcome{}, nil }
func (*dropped) abort()                               {}

// Our part of the path allocates per batch and never per row: from the driver's values to
// a batch, and from a batch to what LOAD DATA reads.
func TestNoAllocationPerRow(t *testing.T) {
	columns := []catalog.Column{
		{Name: "id", Type: catalog.Type{Name: "bigint", Kind: catalog.Int, Bits: 64}},
		{Name: "name", Type: catalog.Type{Name: "varchar(60)", Kind: catalog.Text}, Collation: "utf8mb4_bin"},
		{Name: "email", Type: catalog.Type{Name: "varchar(60)", Kind: catalog.Text}, Collation: "utf8mb4_bin"},
		{Name: "price", Type: catalog.Type{Name: "decimal(10,2)", Kind: catalog.Numeric}},
		{Name: "at", Type: catalog.Type{Name: "datetime", Kind: catalog.Timestamp}},
		{Name: "state", Type: catalog.Type{Name: "enum('a','b')", Kind: catalog.Text, Labels: []string{"a", "b"}}},
		{Name: "raw", Type: catalog.Type{Name: "blob", Kind: catalog.Bytes}},
		{Name: "ratio", Type: catalog.Type{Name: "double", Kind: catalog.Float, Bits: 64}},
	}
	row := []driver.Value{int64(7_000_001), []byte("a name of usual length"), []byte("somebody@shop.example"), []byte("19.99"),
		[]byte("2024-01-02 03:04:05"), int64(2), []byte("\x00\t\n\\"), 0.25}
	layout, err := connectors.NewLayout(&catalog.Table{ID: catalog.TableID{Name: "t"}, Kind: catalog.Ordinary, Columns: columns}, rows.Format, []string{"email", "at"})
	if err != nil {
		t.Fatal(err)
	}
	blobs := make([]bool, len(columns))
	blobs[6] = true
	source := &lent{row: row}
	b := &batches{rows: source, blobs: blobs, builder: rows.NewBuilder(layout), values: make([]driver.Value, len(row)), columns: len(row)}
	l := &loader{layout: layout, encoder: rows.NewEncoder(layout), columns: loadColumns(layout), out: &dropped{}}
	batch := func() {
		source.left = connectors.BatchRows + 1 // it is not at its end
		if err := b.fill(t.Context()); err != nil {
			t.Fatal(err)
		}
		made, err := b.builder.Batch(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Write(t.Context(), made); err != nil {
			t.Fatal(err)
		}
		made.Release()
	}
	for range 4 { // buffers reach their size
		batch()
	}
	// Pools forget, and the arrays of two decoded columns are new each time.
	if n := testing.AllocsPerRun(50, batch); n > 60 {
		t.Errorf("%.0f allocations for %d rows", n, connectors.BatchRows)
	}
}
