// Package benchmarks measures what users wait for: the hot path in memory, and
// whole runs against real servers. Every figure that is judged is a count of
// allocations or a ratio to a reference measured in the same process and run,
// since absolute times depend on the machine's mood.
package benchmarks

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Columns is the number of columns of the data set.
const Columns = 15

// DDL creates the table of the data set in PostgreSQL.
const DDL = `CREATE TABLE bench (
	id bigint NOT NULL, customer_id integer NOT NULL, email text, first_name text, last_name text,
	phone text, street text, city text, postcode text, country text,
	created_at timestamptz NOT NULL, born_on date, token uuid, status text, note text)`

// Table is the table of the data set as a catalog has it.
func Table() *catalog.Table {
	text := catalog.Type{Name: "text", Kind: catalog.Text, OID: 25}
	return &catalog.Table{
		ID:   catalog.TableID{Schema: "public", Name: "bench"},
		Kind: catalog.Ordinary,
		Columns: []catalog.Column{
			{Name: "id", NotNull: true, Type: catalog.Type{Name: "bigint", Kind: catalog.Int, Bits: 64, OID: 20}},
			{Name: "customer_id", NotNull: true, Type: catalog.Type{Name: "integer", Kind: catalog.Int, Bits: 32, OID: 23}},
			{Name: "email", Type: text}, {Name: "first_name", Type: text}, {Name: "last_name", Type: text},
			{Name: "phone", Type: text}, {Name: "street", Type: text}, {Name: "city", Type: text},
			{Name: "postcode", Type: text}, {Name: "country", Type: text},
			{Name: "created_at", NotNull: true, Type: catalog.Type{Name: "timestamp with time zone", Kind: catalog.TimestampTZ, OID: 1184}},
			{Name: "born_on", Type: catalog.Type{Name: "date", Kind: catalog.Date, OID: 1082}},
			{Name: "token", Type: catalog.Type{Name: "uuid", Kind: catalog.UUID, OID: 2950}},
			{Name: "status", Type: text}, {Name: "note", Type: text},
		},
	}
}

var (
	given   = strings.Fields("Ada Grace Alan Barbara Edsger Frances Donald Radia Ken Shafi Niklaus Lynn")
	family  = strings.Fields("Lovelace Hopper Turing Liskov Dijkstra Allen Knuth Perlman Thompson Goldwasser Wirth Conway")
	streets = strings.Fields("Harbour Station Church Mill Victoria Garden Bridge Market Castle Orchard")
	cities  = strings.Fields("Lisbon Utrecht Gdansk Tampere Bergen Leipzig Toulouse Bologna Aarhus Graz")
	states  = strings.Fields("new paid packed shipped delivered returned")
	words   = strings.Fields("please leave the parcel with a neighbour if nobody answers the bell and call before noon thank you very much")
)

// RowBytes is the size that rows are filled up to, as binary COPY tuples.
const RowBytes = 323

// Rows returns n rows as binary COPY tuples, one after the other, without header
// and trailer, and where each begins and the last ends. The same n gives the same rows.
func Rows(n int) (wire []byte, offsets []int) {
	r := rand.New(rand.NewPCG(1, 2))
	wire = make([]byte, 0, n*(RowBytes+16))
	offsets = make([]int, 0, n+1)
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	for i := range n {
		start := len(wire)
		offsets = append(offsets, start)
		wire = binary.BigEndian.AppendUint16(wire, Columns)
		text := func(s string) {
			wire = binary.BigEndian.AppendUint32(wire, uint32(len(s)))
			wire = append(wire, s...)
		}
		first, last := pick(given), pick(family)
		wire = binary.BigEndian.AppendUint32(wire, 8)
		wire = binary.BigEndian.AppendUint64(wire, uint64(i+1))
		wire = binary.BigEndian.AppendUint32(wire, 4)
		wire = binary.BigEndian.AppendUint32(wire, uint32(1+r.IntN(n)))
		text(fmt.Sprintf("%s.%s%d@mail.example", strings.ToLower(first), strings.ToLower(last), i))
		text(first)
		text(last)
		text(fmt.Sprintf("+49 30 %07d", r.IntN(1e7)))
		text(fmt.Sprintf("%s Street %d", pick(streets), 1+r.IntN(200)))
		text(pick(cities))
		text(fmt.Sprintf("%05d", r.IntN(1e5)))
		text("DE")
		wire = binary.BigEndian.AppendUint32(wire, 8)
		wire = binary.BigEndian.AppendUint64(wire, uint64(800_000_000_000_000+int64(i)*61_000_000))
		wire = binary.BigEndian.AppendUint32(wire, 4)
		wire = binary.BigEndian.AppendUint32(wire, uint32(-10_000+r.IntN(15_000)))
		wire = binary.BigEndian.AppendUint32(wire, 16)
		wire = binary.BigEndian.AppendUint64(wire, r.Uint64()&^(0xf<<12)|4<<12)
		wire = binary.BigEndian.AppendUint64(wire, r.Uint64()&^(3<<62)|2<<62)
		text(pick(states))
		// The note fills the row up to its size.
		var note strings.Builder
		for room := RowBytes - (len(wire) - start) - 4; note.Len() < room; {
			w := pick(words)
			note.WriteString(w[:min(len(w), room-note.Len())])
			if note.Len() < room {
				note.WriteByte(' ')
			}
		}
		text(note.String())
	}
	return wire, append(offsets, len(wire))
}
