package memory

import (
	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/internal/rows"
)

// keyOf appends the fields of a row at the given positions to dst, and reports
// whether one of them is NULL. Two rows with equal bytes have equal keys.
func keyOf(dst, row []byte, positions []int) (key []byte, null bool) {
	for _, p := range positions {
		off := 0
		for range p {
			_, off, _ = rows.Parse(row, off)
		}
		v, end, err := rows.Parse(row, off)
		if err != nil {
			panic("memory: a stored row that is none")
		}
		null = null || v.Tag == rows.Null
		dst = append(dst, row[off:end]...)
	}
	return dst, null
}

// stored returns the positions of columns, or false if one is computed: such a
// key follows from other columns and has no bytes to compare.
func stored(t *catalog.Table, columns []string) ([]int, bool) {
	var at []int
	for _, c := range columns {
		p := position(t, c)
		if p < 0 {
			return nil, false
		}
		at = append(at, p)
	}
	return at, true
}

// duplicates counts the rows whose key an earlier row has.
func (d *Database) duplicates(id catalog.TableID, k catalog.Key) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tables[id]
	at, ok := stored(t.def, k.Columns)
	if !ok {
		return 0
	}
	seen, n := make(map[string]bool, len(t.rows)), 0
	var key []byte
	for _, r := range t.rows {
		var null bool
		key, null = keyOf(key[:0], r, at)
		if null && !k.NullsEqual {
			continue
		}
		if seen[string(key)] {
			n++
		}
		seen[string(key)] = true
	}
	return n
}

// orphans counts the rows whose foreign key is not NULL and points to no row.
func (d *Database) orphans(id catalog.TableID, k catalog.ForeignKey) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, to := d.tables[id], d.tables[k.References]
	if to == nil {
		return len(t.rows)
	}
	var targets []string
	for _, p := range k.Pairs {
		targets = append(targets, p.References)
	}
	from, okFrom := stored(t.def, k.Columns())
	at, okAt := stored(to.def, targets)
	if !okFrom || !okAt {
		return 0
	}
	have := make(map[string]bool, len(to.rows))
	var key []byte
	for _, r := range to.rows {
		key, _ = keyOf(key[:0], r, at)
		have[string(key)] = true
	}
	n := 0
	for _, r := range t.rows {
		var null bool
		key, null = keyOf(key[:0], r, from)
		if !null && !have[string(key)] {
			n++
		}
	}
	return n
}

// past returns a sequence moved past the values of the columns that it fills.
func (d *Database) past(s connectors.Sequence) connectors.Sequence {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range s.Fills {
		t := d.tables[c.Table]
		if t == nil {
			continue
		}
		p := position(t.def, c.Column)
		if p < 0 {
			continue
		}
		for _, r := range t.rows {
			field, _ := keyOf(nil, r, []int{p})
			v, _, _ := rows.Parse(field, 0)
			if v.Tag != rows.Int {
				continue
			}
			if n := v.Int(); s.Increment < 0 && n <= s.Last || s.Increment >= 0 && n >= s.Last {
				s.Last, s.Called = n, true
			}
		}
	}
	return s
}
