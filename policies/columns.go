package policies

import (
	"fmt"
	"slices"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// kinds is what the catalog's kinds mean to a transform.
var kinds = map[catalog.Kind]masking.Kind{
	catalog.Bool: masking.Bool, catalog.Int: masking.Int, catalog.Float: masking.Float, catalog.Numeric: masking.Numeric,
	catalog.Text: masking.Text, catalog.Bytes: masking.Bytes, catalog.UUID: masking.UUID, catalog.Date: masking.Date,
	catalog.Timestamp: masking.Timestamp, catalog.TimestampTZ: masking.Timestamp, catalog.JSON: masking.JSON, catalog.XML: masking.XML,
	catalog.IP: masking.IP, catalog.MAC: masking.MAC, catalog.Point: masking.Point, catalog.Array: masking.Array,
	catalog.Composite: masking.Composite, catalog.Range: masking.Range, catalog.Hstore: masking.Hstore,
}

// kindOf is what a type means to a transform.
func kindOf(t catalog.Type) masking.Kind { return kinds[t.Kind] }

// equalityOf is what an equality of the catalog means to a transform.
func equalityOf(e catalog.Equality) (m masking.Equality) {
	for from, to := range map[catalog.Equality]masking.Equality{
		catalog.FoldASCII: masking.FoldASCII, catalog.FoldCase: masking.FoldCase, catalog.FoldAccents: masking.FoldAccents,
		catalog.PadSpace: masking.PadSpace, catalog.FoldUnknown: masking.FoldUnknown,
		catalog.FoldForms: masking.FoldForms, catalog.FoldAstral: masking.FoldAstral, catalog.FoldSharpS: masking.FoldSharpS, catalog.FoldSwedish: masking.FoldSwedish,
	} {
		if e&from != 0 {
			m |= to
		}
	}
	return m
}

// charsetOf is what a character set of the catalog means to a transform.
func charsetOf(c catalog.Charset) masking.Charset {
	switch c {
	case catalog.Unicode:
		return masking.Unicode
	case catalog.BMP:
		return masking.BMP
	case catalog.Latin1:
		return masking.Latin1
	}
	return masking.ASCII
}

// columnOf is a type as a transform sees a column of it, down to the last field.
func columnOf(t catalog.Type) masking.Column {
	m := masking.Column{Kind: kindOf(t), Bits: t.Bits, Precision: t.Precision, Scale: t.Scale, Labels: t.Labels, Equality: equalityOf(t.Equality), Charset: charsetOf(t.Charset)}
	switch m.Kind {
	case masking.Int:
		m.NarrowBits = t.Bits
	case masking.Text, masking.Bytes:
		m.MaxChars, m.MaxBytes = t.Length, t.MaxBytes
	}
	if t.Element != nil {
		e := columnOf(*t.Element)
		m.Element = &e
	}
	for _, f := range t.Fields {
		c := columnOf(f.Type)
		c.Name = f.Name
		m.Fields = append(m.Fields, c)
	}
	return m
}

// narrow returns m within the limits of both: the fewest bits, characters, bytes
// and digits, the smaller set of characters, and all that one of them calls equal. What is inside is narrowed
// where both are made of the same.
func narrow(m, limits masking.Column) masking.Column {
	least := func(a *int, b int) {
		if b > 0 && (*a == 0 || b < *a) {
			*a = b
		}
	}
	least(&m.NarrowBits, limits.NarrowBits)
	least(&m.MaxChars, limits.MaxChars)
	least(&m.MaxBytes, limits.MaxBytes)
	if limits.Precision > 0 {
		if m.Precision == 0 {
			m.Precision, m.Scale = limits.Precision, limits.Scale
		}
		whole := min(m.Precision-m.Scale, limits.Precision-limits.Scale)
		m.Scale = min(m.Scale, limits.Scale)
		m.Precision = whole + m.Scale
	}
	m.Equality |= limits.Equality
	m.Charset = max(m.Charset, limits.Charset) // each set holds those behind it
	switch {
	case m.Element == nil:
		m.Element = limits.Element
	case limits.Element != nil:
		e := narrow(*m.Element, *limits.Element)
		m.Element = &e
	}
	switch {
	case m.Fields == nil:
		m.Fields = limits.Fields
	case len(m.Fields) == len(limits.Fields):
		m.Fields = slices.Clone(m.Fields)
		for i := range m.Fields {
			m.Fields[i] = narrow(m.Fields[i], limits.Fields[i])
		}
	}
	return m
}

// maskingColumn is a column as its transform sees it: what its type holds, within
// the limits of its group.
func (c *compiler) maskingColumn(col *column) masking.Column {
	own, g := columnOf(col.col.Type), col.group
	m := narrow(own, g.limits)
	m.Table, m.Name = col.table.t.ID.String(), col.col.Name
	m.NotNull, m.Unique, m.Rows = col.col.NotNull, g.unique, g.rows
	charset := charsetOf(c.catalog.Charset)
	c.within(&m, charset)
	if m.Kind != masking.Text && m.Kind != masking.Bytes {
		m.MaxChars, m.MaxBytes = 0, 0
	}
	if m.Kind != masking.Text {
		m.Equality = 0
	}
	if m.Kind != masking.Numeric {
		m.Precision, m.Scale = 0, 0
	}
	if own.Element == nil {
		m.Element = nil
	}
	if own.Fields == nil {
		m.Fields = nil
	}
	return m
}

// within keeps a column, and all inside of it, within the database's character set.
func (c *compiler) within(m *masking.Column, charset masking.Charset) {
	m.Charset = max(m.Charset, charset)
	if m.Element != nil {
		e := *m.Element
		c.within(&e, charset)
		m.Element = &e
	}
	m.Fields = slices.Clone(m.Fields)
	for i := range m.Fields {
		c.within(&m.Fields[i], charset)
	}
}

// widths gives each part of a transform the width of the narrowest integer column that
// shares its domain, so that an id in a document, an array or a text is masked like
// the id in the column; and a text in a document what its columns call equal.
func (c *compiler) widths(s masking.Spec) masking.Spec {
	s.Paths = slices.Clone(s.Paths)
	for i := range s.Paths {
		s.Paths[i].Spec = c.width(s.Paths[i].Spec)
		if s.Name != "fields" { // whose column tells more apart, and may be unique
			s.Paths[i].Spec.Equality = c.equality(s.Paths[i].Spec)
		}
	}
	if s.Inner != nil {
		inner := c.width(*s.Inner)
		s.Inner = &inner
	}
	if s.Classes != nil {
		classes := make(map[string]masking.Spec, len(s.Classes))
		for name, class := range s.Classes {
			class = c.width(class)
			class.Equality = c.equality(class)
			classes[name] = class
		}
		s.Classes = classes
	}
	return s
}

func (c *compiler) width(s masking.Spec) masking.Spec {
	s = c.widths(s)
	if c.bits == nil {
		c.bits = map[joined]int{}
		for _, ts := range c.tables {
			for _, col := range ts.columns {
				d := col.decision
				if d == nil || d.keep {
					continue
				}
				at := joined{d.domain, d.spec.Name}
				if bits := col.group.limits.NarrowBits; bits > 0 && (c.bits[at] == 0 || bits < c.bits[at]) {
					c.bits[at] = bits
				}
			}
		}
	}
	if bits := c.bits[joined{s.Domain, s.Name}]; bits > 0 && (s.NarrowBits == 0 || bits < s.NarrowBits) {
		s.NarrowBits = bits
	}
	return s
}

// equality is all that a text column calls equal which is masked by the transform in its
// domain.
func (c *compiler) equality(s masking.Spec) masking.Equality {
	if c.equal == nil {
		c.equal = map[string]masking.Equality{}
		for _, ts := range c.tables {
			for _, col := range ts.columns {
				if d := col.decision; ts.copied() && d != nil && !d.keep && !d.derive && kindOf(col.col.Type) == masking.Text {
					c.equal[alikeKey(d.spec)] |= col.group.limits.Equality &^ masking.FoldUnknown
				}
			}
		}
	}
	return c.equal[alikeKey(s)]
}

// alikeKey names what masks alike: a domain, the transform in it, and its parameters.
func alikeKey(s masking.Spec) string { return fmt.Sprint(s.Domain, " ", s.Name, s.Variant, s.Params) }

// joined is what is masked alike: a domain and the transform in it.
type joined struct{ domain, transform string }
