package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// A table is divided at values of a key: its primary one, which is how InnoDB stores it,
// or else a unique one without NULLs. Bounds are values that exist, and the server
// compares them, by the key's own collation. Where they lie is found by halving a range
// and asking the optimiser how many rows each half has, which it answers from a few
// pages of the index ("index dives"); small ranges, and keys that cannot be halved, are
// walked along the index instead.

const (
	// defaultChunkBytes is the size of a chunk if the caller names none.
	defaultChunkBytes = 16 << 20
	// sampleRows is how many rows are measured to know a table's width.
	sampleRows = 200
	// walked is up to how many chunks a range is walked rather than halved: that reads it.
	walked = 8
	// stalls is how often halving may fail to make the larger half smaller by a tenth.
	stalls = 6
)

// keyRange is how a table is divided: a chunk's Lo and Hi count its bounds, from 1. The
// first chunk has no lower bound and the last no upper one.
type keyRange struct {
	index  string // the key's name; "" if the table is read as a whole
	parts  []keyColumn
	bounds []keyValue
	target int64
}

// keyColumn is a column of the key.
type keyColumn struct {
	name  string
	facts columnFacts
	how   keyKind
}

// keyValue is a value of the key, or of its first columns: as the server prints it.
type keyValue []string

// keyKind is how a key's column is printed, written and halved.
type keyKind byte

const (
	keyNumber keyKind = iota + 1 // a whole number
	keyDecimal
	keyTime   // a date, with or without a time
	keyText   // printed in hexadecimal, compared under its collation
	keyBytes  // printed in hexadecimal
	keyOpaque // text that only the server orders: a uuid, an address
)

func keyKindOf(facts columnFacts) keyKind {
	switch facts.dataType {
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint":
		return keyNumber
	case "decimal", "numeric":
		return keyDecimal
	case "date", "datetime", "timestamp":
		return keyTime
	case "char", "varchar":
		return keyText
	case "binary", "varbinary":
		return keyBytes
	case "uuid", "inet6", "inet4":
		return keyOpaque
	}
	return 0 // an enum is ordered by its numbers, a float is not what it prints, …
}

// printed returns the expression by which a value of the key is read.
func (p keyColumn) printed() string {
	switch p.how {
	case keyText, keyBytes:
		return "HEX(" + ident(p.name) + ")"
	}
	return "CONCAT(" + ident(p.name) + ")"
}

// written returns a value as SQL that is compared as the column is.
func (p keyColumn) written(v string) string {
	switch p.how {
	case keyNumber, keyDecimal:
		return v
	case keyText:
		return "_" + p.facts.charset + " X'" + v + "' COLLATE " + p.facts.collation
	case keyBytes:
		return "X'" + v + "'"
	}
	return "'" + v + "'"
}

// Split divides a table at every so many bytes. Its chunks' ids count them: a key's
// value would be a cell's.
func (s *snapshot) Split(ctx context.Context, id catalog.TableID, targetBytes int64) ([]connectors.Chunk, error) {
	op := "split " + id.String()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	t, err := s.table(op, id)
	if err != nil {
		return nil, err
	}
	if targetBytes <= 0 {
		targetBytes = defaultChunkBytes
	}
	s.splitting.Lock()
	defer s.splitting.Unlock()
	var width int64
	r := s.split[id]
	// What is asked of the table behind the savepoint leaves no lock on its definition.
	err = s.main.unlocked(ctx, func() (err error) {
		var found bool
		if width, found, err = s.width(ctx, t); err != nil || !found || r != nil && r.target == targetBytes {
			return err
		}
		r = &keyRange{target: targetBytes}
		if !s.schema.tables[id.Name].transactional() {
			return nil // what a loader has written there stays, whatever becomes of it: see loader.clear
		}
		return s.divide(ctx, t, r, max(1, targetBytes/width))
	})
	if err != nil || r == nil {
		return nil, err
	}
	s.split[id] = r
	name := strconv.Quote(id.Name)
	if len(r.bounds) == 0 {
		return []connectors.Chunk{{ID: name + " all rows", Table: id, Last: true, Rows: t.Rows, Bytes: max(t.Rows, 1) * width}}, nil
	}
	n := len(r.bounds) + 1
	each := max(1, t.Rows/int64(n))
	chunks := make([]connectors.Chunk, n)
	for i := range chunks {
		chunks[i] = connectors.Chunk{ID: fmt.Sprintf("%s range %d of %d of %s", name, i+1, n, r.index), Table: id, Index: i,
			Lo: uint64(i), Hi: uint64(i + 1), Last: i == n-1, Rows: each, Bytes: each * width}
	}
	return chunks, nil
}

// rangeSQL returns the condition of a chunk, and the index to read it by.
func (s *snapshot) rangeSQL(op string, c connectors.Chunk) (where, index string, err error) {
	if c.Lo == 0 && c.Last {
		return "", "", nil
	}
	s.splitting.Lock()
	r := s.split[c.Table]
	s.splitting.Unlock()
	if r == nil || int(c.Lo) > len(r.bounds) || !c.Last && (c.Hi <= c.Lo || int(c.Hi) > len(r.bounds)) {
		return "", "", &connectors.Error{Side: connectors.SourceSide, Op: op, Err: errors.New("the chunk is of another snapshot, or of another division of the table")}
	}
	var lower, upper keyValue
	if c.Lo > 0 {
		lower = r.bounds[c.Lo-1]
	}
	if !c.Last {
		upper = r.bounds[c.Hi-1]
	}
	return r.between(lower, upper), r.index, nil
}

// between returns the condition of a range, from lower, which is in it, up to upper, which
// is not; nil is no bound.
func (r *keyRange) between(lower, upper keyValue) string {
	var parts []string
	if lower != nil {
		parts = append(parts, r.compare(lower, ">", true))
	}
	if upper != nil {
		parts = append(parts, r.compare(upper, "<", false))
	}
	return strings.Join(parts, " AND ")
}

// compare returns the condition that the key is greater (or less) than a value of its
// first columns, or equal to it. It is written out, since a comparison of rows is not
// read from an index (MySQL's manual, "Range Optimization of Row Constructor
// Expressions").
func (r *keyRange) compare(v keyValue, operator string, equal bool) string {
	at := func(i int, op string) string {
		return ident(r.parts[i].name) + " " + op + " " + r.parts[i].written(v[i])
	}
	last := len(v) - 1
	op := operator
	if equal {
		op += "="
	}
	condition := at(last, op)
	for i := last - 1; i >= 0; i-- {
		// The first half says nothing new, but is what a range of the index is made of.
		condition = "(" + at(i, operator+"=") + " AND (" + at(i, operator) + " OR (" + at(i, "=") + " AND " + condition + ")))"
	}
	return condition
}

// width returns about how many bytes a row takes, and whether there is a row.
func (s *snapshot) width(ctx context.Context, t *catalog.Table) (width int64, found bool, err error) {
	var lengths []string
	for _, c := range t.Columns {
		if !c.Generation.Computed() {
			lengths = append(lengths, "LENGTH("+ident(c.Name)+")")
		}
	}
	if len(lengths) == 0 {
		lengths = []string{"1"}
	}
	var n, size int64
	err = s.main.query(ctx, fmt.Sprintf("SELECT %s FROM %s LIMIT %d", strings.Join(lengths, ", "), table(s.source.database, t.ID), sampleRows), func(r row) error {
		n++
		for i := range r {
			size += r.number(i) + 2
		}
		return nil
	})
	return max(1, size/max(1, n)), n > 0, err
}

// divide finds the bounds of a table's ranges.
func (s *snapshot) divide(ctx context.Context, t *catalog.Table, r *keyRange, rows int64) error {
	if err := s.chooseKey(ctx, t, r); err != nil || r.index == "" {
		return err
	}
	d := &divider{snapshot: s, keyRange: r, from: table(s.source.database, t.ID), rows: rows}
	first, err := d.key(ctx, "", "ASC", len(r.parts), 0)
	if err != nil || first == nil {
		return err
	}
	last, err := d.key(ctx, "", "DESC", len(r.parts), 0)
	if err != nil || last == nil {
		return err
	}
	// What the server counts of a table may be old: the dives say more.
	n, err := d.estimate(ctx, nil, nil)
	if err != nil {
		return err
	}
	if n = max(n, t.Rows); n <= walked*rows {
		return d.walk(ctx, nil, nil)
	}
	return d.halve(ctx, first, last, nil, n, 0)
}

// chooseKey finds the key, and how many of its first columns can bound a range.
func (s *snapshot) chooseKey(ctx context.Context, t *catalog.Table, r *keyRange) error {
	type index struct {
		name  string
		parts []keyColumn
		ended bool // a column came that cannot bound a range
		bad   bool
		way   string
	}
	var all []*index
	err := s.main.table(ctx, "SHOW INDEX FROM "+table(s.source.database, t.ID)+" WHERE Non_unique = 0", func(columns []string, v row) error {
		name := v.text(2)
		if len(all) == 0 || all[len(all)-1].name != name {
			all = append(all, &index{name: name, way: v.text(5)})
		}
		x := all[len(all)-1]
		for i, c := range columns {
			// What the optimiser is told not to use cannot be asked for.
			x.bad = x.bad || c == "Visible" && v.text(i) == "NO" || c == "Ignored" && v.text(i) == "YES"
		}
		col := t.Column(v.text(4))
		// A prefix, an expression, a NULL: not every row has its place by it.
		if col == nil || !v.null(7) || !col.NotNull {
			x.bad = true
			return nil
		}
		facts := s.schema.column(t.ID.Name, col.Name)
		how := keyKindOf(facts)
		if how == 0 || v.text(5) != x.way { // two directions: no order of the index
			x.ended = true
		}
		if !x.ended {
			x.parts = append(x.parts, keyColumn{name: col.Name, facts: facts, how: how})
		}
		return nil
	})
	if err != nil {
		return err
	}
	// The primary key stands first.
	for _, x := range all {
		if !x.bad && len(x.parts) > 0 {
			r.index, r.parts = x.name, x.parts
			return nil
		}
	}
	return nil
}

// divider looks for bounds.
type divider struct {
	*snapshot
	*keyRange
	from string // the table, quoted
	rows int64  // of a chunk
}

// key returns the first columns of the key of one row in an order of the key: the one
// behind so many others that fulfil a condition. It is nil if there is none.
func (d *divider) key(ctx context.Context, where, way string, columns int, skip int64) (v keyValue, err error) {
	var list, order []string
	for _, p := range d.parts[:columns] {
		list, order = append(list, p.printed()), append(order, ident(p.name)+" "+way)
	}
	if where != "" {
		where = " WHERE " + where
	}
	sql := fmt.Sprintf("SELECT %s FROM %s FORCE INDEX (%s)%s ORDER BY %s LIMIT %d, 1", strings.Join(list, ", "), d.from, ident(d.index), where, strings.Join(order, ", "), skip)
	err = d.main.query(ctx, sql, func(r row) error {
		v = make(keyValue, columns)
		for i := range v {
			v[i] = r.text(i)
		}
		return nil
	})
	return v, err
}

// estimate returns about how many rows a range has. With FORCE INDEX MySQL would not look
// (its manual, "Equality Range Optimization of Many-Valued Comparisons", on skipped dives).
func (d *divider) estimate(ctx context.Context, lower, upper keyValue) (n int64, err error) {
	where := d.between(lower, upper)
	if where != "" {
		where = " WHERE " + where
	}
	explain := "EXPLAIN FORMAT = TRADITIONAL"
	if d.main.server.mariadb {
		explain = "EXPLAIN" // which knows no other but JSON
	}
	err = d.main.table(ctx, explain+" SELECT "+ident(d.parts[0].name)+" FROM "+d.from+" USE INDEX ("+ident(d.index)+")"+where, func(columns []string, r row) error {
		column := slices.Index(columns, "rows")
		if column < 0 {
			return &connectors.Error{Side: connectors.SourceSide, Op: "estimate the rows of " + d.from, Err: errors.New("the server's EXPLAIN tells no number of rows")}
		}
		n += r.number(column)
		return nil
	})
	return n, err
}

// walk steps along the index from lower up to upper, and adds a bound at every so many rows.
func (d *divider) walk(ctx context.Context, lower, upper keyValue) error {
	for {
		next, err := d.key(ctx, d.between(lower, upper), "ASC", len(d.parts), d.rows)
		if err != nil || next == nil {
			return err
		}
		// Rows that agree in all columns of the bound stand behind it together.
		if lower != nil && slices.Equal(next, lower) {
			if next, err = d.key(ctx, d.after(lower, upper), "ASC", len(d.parts), 0); err != nil || next == nil {
				return err
			}
		}
		d.bounds = append(d.bounds, next)
		lower = next
	}
}

// after returns the condition of what comes behind a value, up to upper.
func (d *divider) after(lower, upper keyValue) string {
	condition := d.compare(lower, ">", false)
	if upper != nil {
		condition += " AND " + d.compare(upper, "<", false)
	}
	return condition
}

// halve divides a range from first, its least key, to last, its greatest, and up to upper,
// which is not in it; nil is the end of the table. It adds the bounds inside it, in order.
func (d *divider) halve(ctx context.Context, first, last, upper keyValue, n int64, stalled int) error {
	if n <= d.rows+d.rows/2 {
		return nil
	}
	middle := d.middle(first, last)
	if middle == nil || stalled >= stalls {
		return d.walk(ctx, first, upper)
	}
	// The first key behind the middle bounds the halves, whatever the server thinks of it.
	where := d.compare(middle, ">", true) + " AND " + d.after(first, upper)
	bound, err := d.key(ctx, where, "ASC", len(d.parts), 0)
	if err != nil {
		return err
	}
	if bound == nil {
		return d.walk(ctx, first, upper)
	}
	before, err := d.key(ctx, d.between(first, bound), "DESC", len(d.parts), 0)
	if err != nil {
		return err
	}
	if before == nil {
		return d.walk(ctx, first, upper)
	}
	left, err := d.estimate(ctx, first, bound)
	if err != nil {
		return err
	}
	right, err := d.estimate(ctx, bound, upper)
	if err != nil {
		return err
	}
	// An estimate of a large range stops at half of the table, but that of one as small as a
	// chunk is good, and is asked for until there are no others.
	if left+right == 0 {
		return d.walk(ctx, first, upper)
	}
	next := func(part int64) int {
		if part > n-n/10 {
			return stalled + 1
		}
		return 0
	}
	// A small half is not worth a chunk: it stays with its neighbour.
	small := d.rows / 4
	if left > small {
		if err := d.halve(ctx, first, before, bound, left, next(left)); err != nil {
			return err
		}
	}
	if left > small && right > small {
		d.bounds = append(d.bounds, bound)
	}
	if right > small {
		return d.halve(ctx, bound, last, upper, right, next(right))
	}
	return nil
}

// middle returns a value between two keys, of their first columns, or nil where they do
// not differ in a way that can be halved.
func (d *divider) middle(first, last keyValue) keyValue {
	for i, p := range d.parts {
		if first[i] == last[i] {
			continue
		}
		m, ok := p.middle(first[i], last[i])
		if !ok {
			return nil
		}
		return append(slices.Clone(first[:i]), m)
	}
	return nil
}
