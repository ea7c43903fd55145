package connectortest

import "github.com/sanitize-db/sanitize/connectors/catalog"

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
}

func (q Quirks) id(name string) catalog.TableID {
	return catalog.TableID{Schema: q.Schema, Name: name}
}

func (q Quirks) typeOf(k catalog.Kind) catalog.Type {
	return catalog.Type{Name: q.Types[k], Kind: k}
}

func (q Quirks) has(k catalog.Kind) bool { return q.Types[k] != "" }

func (q Quirks) upper(column string) string {
	if q.Upper != nil {
		return q.Upper(column)
	}
	return "upper(" + quote(column) + ")"
}
