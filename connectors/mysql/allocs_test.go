package mysql

import (
	"context"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// circle is a connection on which the same comes again and again.
type circle struct {
	of []byte
	at int
}

func (c *circle) Read(p []byte) (int, error) {
	n := copy(p, c.of[c.at:])
	c.at = (c.at + n) % len(c.of)
	return n, nil
}

// dropped takes lines and forgets them.
type dropped struct{ n int }

func (d *dropped) write(_ context.Context, lines []byte) error {
	d.n += len(lines)
	return nil
}
func (*dropped) end(context.Context) (outcome, error) { return outcome{}, nil }
func (*dropped) abort()                               {}

// The path allocates per batch and never per row: from the server's packets to a batch, and
// from a batch to what LOAD DATA reads.
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
	row := rowOf([]byte("7000001"), []byte("a name of usual length"), []byte("somebody@shop.example"), []byte("19.99"),
		[]byte("2024-01-02 03:04:05"), []byte("2"), []byte("\x00\t\n\\"), []byte("0.25"))
	var packets []byte
	for n := range 256 { // which is where numbers begin anew
		packets, _ = appendPackets(packets, byte(n), row)
	}
	layout, err := connectors.NewLayout(&catalog.Table{ID: catalog.TableID{Name: "t"}, Kind: catalog.Ordinary, Columns: columns}, rows.Format, []string{"email", "at"})
	if err != nil {
		t.Fatal(err)
	}
	w := newStream(&circle{of: packets})
	w.turn.expect(len(columns))
	b := &batches{rows: &answer{wire: w, ctx: t.Context()}, turn: w.turn, forms: []form{asText, asText, asText, asText, asText, asInt, asBlob, asFloat},
		builder: rows.NewBuilder(layout), values: make([][]byte, len(columns)), columns: len(columns)}
	l := &loader{layout: layout, encoder: rows.NewEncoder(layout), columns: loadColumns(layout, "utf8mb4_bin"), out: &dropped{}}
	batch := func() {
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
