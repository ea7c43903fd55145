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
//	slug text stored as lower(name)    and its expression
//	state enum(new,paid)
//	"odd name" varchar(20)
//	tags array varchar(20)             also: range, hstore, composite(a int4; b text)
//	unique (a, b)                      then: partial nullsequal
//	rule lower(a), b, during &&, ?(a b) then: where c; exclude in the place of rule
//	rule ?md5(a)                       an expression in the engine's words, that reads all it names
//	fk (b, a) -> t (y, x)              then: full (MATCH FULL), unchecked (NOT VALID, NOT ENFORCED)
//	parent payment                     partition payment
//	route (paid_on)
//	bounds FOR VALUES IN ('a')         of a partition
//	check sane CHECK ((id > 0))
//	trigger fill BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.f()
//	function public.f() BEGIN … END
//	rewrite public.t.r CREATE RULE …   a rule of a table, which the word rule is not
func parseCatalog(t testing.TB, text string) *catalog.Catalog {
	t.Helper()
	var tables []*catalog.Table
	var now *catalog.Table
	var objects []catalog.Object
	schema, encoding := "", ""
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
		case "rule", "exclude":
			now.Rules = append(now.Rules, parseRule(now, word, rest))
		case "encoding":
			encoding = rest
		case "pk":
			now.PrimaryKey = &catalog.Key{Name: now.ID.Name + "_pkey", Columns: list(rest)}
		case "fk":
			from, to, _ := strings.Cut(rest, "->")
			target, columns, _ := strings.Cut(strings.TrimSpace(to), "(")
			fk := catalog.ForeignKey{Name: fmt.Sprintf("%s_fkey%d", now.ID.Name, len(now.ForeignKeys)+1), References: id(strings.TrimSpace(target)), Validated: true}
			columns, unchecked := strings.CutSuffix(columns, " unchecked")
			fk.Validated = !unchecked
			columns, fk.MatchFull = strings.CutSuffix(columns, " full")
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
		case "bounds":
			now.Bounds = rest
		case "check":
			name, text, _ := strings.Cut(rest, " ")
			now.Checks = append(now.Checks, catalog.Definition{Name: name, Text: text})
		case "trigger":
			now.Triggers = append(now.Triggers, parseTrigger(rest))
		case "function", "procedure", "view", "rewrite":
			name, body, _ := strings.Cut(rest, " ")
			if word == "rewrite" {
				word = "rule"
			}
			objects = append(objects, catalog.Object{Kind: word, Name: name, Definition: body})
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
	c := catalog.New("postgres", "17", schema, tables, objects)
	if encoding != "" {
		c.Encoding = encoding
		if err := c.Charset.UnmarshalText([]byte(strings.ToLower(encoding))); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// parseTrigger reads "name BEFORE INSERT … EXECUTE FUNCTION f('x')".
func parseTrigger(rest string) catalog.Definition {
	name, _, _ := strings.Cut(rest, " ")
	_, function, _ := strings.Cut(rest, "EXECUTE FUNCTION ")
	function, _, _ = strings.Cut(function, "(")
	if strings.HasPrefix(function, "tsvector_") {
		function = "pg_catalog." + function
	}
	return catalog.Definition{Name: name, Text: "CREATE TRIGGER " + rest, Function: function + "()"}
}

func parseRule(t *catalog.Table, word, rest string) catalog.Rule {
	r := catalog.Rule{Name: fmt.Sprintf("%s_rule%d", t.ID.Name, len(t.Rules)+1), Exclusion: word == "exclude"}
	rest, condition, _ := strings.Cut(rest, " where ")
	r.Condition = strings.Fields(condition)
	for _, part := range splitParts(rest) {
		column, operator, _ := strings.Cut(part, " ")
		p := catalog.Part{Column: column, Operator: operator}
		if inner, found := strings.CutPrefix(part, "lower("); found {
			p = catalog.Part{Column: strings.TrimSuffix(inner, ")"), Equality: catalog.FoldCase}
		} else if inner, found := strings.CutPrefix(part, "?("); found {
			reads, operator, _ := strings.Cut(inner, ")")
			p = catalog.Part{Expression: strings.TrimSuffix(part, operator), Reads: strings.Fields(reads), Operator: strings.TrimSpace(operator)}
		} else if expression, found := strings.CutPrefix(part, "?"); found {
			p = catalog.Part{Expression: expression}
			for _, c := range t.Columns {
				if regexp.MustCompile(`\b` + c.Name + `\b`).MatchString(expression) {
					p.Reads = append(p.Reads, c.Name)
				}
			}
		}
		r.Parts = append(r.Parts, p)
	}
	return r
}

// splitParts divides at the commas outside brackets.
func splitParts(s string) (parts []string) {
	depth, from := 0, 0
	for i, c := range s {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, strings.TrimSpace(s[from:i]))
				from = i + 1
			}
		}
	}
	return append(parts, strings.TrimSpace(s[from:]))
}

var typeWord = regexp.MustCompile(`^([a-z0-9]+)(?:\(([^)]*)\))?`)

func parseColumn(t testing.TB, table *catalog.Table, name, rest string) {
	t.Helper()
	c := catalog.Column{Name: name}
	c.Type, rest = parseType(t, rest)
	rest, c.Computation, _ = strings.Cut(rest, " as ")
	for _, flag := range strings.Fields(rest) {
		switch flag {
		case "notnull":
			c.NotNull = true
		case "pk":
			c.NotNull = true
			table.PrimaryKey = &catalog.Key{Name: table.ID.Name + "_pkey", Columns: []string{name}}
		case "unique":
			table.Unique = append(table.Unique, catalog.Key{Name: table.ID.Name + "_" + name + "_key", Columns: []string{name}})
		case "unknown":
			c.Type.Equality, c.Collation = catalog.FoldUnknown, "weather"
		case "ai":
			c.Type.Equality, c.Collation = catalog.FoldCase|catalog.FoldAccents, "nobody"
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

// parseType reads a type at the start of a line, and returns what follows it.
func parseType(t testing.TB, rest string) (typ catalog.Type, after string) {
	t.Helper()
	for word, kind := range map[string]catalog.Kind{"array ": catalog.Array, "range ": catalog.Range} {
		if inner, found := strings.CutPrefix(rest, word); found {
			element, after := parseType(t, inner)
			return catalog.Type{Name: word + element.Name, Kind: kind, Element: &element}, after
		}
	}
	m := typeWord.FindStringSubmatch(rest)
	if m == nil {
		t.Fatalf("no type in %q", rest)
	}
	typ.Name = m[0]
	switch m[1] {
	case "int2", "int4", "int8":
		bytes, _ := strconv.Atoi(m[1][3:])
		typ.Kind, typ.Bits = catalog.Int, bytes*8
	case "text":
		typ.Kind = catalog.Text
	case "citext":
		typ.Kind, typ.Equality = catalog.Text, catalog.FoldCase
	case "char":
		typ.Kind, typ.Equality = catalog.Text, catalog.PadSpace
		typ.Length, _ = strconv.Atoi(m[2])
	case "varchar":
		typ.Kind = catalog.Text
		typ.Length, _ = strconv.Atoi(m[2])
	case "numeric":
		precision, scale, _ := strings.Cut(m[2], ",")
		typ.Kind = catalog.Numeric
		typ.Precision, _ = strconv.Atoi(precision)
		typ.Scale, _ = strconv.Atoi(scale)
	case "enum":
		typ.Kind, typ.Labels = catalog.Text, strings.Split(m[2], ",")
	case "timestamptz":
		typ.Kind = catalog.TimestampTZ
	case "bytea":
		typ.Kind = catalog.Bytes
	case "tsvector", "opaque":
		typ.Kind = catalog.Opaque
	case "inet":
		typ.Kind = catalog.IP
	case "texts":
		typ.Kind, typ.Element = catalog.Array, &catalog.Type{Name: "text", Kind: catalog.Text}
	case "hstore":
		typ.Kind, typ.Element = catalog.Hstore, &catalog.Type{Name: "text", Kind: catalog.Text}
	case "composite":
		typ.Kind = catalog.Composite
		for _, f := range strings.Split(m[2], ";") {
			name, of, _ := strings.Cut(strings.TrimSpace(f), " ")
			field := catalog.Field{Name: name}
			field.Type, _ = parseType(t, of)
			typ.Fields = append(typ.Fields, field)
		}
	default:
		if err := typ.Kind.UnmarshalText([]byte(m[1])); err != nil {
			t.Fatal(err)
		}
	}
	return typ, rest[len(m[0]):]
}
