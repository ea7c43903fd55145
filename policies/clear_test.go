package policies

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// Which literals say something.
func TestSaysValue(t *testing.T) {
	for text, want := range map[string]bool{
		"'Ann'::text": true, "_utf8mb4'x'": true, "('it''s')": true, `'it\'s'`: true, "concat(a, ', ', b)": false, "''": false, "'0000-00-00'": false, "'0.00'": false, "'1'": false, "'10'": true,
		"nextval('people_id_seq'::regclass)": false, "date_format(d, '%Y-%m')": false, "\"o'clock\" > 3": false, "`o'clock` = 'x'": true, "'{}'::jsonb": false, "'unterminated": true, "'": false, "now()": false, "DATE '2020-01-31'": true,
		"(state = 'new'::text)": true, "(auth.role() = 'new'::text)": false, "'english'::regconfig": false, "(VALUE ~ '^Ann'::text)": true, "('it''s'::text = 'x')": true,
		"(name !~~ '%Merkel%'::text)": true, "(name ~~ '%@corp.example')": true, "(name ~~ '_Merkel')": true, "(name ~~ '%@%.%'::text)": false, "format('%s-%s', a, b)": false, "format('%1$I.%2$I', a, b)": false,
		"to_char((at), 'YYYY-MM-DD'::text)": false, "to_char('Ann')": true, "jsonb_build_object('a', lower(b), 'c', d)": false, "json_object(_utf8mb4'a',_utf8mb4'Ann')": true, "f(to_char(at), 'Ann')": true, "to_char(at, CASE WHEN a = 'b' THEN 'Ann' END)": true, "json_object('a': 'Ann')": true, "nextval('x')": false, "date_trunc('month'::text, at)": false, "date_trunc(d, 'Ann')": true,
		"strftime('%H:%M:%S', d)": false, "date_format(d,_utf8mb4'%Y-%m-%d %H:%i')": false,
	} {
		if got := saysValue(text); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

// Which literals say something of a column that is masked: not what is the name of something,
// a path into a document, or compared with another column or with none.
func TestHoldsValueOf(t *testing.T) {
	masked := func(words string) bool { return catalog.Names(words, "email") }
	for text, want := range map[string]bool{
		"to_tsvector('english'::regconfig, email)":                                                    false,
		"(tenant = (current_setting('app.tenant'::text, true))::uuid)":                                false,
		"(email = pg_catalog.current_setting ('Ann'))":                                                false,
		"(email = 'Ann'::text)":                                                                       true,
		"(auth.role() = 'authenticated'::text)":                                                       false,
		"(( SELECT auth.role() AS role) = 'authenticated'::text)":                                     false,
		"((auth.jwt() ->> 'role'::text) = 'admin'::text)":                                             false,
		"((auth.jwt() ->> 'role'::text) = ANY (ARRAY['admin'::text, 'o''owner'::text]))":              false,
		"(CURRENT_USER = 'admin'::name)":                                                              false,
		"(email ~~ 'Ann%'::text)":                                                                     true,
		"(email IN ('Ann', 'Bob'))":                                                                   true,
		"(state IN ('new', 'old'))":                                                                   false,
		"((state)::text = ANY ((ARRAY['new'::character varying, 'old'::character varying])::text[]))": false,
		"((email)::text = ANY ((ARRAY['new'::character varying, 'old'::character varying])::text[]))": true,
		"(lower((email)::text) <> 'ann'::text)":                                                       true,
		"((state = 'new'::text) AND (email = 'ann'::text))":                                           true,
		"((doc #>> '{a,b}'::text[]) = 'x'::text)":                                                     false,
		"((email -> 'a'::text) = 'Ann'::text)":                                                        true,
		"json_extract(`email`,_utf8mb4'$.name')":                                                      false,
		"json_unquote(json_extract(`email`,'$.name')) = 'Ann'":                                        true,
		"email COLLATE NOCASE = 'Ann'":                                                                true, "email || state = 'Ann'": true, "email > '' AND state = 'Ann'": false,
		"CASE WHEN state = 'Ann' THEN 1 END": false, "email @> 'Ann'": true, "(CASE WHEN email > '' THEN 'A' END) = 'B'": true,
		"(email || 'Ann'::text)": true,
		"f(state, 'Ann')":        true,
		"('Ann'::text = email)":  true,
	} {
		if got := holdsValueOf(text, masked); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

// Definitions with values of columns that are masked, dropped or nulled are named once, at
// the table and not at its partitions, without the value; those of kept columns are not.
func TestInClear(t *testing.T) {
	text := catalog.Type{Name: "text", Kind: catalog.Text}
	columns := func() []catalog.Column {
		return []catalog.Column{
			{Name: "name", Type: text, Default: "'Quill'::text", Comment: "the name"},
			{Name: "city", Type: text, Default: "'Quill'::text", Comment: "as in 'Quill'"},
			{Name: "n", Type: catalog.Type{Name: "integer", Kind: catalog.Int, Bits: 32}, Default: "42"},
			{Name: "z", Type: catalog.Type{Name: "integer", Kind: catalog.Int, Bits: 32}, Default: "0"},
			{Name: "kind", Type: catalog.Type{Name: "kind", Kind: catalog.Text, Labels: []string{"quill", "b"}}},
		}
	}
	people := &catalog.Table{ID: catalog.TableID{Schema: "public", Name: "people"}, Kind: catalog.Partitioned, Columns: columns(), PartitionKey: []string{"name"},
		Checks: []catalog.Definition{{Name: "spelled", Text: "CHECK ((name <> 'quill'::text))", Reads: []string{"name"}}, {Name: "numbered", Text: "CHECK ((n <> 4711))", Reads: []string{"n"}},
			{Name: "some", Text: "CHECK ((n > 0))", Reads: []string{"n"}}, {Name: "short", Text: "CHECK ((length(name) < 4711))", Reads: []string{"name"}}, {Name: "cities", Text: "CHECK ((city <> 'quill'))", Reads: []string{"city"}}},
		Indexes: []catalog.Definition{{Name: "some_names", Text: "CREATE INDEX some_names ON people (n) WHERE name = 'quill'", Reads: []string{"name"}}}}
	part := &catalog.Table{ID: catalog.TableID{Schema: "public", Name: "people_q"}, Kind: catalog.Ordinary, Columns: columns(), Parents: []catalog.TableID{people.ID}, IsPartition: true, Bounds: "FOR VALUES FROM ('quill') TO (MAXVALUE)"}
	rest := &catalog.Table{ID: catalog.TableID{Schema: "public", Name: "people_rest"}, Kind: catalog.Ordinary, Columns: columns(), Parents: []catalog.TableID{people.ID}, IsPartition: true, Bounds: "DEFAULT"}
	gone := &catalog.Table{ID: catalog.TableID{Schema: "public", Name: "gone"}, Kind: catalog.Ordinary, Columns: columns()[:2]}
	reads := func(column string) []catalog.ColumnID { return []catalog.ColumnID{{Table: people.ID, Column: column}} }
	c := catalog.New("postgres", "17", "public", []*catalog.Table{people, part, rest, gone}, []catalog.Object{
		{Kind: "view", Name: "public.known", Definition: "SELECT 1 FROM people WHERE name = 'Quill'", Reads: reads("name")},
		{Kind: "view", Name: "public.cities", Definition: "SELECT 1 FROM people WHERE city = 'Quill'", Reads: reads("city")},
		{Kind: "view", Name: "public.away", Definition: "SELECT 'Quill' FROM people WHERE name > ''", Reads: reads("name"), Fate: catalog.Stays, Reason: "needs another"},
		{Kind: "default", Name: "public.people.n", Fate: catalog.Stays, Reason: "calls another"}})
	p, err := Parse("p.yaml", []byte(`version: 1
keys: {k: {from: "file:k"}}
classes: {note: {kind: free_text, do: {shape: text}}, none: {kind: quasi, do: {"null": true}}, number: {kind: quasi, do: {constant: 7}}}
tables: {people: {columns: {name: note, kind: none, n: number, z: number}, keep: [city]}, gone: drop}
`))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := Compile(p, c, testKey(t), masking.Standard())
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, o := range compiled.InClear {
		if o.Fate != catalog.Noted || o.Reason == "" || o.Definition != "" || strings.Contains(strings.ToLower(o.Reason), "quill") {
			t.Errorf("%+v", o)
		}
		fmt.Fprintln(&got, o.Kind, o.Name)
	}
	want := `default public.gone.name
default public.gone.city
comment public.gone.city
default public.people.name
labels public.people.kind
constraint public.people.spelled
constraint public.people.numbered
index public.some_names
partition bounds public.people_q
view public.known
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

// Values stand in rules, policies, conditions and arguments of triggers, statistics, domains,
// expressions of computed columns, enums inside of other types, and in what a partition says
// for itself; what a partition has from its table, and names of columns, are not noted.
func TestInClearElsewhere(t *testing.T) {
	text, id := catalog.Type{Name: "text", Kind: catalog.Text}, catalog.TableID{Schema: "public", Name: "people"}
	moods := catalog.Type{Name: "public.mood[]", Kind: catalog.Array, Element: &catalog.Type{Name: "public.mood", Kind: catalog.Text, Labels: []string{"quill", "b"}}}
	columns := func(own string) []catalog.Column {
		return []catalog.Column{
			{Name: "name", Type: text, Default: "'Quill'::text" + own, Comment: "7" + own}, {Name: "city", Type: text},
			{Name: "code", Type: catalog.Type{Name: `public."long code"`, Kind: catalog.Text}}, {Name: "old", Type: catalog.Type{Name: "public.unused", Kind: catalog.Text}},
			{Name: "moods", Type: moods}, {Name: "pair", Type: catalog.Type{Name: "public.pair", Kind: catalog.Composite, Fields: []catalog.Field{{Name: "m", Type: *moods.Element}}}},
			{Name: "boss", Type: text, Generation: catalog.Stored, Computation: "CASE WHEN name = 'Quill' THEN city ELSE '' END", Comment: "as 'Quill'"},
			{Name: "town", Type: text, Generation: catalog.Stored, Computation: "CASE WHEN city = 'Quill' THEN city ELSE '' END"},
			{Name: "loud", Type: text, Generation: catalog.Stored, Computation: "upper(name)"},
		}
	}
	people := &catalog.Table{ID: id, Kind: catalog.Partitioned, Columns: columns(""), PartitionKey: []string{"city"},
		Checks:  []catalog.Definition{{Name: "spelled", Text: "CHECK ((boss <> 'quill'::text))", Reads: []string{"boss"}}},
		Indexes: []catalog.Definition{{Name: "some", Text: "CREATE INDEX some ON ONLY public.people USING btree (city) WHERE (name = 'quill'::text)", Reads: []string{"name"}}},
		Triggers: []catalog.Definition{
			{Name: "cond", Text: "CREATE TRIGGER cond BEFORE UPDATE ON public.people FOR EACH ROW WHEN ((new.name = 'Quill'::text)) EXECUTE FUNCTION public.f()", Reads: []string{"name"}, Function: "public.f()"},
			{Name: "args", Text: "CREATE TRIGGER args BEFORE UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION public.f('name', 'Quill')", Function: "public.f()"},
			{Name: "names", Text: "CREATE TRIGGER names BEFORE UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION public.f('name', 'city')", Function: "public.f()"},
			{Name: "kept", Text: "CREATE TRIGGER kept BEFORE UPDATE ON public.people FOR EACH ROW WHEN ((new.city = 'Quill'::text)) EXECUTE FUNCTION public.f()", Reads: []string{"city"}, Function: "public.f()"}}}
	part := &catalog.Table{ID: catalog.TableID{Schema: "public", Name: "people_q"}, Kind: catalog.Ordinary, Columns: columns(""), Parents: []catalog.TableID{id}, IsPartition: true, Bounds: "DEFAULT",
		Checks: people.Checks, Triggers: people.Triggers,
		Indexes: []catalog.Definition{{Name: "people_q_city_idx", Text: "CREATE INDEX people_q_city_idx ON public.people_q USING btree (city) WHERE (name = 'quill'::text)", Reads: []string{"name"}}}}
	own := &catalog.Table{ID: catalog.TableID{Schema: "public", Name: "people_r"}, Kind: catalog.Ordinary, Columns: columns(" || ''"), Parents: []catalog.TableID{id}, IsPartition: true, Bounds: "DEFAULT",
		Checks:  []catalog.Definition{people.Checks[0], {Name: "own", Text: "CHECK ((name <> 'ann'::text))", Reads: []string{"name"}}},
		Indexes: []catalog.Definition{{Name: "own_idx", Text: "CREATE INDEX own_idx ON public.people_r USING btree (city) WHERE (name = 'ann'::text)", Reads: []string{"name"}}}}
	c := catalog.New("postgres", "17", "public", []*catalog.Table{people, part, own, {ID: catalog.TableID{Schema: "x", Name: "public"}, Kind: catalog.Ordinary}}, []catalog.Object{
		{Kind: "rule", Name: "public.people.quiet", Definition: "CREATE RULE quiet AS ON DELETE TO public.people WHERE (old.name = 'Quill'::text) DO INSTEAD NOTHING"},
		{Kind: "rule", Name: "public.people.other", Definition: "CREATE RULE other AS ON DELETE TO public.people WHERE (old.city = 'Quill'::text) DO INSTEAD NOTHING"},
		{Kind: "rule", Name: "x.public.reads", Definition: "CREATE RULE reads AS ON DELETE TO x.public DO DELETE FROM public.people WHERE (people.name = 'Quill'::text)", Reads: []catalog.ColumnID{{Table: id, Column: "name"}}},
		{Kind: "policy", Name: "public.people.own", Definition: "USING ((name = 'Quill'::text))"},
		{Kind: "policy", Name: "public.people.away", Definition: "USING ((name = 'Quill'::text))", Fate: catalog.Stays, Reason: "is for a role"},
		{Kind: "extended statistics", Name: "public.stats", Definition: "CREATE STATISTICS public.stats ON city, ((name = 'Quill'::text)) FROM people_q"},
		{Kind: "extended statistics", Name: "public.quill", Definition: "CREATE STATISTICS public.quill ON city, ((name = 'Quill'::text)) FROM public.people_q"},
		{Kind: "domain", Name: "public.long code", Definition: "public.code CHECK (length(VALUE) < 4711)"},
		{Kind: "domain", Name: "public.code", Definition: "character varying(5000) DEFAULT 'Quill'::character varying CHECK (VALUE > '')"},
		{Kind: "domain", Name: "public.unused", Definition: "text CHECK (VALUE <> 'Quill'::text)"},
		{Kind: "domain", Name: "public.circle", Definition: "public.circle CHECK (VALUE <> 'Quill'::text)"}})
	p, err := Parse("p.yaml", []byte(`version: 1
keys: {k: {from: "file:k"}}
classes: {note: {kind: free_text, do: {shape: text}}, none: {kind: quasi, do: {"null": true}}}
tables: {people: {columns: {name: note, code: note, moods: none, pair: none}, keep: [city, old]}, x.public: {}}
`))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := Compile(p, c, testKey(t), masking.Standard())
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, o := range compiled.InClear {
		fmt.Fprintln(&got, o.Kind, o.Name)
	}
	want := `default public.people.name
comment public.people.name
labels public.people.moods
labels public.people.pair
computed column public.people.boss
comment public.people.boss
constraint public.people.spelled
index public.some
trigger public.people.cond
trigger public.people.args
default public.people_r.name
comment public.people_r.name
constraint public.people_r.own
index public.own_idx
rule public.people.quiet
rule x.public.reads
policy public.people.own
extended statistics public.quill
domain public.code
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

// Where there are no schemas, an index is named by its table.
func TestInClearWithoutSchemas(t *testing.T) {
	people := &catalog.Table{ID: catalog.TableID{Name: "people"}, Kind: catalog.Ordinary, Columns: []catalog.Column{{Name: "name", Type: catalog.Type{Name: "text", Kind: catalog.Text}}},
		Indexes: []catalog.Definition{{Name: "quills", Text: "KEY `quills` ((`name` = 'quill'))", Reads: []string{"name"}}}}
	p, err := Parse("p.yaml", []byte("version: 1\nkeys: {k: {from: \"file:k\"}}\nclasses: {note: {kind: free_text, do: {shape: text}}}\ntables: {people: {columns: {name: note}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := Compile(p, catalog.New("mysql", "8.4", "", []*catalog.Table{people}, nil), testKey(t), masking.Standard())
	if err != nil || len(compiled.InClear) != 1 || compiled.InClear[0].Name != "people.quills" {
		t.Errorf("%+v, %v", compiled, err)
	}
}

// A view over a view holds what the first one would; numbers count in views as elsewhere.
func TestInClearOfViews(t *testing.T) {
	text := catalog.Type{Name: "text", Kind: catalog.Text}
	compile := func(connector, schema string, of func(string) catalog.TableID, reads bool) string {
		t.Helper()
		people := &catalog.Table{ID: of("people"), Kind: catalog.Ordinary, Columns: []catalog.Column{{Name: "name", Type: text}, {Name: "city", Type: text}}}
		column := func(table, name string) []catalog.ColumnID {
			if !reads && table != "people" {
				return nil
			}
			return []catalog.ColumnID{{Table: of(table), Column: name}}
		}
		view := func(name, words string, reads ...[]catalog.ColumnID) catalog.Object {
			o := catalog.Object{Kind: "view", Name: of(name).String(), Definition: words}
			for _, r := range reads {
				o.Reads = append(o.Reads, r...)
			}
			return o
		}
		c := catalog.New(connector, "17", schema, []*catalog.Table{people}, []catalog.Object{
			view("v0", "SELECT full_name FROM v1 WHERE full_name = 'Ann Smith'", column("v1", "full_name")),
			view("v1", "SELECT name AS full_name, city FROM people", column("people", "name"), column("people", "city")),
			view("v2", "SELECT full_name FROM v0 WHERE full_name <> 'Bob Smith'", column("v0", "full_name")),
			view("v3", "SELECT city FROM v1 WHERE city = 'Rome'", column("v1", "city")),
			view("v4", "SELECT 1 FROM people WHERE name = 4711", column("people", "name")),
			view("v5", "SELECT 1 FROM people WHERE city = 'Rome'", column("people", "city")),
		})
		p, err := Parse("p.yaml", []byte("version: 1\nkeys: {k: {from: \"file:k\"}}\nclasses: {note: {kind: free_text, do: {shape: text}}}\ntables: {people: {columns: {name: note}, keep: [city]}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := Compile(p, c, testKey(t), masking.Standard())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, o := range compiled.InClear {
			names = append(names, o.Name)
		}
		return strings.Join(names, " ")
	}
	inPublic := func(name string) catalog.TableID { return catalog.TableID{Schema: "public", Name: name} }
	if got, want := compile("postgres", "public", inPublic, true), "public.v0 public.v2 public.v4"; got != want {
		t.Errorf("postgres: %s, want %s", got, want)
	}
	// Other engines tell of tables alone, and a view over a view is known by its name.
	if got, want := compile("mysql", "", func(name string) catalog.TableID { return catalog.TableID{Name: name} }, false), "v0 v2 v3 v4"; got != want {
		t.Errorf("mysql: %s, want %s", got, want)
	}
}

// Code that names a column which is not kept may hold its values, and so may what is said of
// tables and of what reads them.
func TestInClearOfCodeAndComments(t *testing.T) {
	text, id := catalog.Type{Name: "text", Kind: catalog.Text}, catalog.TableID{Schema: "public", Name: "people"}
	people := &catalog.Table{ID: id, Kind: catalog.Ordinary, Columns: []catalog.Column{{Name: "full_name", Type: text, Comment: "as in Ann Smith"}, {Name: "city", Type: text, Comment: "as in Ann Smith"}}, Comment: "test row: Ann Smith"}
	kept := &catalog.Table{ID: catalog.TableID{Schema: "public", Name: "towns"}, Kind: catalog.Ordinary, Columns: []catalog.Column{{Name: "city", Type: text}}, Comment: "test row: Ann Smith"}
	function := func(name, body, comment string) catalog.Object {
		return catalog.Object{Kind: "function", Name: "public." + name, Comment: comment,
			Definition: "CREATE OR REPLACE FUNCTION public." + name + "(full_name text)\n RETURNS boolean\n LANGUAGE plpgsql\n SET search_path TO 'public', 'pg_temp'\nAS $function$" + body + "$function$\n"}
	}
	c := catalog.New("postgres", "17", "public", []*catalog.Table{people, kept}, []catalog.Object{
		function("vip", "BEGIN RETURN full_name IN ('Angela Merkel','Ann Smith'); END", ""),
		function("told", "BEGIN IF full_name IS NULL THEN RAISE EXCEPTION 'nobody' USING HINT = 'say who'; END IF; RETURN TRUE; END", "not for Ann Smith"),
		function("op", "BEGIN IF TG_OP = 'INSERT' THEN full_name := ''; END IF; RETURN full_name > ''; END", "tells where one is"),
		function("elsewhere", "BEGIN PERFORM log('Ann Smith'); RETURN full_name IS NULL; END", ""),
		function("put", "BEGIN INSERT INTO people (full_name) VALUES ('Ann Smith'); RETURN TRUE; END", ""),
		function("through", "BEGIN RETURN (SELECT full_name || 'Ann' > city FROM some, towns); END", ""),
		function("gone", "BEGIN RETURN full_name = 'Ann Smith'; END", "as of 1999"),
		{Kind: "view", Name: "public.some", Definition: "SELECT full_name FROM people", Reads: []catalog.ColumnID{{Table: id, Column: "full_name"}}, Comment: "see 'Ann'"},
		{Kind: "view", Name: "public.cities", Definition: "SELECT city FROM people", Reads: []catalog.ColumnID{{Table: id, Column: "city"}}, Comment: "see 'Ann'"},
		{Kind: "policy", Name: "public.people.p", Definition: "USING (true)", Comment: "for 4711"},
		{Kind: "trigger", Name: "public.towns.t", Comment: "for 4711"}})
	for i := range c.Objects {
		if c.Objects[i].Name == "public.gone" {
			c.Objects[i].Fate, c.Objects[i].Reason = catalog.Stays, "calls another"
		}
	}
	p, err := Parse("p.yaml", []byte("version: 1\nkeys: {k: {from: \"file:k\"}}\nclasses: {note: {kind: free_text, do: {shape: text}}}\ntables: {people: {columns: {full_name: note}, keep: [city]}, towns: {keep: [city]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := Compile(p, c, testKey(t), masking.Standard())
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, o := range compiled.InClear {
		fmt.Fprintln(&got, o.Kind, o.Name)
	}
	want := `comment public.people.full_name
comment public.people
function public.vip
comment public.told
function public.put
function public.through
comment public.some
comment public.people.p
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	// Where triggers are code, that is looked into.
	people.Triggers = []catalog.Definition{
		{Name: "vip", Text: "CREATE TRIGGER vip BEFORE INSERT ON people FOR EACH ROW SET NEW.city = IF(NEW.full_name = 'Ann Smith', 'Rome', NEW.city)"},
		{Name: "plain", Text: "CREATE TRIGGER plain BEFORE INSERT ON people FOR EACH ROW SET NEW.city = 'Rome'"}}
	compiled, err = Compile(p, catalog.New("mysql", "8.4", "public", []*catalog.Table{people, kept}, nil), testKey(t), masking.Standard())
	if err != nil || len(compiled.InClear) != 3 || compiled.InClear[1].Name != "public.people.vip" {
		t.Errorf("%+v, %v", compiled, err)
	}
}

// Of code with masked columns that of an ordinary database says little: what it has are keys of
// documents, forms, names of things, and columns of the same name that are kept.
func TestInClearOfOrdinaryCode(t *testing.T) {
	const tables = `schema public
table people
id int4 notnull pk
email text
state text
table orders
id int4 notnull pk
person_id int4
state text
total int4
at timestamptz
fk (person_id) -> people (id)
table visitors
id int4 notnull pk
email text
trigger v BEFORE INSERT ON public.visitors FOR EACH ROW EXECUTE FUNCTION public.of_visitors()
`
	const policy = `classes: {person_id: {kind: pseudonym, do: {pseudonym: id}}, note: {kind: free_text, do: {shape: text}}}
tables:
  people: {columns: {id: person_id, email: note, state: note}}
  orders: {columns: {person_id: person_id}, keep: [id, state, total, at]}
  visitors: {columns: {email: note}, keep: [id]}
`
	for body, want := range map[string]bool{
		"SELECT json_build_object('id', id, 'total', total) FROM orders":                             false,
		"SELECT to_char(at, 'YYYY-MM-DD'), person_id FROM orders":                                    false,
		"PERFORM log('order', NEW.id)":                                                               false,
		"INSERT INTO orders (id, person_id) VALUES (nextval('x'), 7)":                                false,
		"SELECT 1 FROM orders WHERE state = 'new'":                                                   false,
		"SELECT date_trunc('month', at), email FROM orders, people":                                  false,
		"SELECT jsonb_build_object('mail', lower(email), 'of', (SELECT max(id) FROM t)) FROM people": false,
		"SELECT jsonb_build_object('mail', email, 'boss', 'Ann') FROM people":                        true,
		"SELECT json_object('Ann', email) FROM people":                                               false,
		"SELECT to_char('Ann'), email FROM people":                                                   true,
		"SELECT 1 FROM people WHERE state = 'new'":                                                   true,
		"SELECT 1 FROM orders JOIN people ON email = 'ann@corp.example'":                             true,
		"RETURN regexp_replace(lower(email), '[^a-z]+', 'Ann')":                                      false,
		"RETURN email IN ('ann@corp.example')":                                                       true,
		"RETURN 'Dear ' || email":                                                                    false,
		"EXECUTE 'UPDATE ' || t || ' SET email = $1' USING email || 'Ann'":                           true,
		"UPDATE people SET email = 'ann@corp.example'":                                               true,
		"INSERT INTO orders (id) SELECT 7 FROM visitors WHERE email || 'x' > ''":                     true,
		"INSERT INTO orders (id) SELECT 7 FROM visitors WHERE state || 'x' > ''":                     false,
	} {
		c, _, err := watched(t, tables+"function public.f() "+body+"\n", policy)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(c.InClear) > 0; got != want {
			t.Errorf("%s: %v", body, c.InClear)
		}
	}
	// A function of a table's triggers speaks of its columns without its name.
	c, _, err := watched(t, tables+"function public.of_visitors() INSERT INTO orders (id) VALUES (7); NEW.email := 'Dear ' || NEW.email\n", policy)
	if err != nil || len(c.InClear) != 1 {
		t.Errorf("%v, %v", c, err)
	}
}
