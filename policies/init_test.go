package policies

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a golden file, or writes it under -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) == string(want) {
		return
	}
	a, b := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	line := func(l []string) string {
		if n < len(l) {
			return l[n]
		}
		return "(the end)"
	}
	t.Errorf("differs from %s in line %d; after reading the difference, run with -update\ngot:  %s\nwant: %s", path, n+1, line(a), line(b))
}

func TestInit(t *testing.T) {
	for _, name := range []string{"shop", "pagila", "odd"} {
		t.Run(name, func(t *testing.T) {
			golden(t, filepath.Join("testdata", "init", name+".yaml"), Init(readCatalog(t, name), name))
		})
	}
}

// What init writes compiles as soon as its questions have been answered, and before
// that each question is reported, as something that nobody has decided.
func TestInitAnswered(t *testing.T) {
	for _, name := range []string{"shop", "pagila", "odd"} {
		t.Run(name, func(t *testing.T) {
			c := readCatalog(t, name)
			text := string(Init(c, name))
			questions := strings.Count(text, ": TODO #")
			p, err := Parse("p.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			_, err = Compile(p, c, testKey(t), masking.Standard())
			var errs Errors
			if !errors.As(err, &errs) || !errs.Drift() || len(errs) != questions {
				t.Errorf("%d questions; compiling says %v", questions, err)
			}
			p, err = Parse("p.yaml", []byte(strings.ReplaceAll(text, ": TODO #", ": public #")))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Compile(p, c, testKey(t), masking.Standard()); err != nil {
				t.Errorf("with every question answered by keep: %v", err)
			}
		})
	}
}

// The sample databases that people know, as PostgreSQL has them and as SQLite does: a
// policy that compiles is a few answers away.
func TestInitSamples(t *testing.T) {
	const mostQuestions = 3
	for _, name := range []string{"pagila", "sakila", "chinook-postgres", "chinook-sqlite"} {
		for _, engine := range []string{"postgres", "sqlite"} {
			t.Run(name+" on "+engine, func(t *testing.T) {
				c := readCatalog(t, name)
				if engine == "sqlite" {
					c = asSQLite(c)
				}
				text := Init(c, name)
				if n := strings.Count(string(text), ": TODO #"); n > mostQuestions {
					t.Errorf("%d questions\n%s", n, text)
				}
				compiles(t, c, text)
			})
		}
	}
}

// asSQLite is the catalog as it would be on an engine without schemas, partitions,
// enums, arrays and types of its own.
func asSQLite(c *catalog.Catalog) *catalog.Catalog {
	var tables []*catalog.Table
	for _, t := range c.Tables {
		if t.IsPartition || len(t.Parents) > 0 {
			continue
		}
		own := *t
		own.ID.Schema, own.Kind, own.PartitionKey = "", catalog.Ordinary, nil
		own.Columns = slices.Clone(t.Columns)
		for i := range own.Columns {
			switch typ := &own.Columns[i].Type; typ.Kind {
			case catalog.Array, catalog.Opaque, catalog.Text:
				*typ = catalog.Type{Name: "TEXT", Kind: catalog.Text, Length: typ.Length}
			case catalog.Bool:
				*typ = catalog.Type{Name: "INTEGER", Kind: catalog.Int, Bits: 64}
			case catalog.TimestampTZ:
				*typ = catalog.Type{Name: "TIMESTAMP", Kind: catalog.Timestamp}
			}
		}
		own.ForeignKeys = slices.Clone(t.ForeignKeys)
		for i := range own.ForeignKeys {
			own.ForeignKeys[i].References.Schema = ""
		}
		tables = append(tables, &own)
	}
	return catalog.New("sqlite", "3", "", tables, nil)
}

// What has parts is decided part by part; a text for searching is not kept beside the
// text that it is made of.
func TestInitParts(t *testing.T) {
	c := parseCatalog(t, `schema public
table customers
id int4 notnull pk
emails texts
tags texts
home composite(street text; town text; floor int4; code bytea)
extras hstore
alive range date
birth_range range date
friend_ids array int4
places array composite(street text; city text)
prefs json
layout xml
about text
search tsvector
sure_search tsvector notnull
table prices
valid range date
amounts array int4
description text
fulltext tsvector
filled tsvector notnull
trigger fill BEFORE INSERT OR UPDATE ON public.prices FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger('filled', 'pg_catalog.english', 'description')`)
	text := Init(c, "parts")
	for _, want := range []string{
		"emails: {each: email} # texts",
		"tags: TODO # texts; ",
		`home: {fields: {street: street, town: place, floor: keep, code: suppressed}} # composite`,
		`extras: {fields: {"*": drop}} # hstore`,
		"birth_range: {each: birth_date} # range date",
		`places: {each: {class: free_text, do: {fields: {street: street, city: place}}, because: "part by part"}} # array composite`,
		`prefs: TODO # json; a document: {json: {$.PATH: CLASS, "*": drop}}`,
		`layout: TODO # xml; a document: {xml: {/PATH: CLASS, "*": drop}}`,
		"about: free_text # text",
		"search: suppressed # tsvector",
		"sure_search: TODO # tsvector; not NULL, and a text for searching, perhaps made of \"about\"",
		"description: free_text # text",
		"fulltext: suppressed # tsvector",
		"filled: derived # tsvector",
	} {
		if !strings.Contains(string(text), "      "+want) {
			t.Errorf("there is no %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
	compiles(t, c, text)
}

// What a trigger or a rule writes there from masked columns is not kept unasked, whatever its
// column is called.
func TestInitHistory(t *testing.T) {
	c := parseCatalog(t, `schema public
table customer
id int4 notnull pk
email text
birth_date date
trigger log AFTER UPDATE ON public.customer FOR EACH ROW EXECUTE FUNCTION public.log()
table audit_rows
row_id int4 notnull pk
b date
s date
price numeric
function public.log() BEGIN INSERT INTO audit_rows (b, price) VALUES (OLD.birth_date, 1); RETURN NULL; END
rewrite public.customer.gone CREATE RULE gone AS ON DELETE TO public.customer DO INSERT INTO public.audit_rows (s) VALUES (old.birth_date)`)
	text := Init(c, "history")
	for _, want := range []string{
		"      b: TODO # date; perhaps birth_date: the trigger log writes rows of public.customer there, which are masked: birth_date\n",
		"      s: TODO # date; perhaps birth_date: the rule gone writes rows of public.customer there, which are masked: birth_date\n",
		"    keep: [row_id, price]\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("there is no %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
}

func TestInitEmpty(t *testing.T) {
	text := Init(catalog.New("postgres", "17", "public", nil, nil), "")
	p, err := Parse("p.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if p.Header.Name != "database" {
		t.Errorf("name %q", p.Header.Name)
	}
}
