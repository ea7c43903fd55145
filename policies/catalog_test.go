package policies

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// readCatalog reads testdata/catalogs/NAME.txt.
func readCatalog(t testing.TB, name string) *catalog.Catalog {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "catalogs", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return parseCatalog(t, string(text))
}

// parseCatalog reads a catalog as people write one down:
//
//	schema public                      the default schema; a first line
//	table public.orders                or: partitioned, foreign
//	rows 100000
//	id int4 notnull pk                 name, type, then: notnull pk unique identity stored
//	state enum(new,paid)
//	"odd name" varchar(20)
//	unique (a, b)                      then: partial nullsequal
//	fk (b, a) -> t (y, x)
//	parent payment                     partition payment
//	route (paid_on)
func parseCatalog(t testing.TB, text string) *catalog.Catalog {
	t.Helper()
	var tables []*catalog.Table
	var now *catalog.Table
	schema := ""
	id := func(name string) catalog.TableID {
		if before, after, found := strings.Cut(name, "."); found {
			return catalog.TableID{Schema: before, Name: after}
		}
		return catalog.TableID{Schema: schema, Name: name}
	}
	list := func(s string) []string {
		var out []string
		for _, w := range strings.Split(strings.Trim(s, "() "), ",") {
			out = append(out, strings.TrimSpace(w))
		}
		return out
	}
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "":
		case "schema":
			schema = rest
		case "table", "partitioned", "foreign":
			now = &catalog.Table{ID: id(strings.Trim(rest, `"`)), Kind: catalog.TableKind(word)}
			tables = append(tables, now)
		case "rows":
			now.Rows, _ = strconv.ParseInt(rest, 10, 64)
		case "unique":
			columns, flags, _ := strings.Cut(rest, ")")
			now.Unique = append(now.Unique, catalog.Key{
				Name: fmt.Sprintf("%s_key%d", now.ID.Name, len(now.Unique)+1), Columns: list(columns),
				Partial: strings.Contains(flags, "partial"), NullsEqual: strings.Contains(flags, "nullsequal"),
			})
		case "pk":
			now.PrimaryKey = &catalog.Key{Name: now.ID.Name + "_pkey", Columns: list(rest)}
		case "fk":
			from, to, _ := strings.Cut(rest, "->")
			target, columns, _ := strings.Cut(strings.TrimSpace(to), "(")
			fk := catalog.ForeignKey{Name: fmt.Sprintf("%s_fkey%d", now.ID.Name, len(now.ForeignKeys)+1), References: id(strings.TrimSpace(target)), Validated: true}
			refs := list(columns)
			for i, c := range list(from) {
				fk.Pairs = append(fk.Pairs, catalog.Pair{Column: c, References: refs[i]})
			}
			now.ForeignKeys = append(now.ForeignKeys, fk)
		case "parent", "partition":
			now.Parents = append(now.Parents, id(rest))
			now.IsPartition = word == "partition"
		case "route":
			now.PartitionKey = list(rest)
		default:
			name, rest, _ := strings.Cut(line, " ")
			if strings.HasPrefix(line, `"`) {
				quoted, err := strconv.QuotedPrefix(line)
				if err != nil {
					t.Fatalf("catalog line %d: %v", n+1, err)
				}
				rest = strings.TrimSpace(line[len(quoted):])
				name, _ = strconv.Unquote(quoted)
			}
			parseColumn(t, now, name, rest)
		}
	}
	return catalog.New("postgres", "17", schema, tables, nil)
}

var typeWord = regexp.MustCompile(`^([a-z0-9]+)(?:\(([^)]*)\))?`)

func parseColumn(t testing.TB, table *catalog.Table, name, rest string) {
	t.Helper()
	m := typeWord.FindStringSubmatch(rest)
	if m == nil {
		t.Fatalf("column %s: no type in %q", name, rest)
	}
	c := catalog.Column{Name: name, Type: catalog.Type{Name: m[0]}}
	switch m[1] {
	case "int2", "int4", "int8":
		bytes, _ := strconv.Atoi(m[1][3:])
		c.Type.Kind, c.Type.Bits = catalog.Int, bytes*8
	case "text":
		c.Type.Kind = catalog.Text
	case "citext":
		c.Type.Kind = catalog.Text
	case "char":
		c.Type.Kind = catalog.Text
		c.Type.Length, _ = strconv.Atoi(m[2])
	case "varchar":
		c.Type.Kind = catalog.Text
		c.Type.Length, _ = strconv.Atoi(m[2])
	case "enum":
		c.Type.Kind, c.Type.Labels = catalog.Text, strings.Split(m[2], ",")
	case "timestamptz":
		c.Type.Kind = catalog.TimestampTZ
	case "bytea":
		c.Type.Kind = catalog.Bytes
	case "tsvector", "inet", "texts", "opaque":
		c.Type.Kind = catalog.Opaque
	default:
		if err := c.Type.Kind.UnmarshalText([]byte(m[1])); err != nil {
			t.Fatal(err)
		}
	}
	for _, flag := range strings.Fields(rest[len(m[0]):]) {
		switch flag {
		case "notnull":
			c.NotNull = true
		case "pk":
			c.NotNull = true
			table.PrimaryKey = &catalog.Key{Name: table.ID.Name + "_pkey", Columns: []string{name}}
		case "unique":
			table.Unique = append(table.Unique, catalog.Key{Name: table.ID.Name + "_" + name + "_key", Columns: []string{name}})
		case "identity":
			c.Generation = catalog.IdentityAlways
		case "stored":
			c.Generation = catalog.Stored
		default:
			t.Fatalf("column %s: unknown flag %q", name, flag)
		}
	}
	table.Columns = append(table.Columns, c)
}
