package policies

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// group is the columns that are masked alike: those that keys, links and parents
// tie together. What a transform fits to is the narrowest of them, so that equal
// values come out equal everywhere.
type group struct {
	members []*column
	bits    int   // of the narrowest integer; 0 if there is none
	chars   int   // of the shortest text; 0 if none has a limit
	unique  bool  // a unique key of one column stands on a member
	rows    int64 // of the largest table
}

// group ties the columns together along the edges, except where a column is nulled
// and its other end is not.
func (c *compiler) group() {
	for _, ts := range c.tables {
		for _, col := range ts.columns {
			if col.group == nil {
				col.group = &group{members: []*column{col}}
			}
		}
	}
	for _, ts := range c.tables {
		for _, col := range ts.columns {
			for _, e := range col.edges {
				a, b := col.decision, e.to.decision
				if a == nil || b == nil || a.nulls() != b.nulls() || col.table.drop || e.to.table.drop {
					continue
				}
				join(col.group, e.to.group)
			}
		}
	}
	for _, ts := range c.tables {
		for _, col := range ts.columns {
			col.group.measure(col)
		}
	}
}

// join moves the members of the smaller group to the larger.
func join(g, h *group) {
	if g == h {
		return
	}
	if len(g.members) < len(h.members) {
		g, h = h, g
	}
	g.members = append(g.members, h.members...)
	for _, m := range h.members {
		m.group = g
	}
}

func (g *group) measure(col *column) {
	t := col.col.Type
	if t.Kind == catalog.Int && t.Bits > 0 && (g.bits == 0 || t.Bits < g.bits) {
		g.bits = t.Bits
	}
	if t.Length > 0 && (g.chars == 0 || t.Length < g.chars) {
		g.chars = t.Length
	}
	g.unique = g.unique || slices.ContainsFunc(col.table.t.UniqueKeys(), func(k catalog.Key) bool {
		return len(k.Columns) == 1 && k.Columns[0] == col.col.Name
	})
	g.rows = max(g.rows, col.table.rows())
}

// mixed returns two kinds of value among the members that the transform does not
// mask alike, if there are any.
func (g *group) mixed(transform string) (a, b masking.Kind, differ bool) {
	a = kindOf(g.members[0].col.Type)
	for _, m := range g.members[1:] {
		if b = kindOf(m.col.Type); b != a && !alike(transform, a, b) {
			return min(a, b), max(a, b), true
		}
	}
	return a, a, false
}

// alike reports whether a transform masks equal values of two kinds alike. Pseudonyms
// of integers and UUIDs do so with their text: links join such columns, and SQLite's
// keys may.
func alike(transform string, a, b masking.Kind) bool {
	return transform == "null" || transform == "pseudonym" && (a == masking.Text || b == masking.Text) && a != masking.Bytes && b != masking.Bytes
}

// rows estimates the rows of the table and of all that inherit from it.
func (t *table) rows() int64 {
	n := max(t.t.Rows, 0)
	for _, child := range t.children {
		n += child.rows()
	}
	return n
}

// comparesLoosely says why values that the database calls equal may be masked
// differently: the transform goes by every character, and the database does not.
func (g *group) comparesLoosely(s masking.Spec) string {
	if s.Name != "token" && s.Name != "shape" {
		return "" // fake goes by the folded value; phones and pseudonyms keep the case and the blanks
	}
	var padded, other string
	for _, m := range g.members {
		name, collation := strings.ToLower(m.col.Type.Name), strings.ToLower(m.col.Collation)
		switch {
		case name == "citext", collation == "nocase", strings.HasSuffix(collation, "_ci"):
			return fmt.Sprintf("%s is compared without regard to case, and %s masks values that differ in case differently: they match in the source and not in the copy", m.id(), s.Name)
		case collation == "rtrim", strings.HasPrefix(name, "character("), strings.HasPrefix(name, "char("):
			padded = m.id().String()
		}
		if name != strings.ToLower(g.members[0].col.Type.Name) {
			other = m.id().String()
		}
	}
	if padded != "" && other != "" {
		return fmt.Sprintf("%s is compared without regard to blanks at the end, and a column tied to it has another type: %s masks values with and without these blanks differently", padded, s.Name)
	}
	return ""
}

// kindOf is what a type means to a transform.
func kindOf(t catalog.Type) masking.Kind {
	switch t.Kind {
	case catalog.Bool:
		return masking.Bool
	case catalog.Int:
		return masking.Int
	case catalog.Float:
		return masking.Float
	case catalog.Numeric:
		return masking.Numeric
	case catalog.Text:
		return masking.Text
	case catalog.Bytes:
		return masking.Bytes
	case catalog.UUID:
		return masking.UUID
	case catalog.Date:
		return masking.Date
	case catalog.Timestamp, catalog.TimestampTZ:
		return masking.Timestamp
	case catalog.JSON:
		return masking.JSON
	default:
		return masking.Opaque
	}
}

// maskingColumn is a column as a transform sees it.
func (c *compiler) maskingColumn(col *column) masking.Column {
	t, g := col.col.Type, col.group
	m := masking.Column{
		Table: col.table.t.ID.String(), Name: col.col.Name, Kind: kindOf(t), Bits: t.Bits,
		Labels: t.Labels, NotNull: col.col.NotNull, Unique: g.unique, Rows: g.rows,
		NarrowBits: g.bits,
	}
	if m.Kind == masking.Text || m.Kind == masking.Bytes {
		m.MaxChars = g.chars
	}
	return m
}

// pathWidths gives each path of a document the width of the narrowest integer column
// that shares its domain, so that an id in the document is masked like the id in the
// column.
func (c *compiler) pathWidths(s masking.Spec) masking.Spec {
	s.Paths = slices.Clone(s.Paths)
	for i := range s.Paths {
		path := &s.Paths[i].Spec
		for _, ts := range c.tables {
			for _, col := range ts.columns {
				d := col.decision
				if d == nil || d.keep || d.domain != path.Domain || d.spec.Name != path.Name || col.group.bits == 0 {
					continue
				}
				if path.NarrowBits == 0 || col.group.bits < path.NarrowBits {
					path.NarrowBits = col.group.bits
				}
			}
		}
	}
	return s
}

// uniqueKeys proves that every unique key of a copied table stays unique.
func (c *compiler) uniqueKeys() {
	said := map[Position]bool{}
	for _, ts := range c.tables {
		if !ts.copied() {
			continue
		}
		for _, k := range ts.t.UniqueKeys() {
			if other := ts.maskedBeside(k); other != nil {
				c.warnings = append(c.warnings, fmt.Sprintf("%s: the unique key %s holds for some rows only: if its condition reads a masked column such as %s, other rows may fall under it", ts.t.ID, k.Name, other.col.Name))
			}
			bad := ts.endangers(k)
			if bad == nil || ts.carried(k) || said[bad.decision.at] {
				continue
			}
			said[bad.decision.at] = true
			what := "unique"
			if len(k.Columns) > 1 {
				what = fmt.Sprintf("part of the unique key %s (%s)", k.Name, strings.Join(k.Columns, ", "))
			}
			inherited := ""
			if !bad.explicit {
				inherited = " (" + bad.why + ")"
			}
			c.fail(Invalid, bad.decision.at, bad.id().String(), uniqueHelp(bad),
				"%s%s is %s, and %s does not keep different values different", bad.id(), inherited, what, bad.decision.do)
		}
	}
}

// endangers returns a masked column by which rows that differ in the key may come
// out equal, or nil. An unfit or undecided column has been complained about already.
func (t *table) endangers(k catalog.Key) *column {
	var bad *column
	for _, name := range k.Columns {
		col := t.column(name)
		if col == nil || col.decision == nil || col.decision.keep || !col.bound {
			continue
		}
		if col.decision.nulls() && !k.NullsEqual {
			return nil // no row is equal to another where a column of the key is NULL
		}
		if bad == nil && !col.binding.Guarantees.Unique(t.rows()) {
			bad = col
		}
	}
	return bad
}

// maskedBeside returns a masked column that the condition of a partial key might
// read, if no column of the key itself is masked: of those bind has warned.
func (t *table) maskedBeside(k catalog.Key) *column {
	if !k.Partial {
		return nil
	}
	var beside *column
	for _, col := range t.columns {
		switch {
		case !col.bound:
		case slices.Contains(k.Columns, col.col.Name):
			return nil
		case beside == nil:
			beside = col
		}
	}
	return beside
}

// carried reports whether the key contains another unique key that stays unique
// for every row, and thereby cannot fail itself.
func (t *table) carried(k catalog.Key) bool {
	return slices.ContainsFunc(t.t.UniqueKeys(), func(other catalog.Key) bool {
		if other.Partial || len(other.Columns) >= len(k.Columns) {
			return false
		}
		for _, name := range other.Columns {
			col := t.column(name)
			if !slices.Contains(k.Columns, name) || col == nil || col.decision == nil || col.decision.nulls() {
				return false
			}
			if k.NullsEqual && !other.NullsEqual && !col.col.NotNull {
				return false // two NULLs differ for the one key and are equal for the other
			}
			if !col.decision.keep && !(col.bound && col.binding.Guarantees.Unique(t.rows())) {
				return false
			}
		}
		return true
	})
}

// uniqueHelp says which transform would keep the column unique.
func uniqueHelp(col *column) string {
	if spec := col.decision.spec; spec.Variant == "email" && spec.Params["unique"] == nil {
		return "add unique: true to the transform"
	}
	switch kindOf(col.col.Type) {
	case masking.Int:
		return "use {pseudonym: id}"
	case masking.UUID:
		return "use {pseudonym: uuid}"
	case masking.Text:
		return "use {token: base32}, or {fake: email} for addresses"
	}
	return "keep it, or null it if it may be NULL"
}
