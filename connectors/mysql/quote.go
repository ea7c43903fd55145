package mysql

import (
	"encoding/hex"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// ident quotes a name.
func ident(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// idents quotes names, for a list.
func idents(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = ident(n)
	}
	return strings.Join(quoted, ", ")
}

// within quotes the name of an object of a database.
func within(database, name string) string { return ident(database) + "." + ident(name) }

// table quotes the name of a table of a database.
func table(database string, id catalog.TableID) string { return within(database, id.Name) }

// literal writes a text as SQL. It is right in every sql_mode and character set of the
// session: what is not plain stands in hexadecimal.
func literal(s string) string {
	for i := range len(s) {
		if b := s[i]; b < ' ' || b > '~' || b == '\'' || b == '\\' {
			return "_utf8mb4 0x" + hex.EncodeToString([]byte(s))
		}
	}
	return "'" + s + "'"
}
