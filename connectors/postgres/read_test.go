package postgres

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// messages returns CopyData messages of rows of one text each, of so many bytes.
func messages(sizes ...int) (b []byte) {
	for _, n := range sizes {
		b = binary.BigEndian.AppendUint32(append(b, 'd'), uint32(4+2+4+n))
		b = binary.BigEndian.AppendUint32(append(b, 0, 1), uint32(n))
		b = append(b, make([]byte, n)...)
	}
	return b
}

// Of what has come, the rows that stand there whole are taken, and nothing behind them.
func TestWaitingRows(t *testing.T) {
	const head = 5 + 2 + 4 // of a message, and of its only field
	trailer := []byte{'d', 0, 0, 0, 6, 0xff, 0xff}
	done := []byte{'c', 0, 0, 0, 4}
	many := slices.Repeat([]int{3}, connectors.BatchRows+7)
	large := slices.Repeat([]int{connectors.BatchBytes / 4}, 6)
	for name, c := range map[string]struct {
		in   []byte
		rows int
		left int // bytes
	}{
		"nothing":                    {nil, 0, 0},
		"one, to the buffer's end":   {messages(3), 1, 0},
		"one without a value":        {messages(0), 1, 0},
		"a byte is missing":          {messages(3, 9)[:2*head+3+8], 1, head + 8},
		"of the next the kind alone": {append(messages(3), 'd'), 1, 1},
		"of the next the length":     {append(messages(3), messages(3)[:5]...), 1, 5},
		"the trailer":                {append(messages(3, 4), trailer...), 2, len(trailer)},
		"the end":                    {append(messages(3, 4), done...), 2, len(done)},
		"more than a batch":          {messages(many...), connectors.BatchRows, 7 * (head + 3)},
		"more bytes than a batch":    {messages(large...), 4, 2 * (head + connectors.BatchBytes/4)},
		"no sensible length":         {append(messages(3), 'd', 0xff, 0xff, 0xff, 0xff, 0, 0), 1, 7},
		"no length at all":           {append(messages(3), 'd', 0, 0, 0, 0, 0, 0), 1, 7},
	} {
		for _, decoded := range [][]int{nil, {0}} {
			layout := &connectors.Layout{Table: &catalog.Table{}, Columns: []catalog.Column{{Name: "v", Type: catalog.Type{Kind: catalog.Text}}}, Format: Binary, Decoded: decoded}
			b := &batches{session: &session{in: c.in, w: len(c.in)}, builder: newBuilder(layout), began: true}
			b.builder.begin()
			if err := b.waiting(); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if left := b.session.w - b.session.r; b.builder.rows != c.rows || left != c.left || len(b.builder.st.fields) != c.rows*len(decoded) {
				t.Errorf("%s: %d rows, %d bytes left, %d fields; want %d and %d", name, b.builder.rows, left, len(b.builder.st.fields), c.rows, c.left)
			}
			if again := b.builder.rows; b.waiting() != nil || b.builder.rows != again {
				t.Errorf("%s: asked again it has %d rows", name, b.builder.rows)
			}
		}
	}
}

// Rows that have another form than their messages say are no rows, also among others.
func TestWaitingRowsMalformed(t *testing.T) {
	good := messages(3)
	for name, change := range map[string]func([]byte){
		"a field beyond its row":   func(b []byte) { b[10]++ },
		"a field short of its row": func(b []byte) { b[10]-- },
		"another number of fields": func(b []byte) { b[6] = 2 },
		"a length below NULL":      func(b []byte) { b[7], b[8], b[9], b[10] = 0xff, 0xff, 0xff, 0xfe },
		"the trailer, and more":    func(b []byte) { b[5], b[6] = 0xff, 0xff },
	} {
		bad := slices.Clone(good)
		change(bad)
		for place, in := range map[string][]byte{"first": slices.Concat(bad, good), "last": slices.Concat(good, bad)} {
			layout := &connectors.Layout{Table: &catalog.Table{}, Columns: []catalog.Column{{Name: "v", Type: catalog.Type{Kind: catalog.Text}}}, Format: Binary, Decoded: []int{0}}
			b := &batches{session: &session{in: in, w: len(in)}, builder: newBuilder(layout), began: true}
			b.builder.begin()
			if err := b.waiting(); err == nil {
				t.Errorf("%s, %s: taken", name, place)
			}
		}
	}
}
