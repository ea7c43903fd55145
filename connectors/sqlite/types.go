package sqlite

import (
	"strconv"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// kinds are the names of types that people declare in SQLite, though it knows
// five storage classes only.
var kinds = map[string]catalog.Kind{
	"BOOL": catalog.Bool, "BOOLEAN": catalog.Bool,
	"DATE":     catalog.Date,
	"DATETIME": catalog.Timestamp, "DATETIME2": catalog.Timestamp, "SMALLDATETIME": catalog.Timestamp,
	"TIMESTAMP": catalog.Timestamp, "TIMESTAMP WITHOUT TIME ZONE": catalog.Timestamp,
	"TIMESTAMPTZ": catalog.TimestampTZ, "TIMESTAMP WITH TIME ZONE": catalog.TimestampTZ, "DATETIMEOFFSET": catalog.TimestampTZ,
	"NUMERIC": catalog.Numeric, "DECIMAL": catalog.Numeric, "DEC": catalog.Numeric, "NUMBER": catalog.Numeric, "MONEY": catalog.Numeric,
	"UUID": catalog.UUID, "GUID": catalog.UUID, "UNIQUEIDENTIFIER": catalog.UUID,
	"JSON": catalog.JSON, "JSONB": catalog.JSON,
	"BLOB": catalog.Bytes, "BYTEA": catalog.Bytes, "BINARY": catalog.Bytes, "VARBINARY": catalog.Bytes, "IMAGE": catalog.Bytes,
	"INET": catalog.IP, "CIDR": catalog.IP, "MACADDR": catalog.MAC, "MACADDR8": catalog.MAC,
	"XML": catalog.XML, "POINT": catalog.Point,
	"FLOATING POINT": catalog.Float,
	"ANY":            catalog.Opaque,
}

// typeOf reads a declared type. A name that is not known counts by the affinity
// that SQLite gives it (https://www.sqlite.org/datatype3.html, 3.1); where that
// is only the default, NUMERIC, the column is taken for text, since such names
// (ENUM, TIME) mean text and text of this kind may hold numbers. A column
// without a declared type may hold anything: it is opaque.
func typeOf(declared string) catalog.Type {
	t := catalog.Type{Name: declared}
	upper := strings.ToUpper(strings.TrimSpace(declared))
	name, rest, _ := strings.Cut(upper, "(")
	inside, _, _ := strings.Cut(rest, ")")
	name = strings.Join(strings.Fields(name), " ")
	var args []int
	for _, a := range strings.Split(inside, ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(a)); err == nil && n >= 0 {
			args = append(args, n)
		}
	}
	kind, known := kinds[name]
	switch {
	case known:
		t.Kind = kind
	case name == "":
		t.Kind = catalog.Opaque
	case strings.Contains(name, "INT"):
		t.Kind = catalog.Int
	case strings.Contains(name, "CHAR") || strings.Contains(name, "CLOB") || strings.Contains(name, "TEXT"):
		t.Kind = catalog.Text
	case strings.Contains(name, "BLOB"):
		t.Kind = catalog.Bytes
	case strings.Contains(name, "REAL") || strings.Contains(name, "FLOA") || strings.Contains(name, "DOUB"):
		t.Kind = catalog.Float
	default:
		t.Kind = catalog.Text
	}
	switch t.Kind {
	case catalog.Int, catalog.Float:
		t.Bits = 64
	case catalog.Text, catalog.Bytes:
		// SQLite itself does not enforce it; who declared it expects it.
		if len(args) == 1 {
			t.Length = args[0]
		}
	case catalog.Numeric:
		if len(args) > 0 {
			t.Precision = args[0]
		}
		if len(args) == 2 {
			t.Scale = args[1]
		}
	}
	return t
}

// equalityOf says what a collation calls equal, beside equal bytes. A collation that
// an application has registered is nobody's but the application's.
func equalityOf(collation string) catalog.Equality {
	switch strings.ToUpper(collation) {
	case "", "BINARY":
		return 0
	case "NOCASE":
		return catalog.FoldASCII
	case "RTRIM":
		return catalog.PadSpace
	}
	return catalog.FoldUnknown
}
