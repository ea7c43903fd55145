package postgres

import (
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// ident returns a name as an SQL identifier. It always quotes, so that no list
// of reserved words needs to be right.
func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// table returns a table's name with its schema.
func table(id catalog.TableID) string { return ident(id.Schema) + "." + ident(id.Name) }

// literal returns a string literal. The E form is right whatever
// standard_conforming_strings says.
func literal(s string) string {
	s = strings.ReplaceAll(s, `'`, `''`)
	if strings.Contains(s, `\`) {
		return ` E'` + strings.ReplaceAll(s, `\`, `\\`) + `'`
	}
	return `'` + s + `'`
}

// columnList returns the names of columns, separated by commas.
func columnList(columns []catalog.Column) string {
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(ident(c.Name))
	}
	return b.String()
}

// words returns a table's name for people and for chunk ids: quoted only where a
// reader could take it for another one.
func words(id catalog.TableID) string { return word(id.Schema) + "." + word(id.Name) }

func word(name string) string {
	if name == "" || strings.ContainsAny(name, "\". \t\r\n") {
		return ident(name)
	}
	return name
}
