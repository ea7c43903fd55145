package mysql

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// appendPackets appends a payload as the packets of a server, of which the first has a number,
// and returns the next one.
func appendPackets(dst []byte, number byte, payload []byte) ([]byte, byte) {
	for {
		n := min(len(payload), longestPacket)
		dst = append(append(dst, byte(n), byte(n>>8), byte(n>>16), number), payload[:n]...)
		number++
		if payload = payload[n:]; n < longestPacket {
			return dst, number
		}
	}
}

// rowOf returns a row as a server sends it: nil is NULL.
func rowOf(values ...[]byte) (row []byte) {
	for _, v := range values {
		switch n := len(v); {
		case v == nil:
			row = append(row, nullValue)
			continue
		case n < 0xfb:
			row = append(row, byte(n))
		case n < 1<<16:
			row = append(row, 0xfc, byte(n), byte(n>>8))
		case n < 1<<24:
			row = append(row, 0xfd, byte(n), byte(n>>8), byte(n>>16))
		default:
			row = binary.LittleEndian.AppendUint64(append(row, 0xfe), uint64(n))
		}
		row = append(row, v...)
	}
	return row
}

// stream is a connection that has something to read.
type stream struct {
	net.Conn
	io.Reader
}

func (s stream) Read(p []byte) (int, error) { return s.Reader.Read(p) }
func (stream) Close() error                 { return nil }

func newStream(from io.Reader) *wire {
	conn := stream{Reader: from}
	return &wire{Conn: conn, carried: conn, turn: &turn{gate: newGate()}, in: make([]byte, wireBuffer), gone: make(chan struct{})}
}

// Small packets come through as they are, whatever pieces they are read in; a wide row leaves
// its large values behind, and packets after it are counted as if it had been short.
func TestWire(t *testing.T) {
	connectortest.NoRaces(t)
	small, medium := bytes.Repeat([]byte("s"), 700), bytes.Repeat([]byte("m"), 70_000)
	large := make([]byte, longestPacket+1000)
	copy(large[longestPacket-3:], "over the end of a packet")
	// The row is a whole packet, and an empty one.
	exact := large[:longestPacket-len(rowOf(small, medium, nil))-4]
	for columns, pieces := range map[int][]int{0: {1 << 17}, 4: {1 << 12, 1 << 17}, -1: {1 << 12}} {
		for _, piece := range pieces {
			in, want := make([]byte, 0, 64<<20), make([]byte, 0, 64<<20)
			number, counted := byte(250), byte(250)
			add := func(payload, seen []byte) {
				in, number = appendPackets(in, number, payload)
				want, counted = appendPackets(want, counted, seen)
			}
			var apart [][][]byte
			row := func(values ...[]byte) {
				payload := rowOf(values...)
				seen := payload
				switch {
				case len(payload) < wideBytes || columns == 0:
				case columns < 0:
					seen = rowOf(nil)
				default:
					left, kept := make([][]byte, 4), make([][]byte, 4)
					for i, v := range values {
						left[i] = v
						if len(v) > apartBytes {
							left[i], kept[i] = []byte{}, v
						}
					}
					seen, apart = rowOf(left...), append(apart, kept)
				}
				add(payload, seen)
			}
			row(small, nil, medium, []byte{})
			row(small, medium, nil, exact)
			row(large, small, []byte{}, medium)
			for range 300 {
				row(small, small, nil, []byte("1"))
			}
			row(nil, nil, nil, large[:wideBytes])
			row(large[:wideBytes], medium, medium, medium)
			add([]byte{0xfe, 0, 0}, []byte{0xfe, 0, 0})

			w := newStream(bytes.NewReader(in))
			w.turn.expect(columns)
			got := make([]byte, 0, len(want))
			p := make([]byte, piece)
			for {
				n, err := w.Read(p)
				got = append(got, p[:n]...)
				if err != nil {
					if !errors.Is(err, io.EOF) {
						t.Fatal(err)
					}
					break
				}
				if !w.turn.held {
					continue
				}
				if len(apart) == 0 {
					t.Fatalf("%d columns: a row too much is wide", columns)
				}
				for i, v := range apart[0] {
					if !bytes.Equal(w.turn.apart[i], v) {
						t.Errorf("%d columns, column %d: %d bytes came apart, want %d", columns, i, len(w.turn.apart[i]), len(v))
					}
				}
				apart = apart[1:]
				w.turn.end()
			}
			if !bytes.Equal(got, want) || len(apart) > 0 {
				t.Errorf("%d columns, %d bytes at once: %d bytes come through, want %d; %d wide rows are missing", columns, piece, len(got), len(want), len(apart))
			}
		}
	}
}

// A wide row that is damaged is an error, and no more than what it says is made room for.
func TestWireDamaged(t *testing.T) {
	connectortest.NoRaces(t)
	row := rowOf([]byte("1"), make([]byte, wideBytes))
	long := binary.LittleEndian.AppendUint64([]byte{1, '1', 0xfe}, 1<<40)
	whole, _ := appendPackets(nil, 0, row)
	for name, in := range map[string][]byte{
		"cut":        whole[:len(whole)/2],
		"too long":   append(bytes.Clone(whole[:4]), append(long, make([]byte, len(row))...)...),
		"no length":  append(bytes.Clone(whole[:4]), append([]byte{1, '1', 0xff}, make([]byte, len(row))...)...),
		"one more":   append(bytes.Clone(whole[:4]), append(rowOf([]byte{}, make([]byte, wideBytes-9)), make([]byte, 1<<10)...)...),
		"one column": append(bytes.Clone(whole[:4]), append([]byte{0xfd, 0, 0, 0x80}, make([]byte, len(row))...)...),
	} {
		w := newStream(bytes.NewReader(in))
		w.turn.expect(2)
		if name == "one column" { // whose length is that of the packet
			w.turn.expect(4)
		}
		_, err := io.Copy(io.Discard, w)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		w.turn.end()
	}
}

// Whatever a wide row says of itself, no more room is made than it has bytes.
func FuzzWire(f *testing.F) {
	f.Add(rowOf([]byte("1"), nil, bytes.Repeat([]byte("m"), 2000)), uint8(4), uint16(0))
	f.Add([]byte{1, '1', 0xfe, 0, 0, 0, 1, 0, 0, 0, 0}, uint8(2), uint16(9))
	f.Add([]byte{0xfd, 0xf7, 0xff, 0x7f}, uint8(1), uint16(0))
	f.Fuzz(func(t *testing.T, head []byte, columns uint8, more uint16) {
		in, _ := appendPackets(nil, 0, append(head[:len(head):len(head)], make([]byte, wideBytes+int(more))...))
		w := newStream(bytes.NewReader(in))
		w.turn.expect(int(columns))
		io.Copy(io.Discard, w)
		if w.turn.bytes > len(in) {
			t.Errorf("room for %d bytes was made, of %d", w.turn.bytes, len(in))
		}
	})
}

// A greeting is read, or is an error; so is what is compressed.
func FuzzGreeting(f *testing.F) {
	f.Add([]byte("\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x0012345678\x00\xff\xf7"))
	f.Add([]byte("\x01\x00\x00\x00\xff"))
	f.Add([]byte("\x05\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		newStream(bytes.NewReader(in)).greeted()
		from := bytes.NewReader(in)
		io.CopyN(io.Discard, &squeezed{Conn: stream{Reader: from}, from: bufio.NewReader(from)}, 1<<20)
	})
}

// wideTable makes a table of n wide rows between short ones.
func wideTable(t *testing.T, s *connectortest.MySQLServer, database string, n int) {
	t.Helper()
	s.Exec(t, database, "CREATE TABLE w (id INT PRIMARY KEY AUTO_INCREMENT, f DOUBLE, a LONGTEXT, b LONGBLOB, c VARCHAR(2000), l LONGTEXT CHARACTER SET latin1)")
	for i := range n {
		s.Exec(t, database, "INSERT INTO w SELECT seq, 0.5, NULL, 'x', '', 'é' FROM (SELECT "+strings.Join(numbers(10*i+1, 9), " AS seq UNION ALL SELECT ")+" AS seq) q",
			fmt.Sprintf(`INSERT INTO w VALUES (%d, 1.5, REPEAT('a\\\\\t''é', %d), REPEAT(x'00ff5c270a09', 20), REPEAT('é', 1000), REPEAT('ü', %d))`, 10*i+10, 1_300_000+i, 600_000+i))
	}
}

func numbers(first, n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprint(first+i))
	}
	return list
}

// content is a digest of the table's rows.
func wideContent(t *testing.T, s *connectortest.MySQLServer, database string) string {
	t.Helper()
	return s.Value(t, database, "SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(CONCAT_WS(',', id, f, SHA2(a, 256), SHA2(b, 256), SHA2(c, 256), SHA2(l, 256))))) FROM w")
}

// Of wide rows one is in flight at a time, whoever reads them: a session, with TLS where the
// server has it, or one that is lent. All of them arrive; a reader that is closed before them
// leaves its session usable.
func TestWideRows(t *testing.T) {
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		const n = 6
		database := s.Database(t)
		wideTable(t, s, database, n)
		held, joined := lent(t, s.DSN(database), 3)
		var sums []string
		for _, view := range []connectors.Snapshot{held, joined} {
			chunks, err := view.Split(t.Context(), catalog.TableID{Name: "w"}, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			layout, err := view.Layout(catalog.TableID{Name: "w"}, []string{"a"})
			if err != nil {
				t.Fatal(err)
			}
			var wide, count, sum atomic.Int64
			var all errgroup.Group
			all.SetLimit(3)
			for _, c := range append(chunks, chunks...) {
				all.Go(func() error {
					first, err := view.Read(t.Context(), c, layout)
					if err != nil {
						return err
					}
					defer first.Close()
					for {
						batch, err := first.Next(t.Context())
						if err != nil {
							if errors.Is(err, io.EOF) {
								return nil
							}
							return err
						}
						count.Add(int64(batch.Rows))
						large := len(batch.Wire) >= wideBytes
						if large && wide.Add(1) > 1 {
							t.Error("two wide rows are in flight")
						}
						digest := sha256.Sum256(batch.Wire)
						sum.Add(int64(binary.LittleEndian.Uint32(digest[:])))
						if large {
							wide.Add(-1)
						}
						batch.Release()
						if large && (batch.Wire != nil || batch.Decoded != nil) {
							t.Error("a batch holds a wide row that it has released")
						}
					}
				})
			}
			if err := all.Wait(); err != nil {
				t.Fatal(err)
			}
			if count.Load() != 2*10*n {
				t.Errorf("%d rows, want %d", count.Load(), 2*10*n)
			}
			sums = append(sums, fmt.Sprint(sum.Load()))
			r, err := view.Read(t.Context(), chunks[0], layout)
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
		}
		if sums[0] != sums[1] {
			t.Error("a view that has joined reads other rows")
		}
		if err := held.Alive(t.Context()); err != nil {
			t.Error(err)
		}
		if left := held.left; left != 3 {
			t.Errorf("%d readers are left", left)
		}
	})
}

// Wide rows of a table whose loads hold a counter to their end arrive, by LOAD DATA and by
// INSERT: nobody waits for a turn that waits for him.
func TestWideLoads(t *testing.T) {
	connectortest.NoRaces(t)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		from := newDatabase(t, s)
		s.CreateDatabase(t, from.name)
		wideTable(t, s, from.name, 4)
		want := wideContent(t, s, from.name)
		for _, c := range []connectors.Connector{Connector{}, inserting{}} {
			to := newDatabase(t, s)
			if err := connectortest.Copy(t, c, connectors.Options{Workers: 2}, from.DSN(), to.DSN()); err != nil {
				t.Fatal(err)
			}
			if got := wideContent(t, s, to.name); got != want {
				t.Errorf("%T: %s, want %s", c, got, want)
			}
		}
	})
}

// given are rows of one table.
type given struct {
	texts
	row  [][]byte
	left int
}

func (g *given) next(into [][]byte) error {
	if g.left == 0 {
		return io.EOF
	}
	g.left--
	copy(into, g.row)
	return nil
}

// The rows of a batch with a wide one are what they would be in others.
func TestEachField(t *testing.T) {
	columns := []catalog.Column{{Name: "n", Type: catalog.Type{Name: "int", Kind: catalog.Int, Bits: 32}}, {Name: "a", Type: catalog.Type{Name: "longtext", Kind: catalog.Text}},
		{Name: "b", Type: catalog.Type{Name: "longblob", Kind: catalog.Bytes}}}
	layout, err := connectors.NewLayout(&catalog.Table{ID: catalog.TableID{Name: "t"}, Kind: catalog.Ordinary, Columns: columns}, rows.Format, []string{"n", "a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	b := &batches{builder: rows.NewBuilder(layout), forms: []form{asInt, asText, asBlob}, turn: &turn{gate: newGate()}, columns: 3}
	large := bytes.Repeat([]byte("large"), 100_000)
	b.rows = &given{row: [][]byte{[]byte("7"), []byte("short"), []byte("short")}, left: 3}
	b.values = make([][]byte, 3)
	for range 3 {
		if err := b.rows.next(b.values); err != nil {
			t.Fatal(err)
		}
		for i, v := range b.values {
			if err := b.add(i, v); err != nil {
				t.Fatal(err)
			}
		}
		b.builder.EndRow()
	}
	if err := b.turn.enter(nil); err != nil {
		t.Fatal(err)
	}
	b.values = [][]byte{nil, large, large}
	if err := b.wide(); err != nil {
		t.Fatal(err)
	}
	batch, err := b.builder.Batch(nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := rows.NewEncoder(layout).Encode(batch)
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	if err := rows.NewEncoder(layout).Each(batch, func(_ int, v rows.Value) error {
		got = append(got, v.Tag.String()...)
		got = append(got, fmt.Sprint(v.Int(), len(v.Bytes))...)
		got = append(got, v.Bytes...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var parsed []byte
	for off := 0; off < len(want); {
		v, end, err := rows.Parse(want, off)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, v.Tag.String()...)
		parsed = append(parsed, fmt.Sprint(v.Int(), len(v.Bytes))...)
		parsed = append(parsed, v.Bytes...)
		off = end
	}
	if !bytes.Equal(got, parsed) {
		t.Error("the fields are not those of the encoded rows")
	}
	batch.Release()
	if len(b.turn.gate) != 0 {
		t.Error("the turn is held by a batch that is released")
	}
}

// Where a compressed packet ends, a row may go on in the next one.
func TestSqueezedRow(t *testing.T) {
	connectortest.NoRaces(t)
	row := rowOf(bytes.Repeat([]byte("a long text "), 100_000), []byte("2"))
	packets, _ := appendPackets(nil, 0, row)
	var in []byte
	for number := byte(0); len(packets) > 0; number++ {
		n := min(len(packets), 64<<10)
		var zip bytes.Buffer
		z := zlib.NewWriter(&zip)
		z.Write(packets[:n])
		z.Close()
		k := zip.Len()
		in = append(append(in, byte(k), byte(k>>8), byte(k>>16), number, byte(n), byte(n>>8), byte(n>>16)), zip.Bytes()...)
		packets = packets[n:]
	}
	from := bytes.NewReader(in)
	w := &squeezed{Conn: stream{Reader: from}, from: bufio.NewReader(from)}
	var got []byte
	for p := make([]byte, wireBuffer); len(got) < 4+len(row); {
		n, err := w.Read(p)
		if got = append(got, p[:n]...); err != nil {
			t.Fatalf("%v after %d bytes of %d", err, len(got), 4+len(row))
		}
	}
	if !bytes.Equal(got[4:], row) {
		t.Error("the row is another")
	}
}

// Rows of several packets arrive byte for byte from a server that compresses, by TLS where it offers that, or in clear.
func TestWideRowsSqueezed(t *testing.T) {
	connectortest.NoRaces(t)
	eachServer(t, func(t *testing.T, s *connectortest.MySQLServer) {
		source := s.Database(t)
		// The first values shrink, the second ones do not; the last row fills a packet to the byte.
		random := make([]byte, 8<<20)
		rand.NewChaCha8([32]byte{1}).Read(random)
		s.Exec(t, source, "CREATE TABLE w (id int PRIMARY KEY, v longblob, w longblob)",
			fmt.Sprintf("INSERT INTO w VALUES (1, REPEAT('wide ', 2000000), x'%x'), (2, NULL, '')", random),
			"INSERT INTO w SELECT 3, v, w FROM w WHERE id = 1",
			"INSERT INTO w VALUES (4, '', ''), (5, REPEAT('x', 16777215 - 2 - 4 - 1), '')")
		const sums = "SELECT GROUP_CONCAT(CONCAT(id, COALESCE(SHA2(v, 256), ''), SHA2(w, 256)) ORDER BY id) FROM w"
		want := s.Value(t, source, sums)
		for _, mode := range []string{"disabled", "preferred"} {
			from, err := url.Parse(s.DSN(source))
			if err != nil {
				t.Fatal(err)
			}
			from.RawQuery = "compress=true&ssl-mode=" + mode
			name := s.Name(t)
			if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from.String(), s.DSN(name)); err != nil {
				t.Fatalf("%s: %v", mode, err)
			}
			if got := s.Value(t, name, sums); got != want {
				t.Errorf("ssl-mode %s: the rows differ", mode)
			}
		}
	})
}
