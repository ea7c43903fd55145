package connectortest

import (
	"cmp"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Quirks are the ways in which an engine differs from the others. The zero
// value is an engine without any.
type Quirks struct {
	// Schema is the schema of the suite's tables; empty where there are none.
	Schema string
	// Types names the engine's type for a kind. A kind that is missing is not
	// tried; Int and Text must be there.
	Types map[catalog.Kind]string
	// Samples are columns with values that the engine knows, beside those of the
	// suite. Each is copied kept, and decoded.
	Samples []Sample
	// KeyText is the engine's type of a text that has a unique key, where Text cannot have
	// one. Empty: Text.
	KeyText string
	// Quote writes a name in the engine's words. Nil: between double quotes, doubled within.
	Quote func(name string) string
	// PlainNames: names hold no character above U+FFFF, and do not end with a blank.
	PlainNames bool
	// KeyOrder: a foreign key lists its columns in the order of the key that it points to.
	KeyOrder bool
	// NoDeferrable: a constraint is checked at every row.
	NoDeferrable bool
	// Width is how many columns a table may have, all of Int. 0 is as many as are tried.
	Width int
	// NoVirtual: the engine has no virtual computed columns (stored ones it has).
	NoVirtual bool
	// Upper is the expression of a computed column that holds the upper case of
	// the given column. Empty: upper("column").
	Upper func(column string) string
	// NoNUL: text cannot hold the byte 0.
	NoNUL bool
	// NoWhere: there is no language for conditions.
	NoWhere bool
	// NoColumns: a table may have no columns at all.
	NoColumns bool
}

// Sample is a column of some type and values for it.
type Sample struct {
	Name   string // of the column
	Type   string // in the engine's words
	Values []any  // as Database.Insert takes them; NULL is added
	// Opaque: the values are of kind Opaque, which can be kept and suppressed.
	Opaque bool
	// Kept: the values are beyond what the column's kind can decode, and can only be kept.
	Kept bool
}

func (q Quirks) id(name string) catalog.TableID {
	return catalog.TableID{Schema: q.Schema, Name: name}
}

func (q Quirks) typeOf(k catalog.Kind) catalog.Type {
	return catalog.Type{Name: q.Types[k], Kind: k}
}

func (q Quirks) keyText() catalog.Type {
	return catalog.Type{Name: cmp.Or(q.KeyText, q.Types[catalog.Text]), Kind: catalog.Text}
}

func (q Quirks) has(k catalog.Kind) bool { return q.Types[k] != "" }

func (q Quirks) upper(column string) string {
	if q.Upper != nil {
		return q.Upper(column)
	}
	return "upper(" + q.quote(column) + ")"
}

// quote writes a name of a column or a table.
func (q Quirks) quote(name string) string { return Dialect{Quote: q.Quote}.quote(name) }

// table writes the name of a table of the suite, with its schema.
func (q Quirks) table(name string) string { return Dialect{Quote: q.Quote}.table(q.id(name)) }

// hard returns names of a table and of its columns that break whoever does not quote them.
func (q Quirks) hard() (table string, columns []string) {
	if q.PlainNames {
		return `say "hi" to ☃ select`, []string{`the "key"`, "select", " blank`s", "naïve ☺"}
	}
	return `say "hi" to 🐘 select`, []string{`the "key"`, "select", " blank ", "naïve 🙂"}
}
