package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Every feature is found in what a dump says of it, by a server that is one version too
// old, and by no later one.
func TestLacking(t *testing.T) {
	id := func(name string) catalog.TableID { return catalog.TableID{Schema: "public", Name: name} }
	c := catalog.New("", "", "", []*catalog.Table{
		{ID: id("e"), Columns: []catalog.Column{{Name: "s", Generation: catalog.Stored, Computation: "EXTRACT(epoch FROM at)"}}},
		{ID: id("q"), Columns: []catalog.Column{{Name: "data", Type: catalog.Type{Name: "jsonb"}}}},
		{ID: id("p"), Kind: catalog.Partitioned, Triggers: []catalog.Definition{{Name: "before x"}, {Name: "after"}}, ForeignKeys: []catalog.ForeignKey{{Name: "fk"}}, Rules: []catalog.Rule{{Name: "ex", Exclusion: true}}},
		{ID: id("p before"), Kind: catalog.Ordinary, Triggers: []catalog.Definition{{Name: "x"}}, ForeignKeys: []catalog.ForeignKey{{Name: "fk"}}},
	}, nil)
	found := map[string]bool{}
	for _, l := range []struct {
		since           int
		what            string
		kind, name, sql string
	}{
		{13, "the types xid8, pg_snapshot and regcollation", "TABLE", "t", "CREATE TABLE public.t (\n    rc regcollation\n);"},
		{13, "the types anycompatible", "FUNCTION", "f", "CREATE FUNCTION public.f(anycompatible, anycompatiblearray) RETURNS anycompatible\n    LANGUAGE sql\n    AS $_$select $1$_$;"},
		{13, "BEFORE ROW triggers of partitioned tables", "TRIGGER", "p before x", `CREATE TRIGGER "before x" BEFORE INSERT OR UPDATE OF b ON public.p FOR EACH ROW WHEN ((new.a > 0)) EXECUTE FUNCTION public.tf();`},
		{13, "parameters of operator classes", "INDEX", "i", "CREATE INDEX i ON public.b USING gist (path ext.gist_ltree_ops (siglen='100'));"},
		{13, "options in operator classes", "OPERATOR CLASS", "o", "CREATE OPERATOR CLASS public.o\n    FOR TYPE text USING gist AS\n    FUNCTION 1 (text, text) public.f(internal) ,\n    FUNCTION 10 (text, text) public.options(internal);"},
		{13, "publications by the root of partitions", "PUBLICATION", "p", "CREATE PUBLICATION p WITH (publish = 'insert', publish_via_partition_root = true);"},
		{13, "publications of partitioned tables", "PUBLICATION TABLE", "pub p", "ALTER PUBLICATION pub ADD TABLE ONLY public.p;"},
		{13, "FETCH FIRST … WITH TIES", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT a\n   FROM public.p\n  ORDER BY a\n FETCH FIRST (3) ROWS WITH TIES;"},
		{13, "normal forms of Unicode", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT (b IS NFC NORMALIZED) AS x\n   FROM public.p;"},
		{13, "datetime() in JSON paths", "TABLE", "t", "CREATE TABLE public.t (\n    j jsonpath DEFAULT '$.datetime()'::jsonpath\n);"},
		{13, "the function gen_random_uuid", "TABLE", "t", "CREATE TABLE public.t (\n    u uuid DEFAULT gen_random_uuid()\n);"},
		{13, "the function normalize", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT NORMALIZE(b, NFD) AS y\n   FROM public.p;"},
		{14, "multiranges", "TABLE", "t", "CREATE TABLE public.t (\n    a integer,\n    r int4multirange\n);"},
		{14, "multiranges", "TABLE", "t", "CREATE TABLE public.t (\n    r public.\"many r\"[]\n);"},
		{14, "multiranges", "FUNCTION", "f", "CREATE FUNCTION public.f(a anymultirange) RETURNS integer\n    LANGUAGE sql\n    AS $_$select 1$_$;"},
		{14, "multiranges", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT public.\"many r\"(t.r) AS m\n   FROM public.t;"},
		{14, "multiranges", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT ('{}'::text)::int4multirange AS m;"},
		{14, "SQL bodies of functions", "FUNCTION", "f", "CREATE FUNCTION public.f() RETURNS integer\n    LANGUAGE sql\n    RETURN 1;"},
		{14, "procedures with OUT parameters", "PROCEDURE", "f", "CREATE PROCEDURE public.f(OUT n integer)\n    LANGUAGE plpgsql\n    AS $$begin end$$;"},
		{14, "statistics of expressions", "STATISTICS", "s", "CREATE STATISTICS public.s ON lower(a), (b % 7) FROM public.t;"},
		{14, "SEARCH and CYCLE of recursive queries", "VIEW", "v", "CREATE VIEW public.v AS\n WITH RECURSIVE t(id) AS (SELECT 1) SEARCH DEPTH FIRST BY id SET seen\n SELECT id FROM t;"},
		{14, "columns beside the key of an SP-GiST index", "INDEX", "i", "CREATE INDEX i ON public.t USING spgist (p) INCLUDE (id);"},
		{14, "subscripts of jsonb", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT other['a'::text] AS x\n   FROM public.q;"},
		{14, "subscripts of jsonb", "TABLE", "t", "CREATE TABLE public.t (\n    data jsonb,\n    CONSTRAINT c CHECK ((data[0] IS NOT NULL))\n);"},
		{14, "GROUP BY DISTINCT", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT a\n   FROM public.p\n  GROUP BY DISTINCT ROLLUP(a, b), ROLLUP(a);"},
		{14, "a name for the columns of JOIN … USING", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT p.a\n   FROM (public.p\n     JOIN public.q USING (a, b) AS j);"},
		{14, "the classes bloom and minmax_multi of BRIN", "INDEX", "i", "CREATE INDEX i ON public.b USING brin (id int4_minmax_multi_ops);"},
		{14, "sorting in classes of GiST", "OPERATOR CLASS", "o", "CREATE OPERATOR CLASS public.o\n    FOR TYPE text USING gist AS\n    FUNCTION 11 (text, text) public.sort(internal);"},
		{14, "EXTRACT as a numeric", "TABLE", "e", "CREATE TABLE public.e (\n    at timestamp without time zone,\n    s numeric GENERATED ALWAYS AS (EXTRACT(epoch FROM at)) STORED\n);"},
		{14, "EXTRACT as a numeric", "MATERIALIZED VIEW", "v", "CREATE MATERIALIZED VIEW public.v AS\n SELECT EXTRACT(year FROM at) AS y,\n    EXTRACT(epoch FROM at) AS s\n   FROM public.e\n  WITH NO DATA;"},
		{14, "the function string_to_table", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT string_to_table(b, ','::text) AS s\n   FROM public.p;"},
		{15, "NULLS NOT DISTINCT", "INDEX", "i", "CREATE UNIQUE INDEX i ON public.t USING btree (a) NULLS NOT DISTINCT;"},
		{15, "SET NULL and SET DEFAULT for some columns of a key", "FK CONSTRAINT", "t f", "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT f FOREIGN KEY (y, x) REFERENCES public.pairs(y, x) ON DELETE SET NULL (x);"},
		{15, "security_invoker views", "VIEW", "v", "CREATE VIEW public.v WITH (security_invoker='true') AS\n SELECT 1;"},
		{15, "numbers with a negative scale", "TABLE", "t", "CREATE TABLE public.t (\n    n numeric(3,-2)\n);"},
		{15, "numbers with a scale above their precision", "TABLE", "t", "CREATE TABLE public.t (\n    m numeric(12,2),\n    n numeric(2,5)\n);"},
		{15, "MERGE in a function", "FUNCTION", "f", "CREATE FUNCTION public.f() RETURNS void\n    LANGUAGE sql\n    BEGIN ATOMIC\n MERGE INTO public.q\n    USING public.p\n    ON (q.a = p.a)\n    WHEN MATCHED\n     THEN DELETE;\nEND;"},
		{15, "publications of some rows or columns", "PUBLICATION TABLE", "pub q", "ALTER PUBLICATION pub ADD TABLE ONLY public.q WHERE ((a > 1));"},
		{15, "publications of some rows or columns", "PUBLICATION TABLE", "pub q", `ALTER PUBLICATION pub ADD TABLE ONLY public."the q" (a);`},
		{15, "publications of schemas", "PUBLICATION TABLES IN SCHEMA", "pub a", "ALTER PUBLICATION pub ADD TABLES IN SCHEMA a;"},
		{15, "the function regexp_like", "TABLE", "t", "CREATE TABLE public.t (\n    a text,\n    CONSTRAINT c CHECK (regexp_like(a, '^x'::text))\n);"},
		{16, "collations with rules", "COLLATION", "c", "CREATE COLLATION public.c (provider = icu, locale = 'und', rules = '& V << w');"},
		{16, "IS JSON and JSON constructors", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT (NOT (a IS NOT JSON OBJECT)) AS x\n   FROM public.p;"},
		{16, "IS JSON and JSON constructors", "TABLE", "t", "CREATE TABLE public.t (\n    doc text,\n    CONSTRAINT c CHECK ((doc IS JSON))\n);"},
		{16, "IS JSON and JSON constructors", "CHECK CONSTRAINT", "t c", "ALTER TABLE public.t\n    ADD CONSTRAINT c CHECK ((doc IS JSON)) NOT VALID;"},
		{16, "IS JSON and JSON constructors", "INDEX", "i", "CREATE INDEX i ON public.t USING btree (a) WHERE (doc IS JSON);"},
		{16, "IS JSON and JSON constructors", "TRIGGER", "t c", "CREATE TRIGGER c BEFORE INSERT ON public.t FOR EACH ROW WHEN ((new.a IS JSON)) EXECUTE FUNCTION public.tf();"},
		{16, "the collation unicode", "INDEX", "i", "CREATE INDEX i ON public.t USING btree (a COLLATE unicode);"},
		{16, "the collation unicode", "TABLE", "t", "CREATE TABLE public.t (\n    a text COLLATE pg_catalog.unicode\n);"},
		{16, "XMLSERIALIZE … INDENT", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT XMLSERIALIZE(DOCUMENT x AS text NO INDENT) AS n\n   FROM public.p;"},
		{16, "SYSTEM_USER", "TABLE", "t", "CREATE TABLE public.t (\n    who text DEFAULT SYSTEM_USER\n);"},
		{16, "the function erf", "INDEX", "i", "CREATE INDEX i ON public.t USING btree (erf((a)::double precision));"},
		{17, "JSON_TABLE and the functions of SQL/JSON", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT JSON_VALUE(a, '$' RETURNING text) AS x\n   FROM public.p;"},
		{17, "JSON_TABLE and the functions of SQL/JSON", "POLICY", "t p", "CREATE POLICY p ON public.t USING ((JSON_VALUE((a)::jsonb, '$.\"x\"' RETURNING text) = 'b'::text));"},
		{17, "the collation pg_c_utf8", "INDEX", "i", "CREATE INDEX i ON public.t USING btree (a COLLATE pg_c_utf8);"},
		{17, "built-in collations", "COLLATION", "c", "CREATE COLLATION public.c (provider = builtin, locale = 'C.UTF-8');"},
		{17, "exclusion constraints of partitioned tables", "CONSTRAINT", "p ex", "ALTER TABLE ONLY public.p\n    ADD CONSTRAINT ex EXCLUDE USING gist (room WITH =, during WITH &&);"},
		{17, "event triggers on login", "EVENT TRIGGER", "e", "CREATE EVENT TRIGGER e ON login\n   EXECUTE FUNCTION public.ev();"},
		{17, "AT LOCAL", "VIEW", "v", "CREATE VIEW public.v AS\n SELECT (e AT LOCAL) AS l\n   FROM public.p;"},
		{17, "MERGE … RETURNING", "FUNCTION", "f", "CREATE FUNCTION public.f() RETURNS SETOF integer\n    LANGUAGE sql\n    BEGIN ATOMIC\n MERGE INTO public.q\n    USING public.p\n    ON (q.a = p.a)\n    WHEN MATCHED\n     THEN DELETE\n   RETURNING q.a;\nEND;"},
		{17, "methods of JSON paths", "TABLE", "t", "CREATE TABLE public.t (\n    j jsonpath DEFAULT '$.\"a\".bigint()'::jsonpath\n);"},
		{17, "the function to_bin", "POLICY", "t p", "CREATE POLICY p ON public.t USING ((to_bin(a) <> ''::text));"},
		{18, "constraints that are not enforced", "CHECK CONSTRAINT", "t c", "ALTER TABLE public.t\n    ADD CONSTRAINT c CHECK ((n > 0)) NOT ENFORCED;"},
		{18, "keys WITHOUT OVERLAPS", "CONSTRAINT", "t k", "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT k PRIMARY KEY (room, during WITHOUT OVERLAPS);"},
		{18, "keys over a PERIOD", "FK CONSTRAINT", "t k", "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT k FOREIGN KEY (room, PERIOD during) REFERENCES public.s(room, PERIOD during);"},
		{18, "NOT NULL constraints that are not validated, or not inherited", "TABLE", "t", "CREATE TABLE public.t (\n    a integer CONSTRAINT stays_here NOT NULL NO INHERIT\n);"},
		{18, "NOT NULL constraints that are not validated, or not inherited", "CONSTRAINT", "t later", "ALTER TABLE public.t\n    ADD CONSTRAINT later NOT NULL b NOT VALID;"},
		{18, "names for the old and the new row", "FUNCTION", "f", "CREATE FUNCTION public.f() RETURNS void\n    LANGUAGE sql\n    BEGIN ATOMIC\n UPDATE public.q SET a = 1\n   RETURNING WITH (OLD AS o) o.a;\nEND;"},
		{18, "foreign keys of partitioned tables that are not validated", "FK CONSTRAINT", "p fk", "ALTER TABLE public.p\n    ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES public.base(id) NOT VALID;"},
		{18, "the collation PG_UNICODE_FAST", "COLLATION", "c", "CREATE COLLATION public.c (provider = builtin, locale = 'PG_UNICODE_FAST');"},
		{18, "the collation pg_unicode_fast", "INDEX", "i", "CREATE INDEX i ON public.t USING btree (a COLLATE pg_unicode_fast);"},
		{18, "publications of computed columns", "PUBLICATION", "p", "CREATE PUBLICATION p WITH (publish = 'insert', publish_generated_columns = stored);"},
		{18, "skipping or numbers of strategies in operator classes", "OPERATOR FAMILY", "o", "ALTER OPERATOR FAMILY public.o USING btree ADD\n    FUNCTION 6 (text, text) public.skip(internal);"},
		{18, "the function uuidv7", "TABLE", "t", "CREATE TABLE public.t (\n    v uuid DEFAULT uuidv7()\n);"},
	} {
		e := entry{Kind: l.kind, Schema: "public", Name: l.name, SQL: l.sql}
		d := &definitions{Before: []entry{{Kind: "TYPE", SQL: "CREATE TYPE public.r AS RANGE (\n    subtype = text,\n    multirange_type_name = public.\"many r\"\n);"}, {Kind: "DOMAIN", SQL: "CREATE DOMAIN public.dd AS text CONSTRAINT nn NOT NULL\n\tCONSTRAINT dd_check CHECK ((VALUE <> ''::text));"}, {Kind: "TABLE", SQL: "CREATE TABLE public.dt (\n    a integer CONSTRAINT \"n n\" NOT NULL\n);"}}, After: []entry{e}}
		all := lacking(d, c, l.since-1)
		if len(all) != 1 || all[0].since != l.since || all[0].name != l.what || all[0].object != e.String() {
			t.Errorf("PostgreSQL %d: %+v; want %s of %d", l.since-1, all, l.what, l.since)
			continue
		}
		f := all[0].feature
		for _, f := range lacking(d, c, l.since) {
			t.Errorf("PostgreSQL %d lacks %s of %d", l.since, f.name, f.since)
		}
		name := f.name
		if strings.HasPrefix(name, "the function ") {
			name = "the function"
		}
		found[fmt.Sprint(f.since, name)] = true
	}
	for _, f := range needed {
		if !found[fmt.Sprint(f.since, f.name)] {
			t.Errorf("no line for %s of PostgreSQL %d", f.name, f.since)
		}
	}
}

// All that a target lacks is said at once, and the version that has it all.
func TestLacksAll(t *testing.T) {
	d := &definitions{Before: []entry{
		{Kind: "TABLE", Schema: "public", Name: "t", SQL: "CREATE TABLE public.t (\n    v uuid DEFAULT uuidv7()\n);"},
		{Kind: "VIEW", Schema: "public", Name: "v", SQL: "CREATE VIEW public.v AS\n SELECT SYSTEM_USER AS s;"},
		{Kind: "VIEW", Schema: "public", Name: "w", SQL: "CREATE VIEW public.w AS\n SELECT SYSTEM_USER AS s;"},
	}}
	s := &sink{config: &config{side: connectors.SinkSide}, major: 15}
	err := s.lacks("begin", lacking(d, &catalog.Catalog{Connector: "postgres", Server: "18.1"}, 15)...)
	var e *connectors.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	want := "PostgreSQL 15 does not know what the source needs: view public.v has SYSTEM_USER; table public.t has the function uuidv7"
	if e.Kind != connectors.KindUnsupported || e.Err.Error() != want || e.Hint != "use a target of version 18 or later" {
		t.Errorf("%s\nhint: %s\nwant %s", e.Err, e.Hint, want)
	}
	if err := s.lacks("begin"); err != nil {
		t.Error(err)
	}
}

// What only looks like a feature is none: an old server takes all of these.
func TestNotLacking(t *testing.T) {
	id := func(name string) catalog.TableID { return catalog.TableID{Schema: "public", Name: name} }
	c := catalog.New("", "", "", []*catalog.Table{
		{ID: id("t"), Columns: []catalog.Column{{Name: "y", Generation: catalog.Stored, Computation: "(EXTRACT(year FROM d))::integer"}, {Name: "x", Generation: catalog.Stored, Computation: "('EXTRACT('::text || a)"}}},
		{ID: id("o"), Columns: []catalog.Column{{Name: "data", Type: catalog.Type{Name: "jsonb"}}, {Name: "a", Type: catalog.Type{Name: "_text"}}}},
		{ID: id("p"), Kind: catalog.Partitioned, Triggers: []catalog.Definition{{Name: "after"}}, ForeignKeys: []catalog.ForeignKey{{Name: "fk"}}},
		{ID: id("p before"), Kind: catalog.Ordinary, Triggers: []catalog.Definition{{Name: "x"}}, ForeignKeys: []catalog.ForeignKey{{Name: "fk"}}},
	}, nil)
	d := &definitions{After: []entry{
		{Kind: "TABLE", Schema: "public", Name: "t", SQL: "CREATE TABLE public.t (\n    gcd integer,\n    u uuid DEFAULT public.gen_random_uuid(),\n    t text DEFAULT 'uuidv7() and gcd(1,2)'::text,\n    n numeric(5,5),\n    a integer CONSTRAINT x NOT NULL,\n    CONSTRAINT lcm CHECK ((lcm > 0)),\n    y integer GENERATED ALWAYS AS ((EXTRACT(year FROM d))::integer) STORED,\n    CONSTRAINT later CHECK ((EXTRACT(year FROM d) > (2000)::numeric))\n)\nWITH (fillfactor='50');"},
		{Kind: "TYPE", Schema: "public", Name: "r", SQL: "CREATE TYPE public.r AS RANGE (\n    subtype = text,\n    multirange_type_name = public.r_multirange\n);"},
		{Kind: "VIEW", Schema: "public", Name: "s", SQL: "CREATE VIEW public.s AS\n SELECT 'int4multirange'::text AS t,\n    multirange_count AS n\n   FROM public.t;"},
		{Kind: "FUNCTION", Name: "f", SQL: "CREATE FUNCTION public.gcd(a integer) RETURNS integer\n    LANGUAGE sql\n    AS $_$SELECT casefold($1) -- MERGE INTO t RETURNING $_$;"},
		{Kind: "TRIGGER", Schema: "public", Name: "p before x", SQL: `CREATE TRIGGER x BEFORE INSERT ON public."p before" FOR EACH ROW EXECUTE FUNCTION public.tf();`},
		{Kind: "TRIGGER", Schema: "public", Name: "p after", SQL: `CREATE TRIGGER after AFTER INSERT ON public.p FOR EACH ROW EXECUTE FUNCTION public.tf();`},
		{Kind: "TRIGGER", Schema: "public", Name: "p after", SQL: `CREATE TRIGGER after BEFORE INSERT ON public.p FOR EACH STATEMENT EXECUTE FUNCTION public.tf();`},
		{Kind: "FK CONSTRAINT", Schema: "public", Name: "p before fk", SQL: "ALTER TABLE ONLY public.\"p before\"\n    ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES public.base(id) NOT VALID;"},
		{Kind: "INDEX", Name: "i", SQL: "CREATE INDEX i ON public.t USING btree (a, ((b = 'x'::text))) WITH (fillfactor='50') WHERE (c = 'x (a=''b'')'::text);"},
		{Kind: "PUBLICATION TABLE", Schema: "public", Name: "pub q", SQL: `ALTER PUBLICATION pub ADD TABLE ONLY public."q (a)";`},
		{Kind: "COMMENT", Schema: "public", Name: "CONSTRAINT lcm ON t", SQL: "COMMENT ON CONSTRAINT lcm ON public.t IS 'x';"},
		{Kind: "TABLE", Name: "t", SQL: "CREATE TABLE public.t (\n    data jsonb,\n    a text[] DEFAULT ARRAY['a'::text, 'b'::text],\n    c text COLLATE public.unicode DEFAULT 'it IS JSON COLLATE unicode',\n    CONSTRAINT x CHECK ((a[1] <> (ARRAY['a'::text])[1]))\n);"},
		{Kind: "FUNCTION", Name: "f", SQL: "CREATE FUNCTION public.f() RETURNS text\n    LANGUAGE plpgsql\n    AS $$begin return data['a'::text]; end$$;"},
		{Kind: "AGGREGATE", Name: "accum", SQL: "CREATE AGGREGATE public.accum(anycompatible) (\n    SFUNC = array_append,\n    STYPE = anycompatiblearray,\n    INITCOND = '{}'\n);"},
		{Kind: "TABLE", Name: "notes", SQL: "CREATE TABLE public.notes (\n    a text DEFAULT 'it''s\nALTER TABLE a ALTER b SET COMPRESSION lz4;\n'::text,\n    CONSTRAINT c CHECK ((a <> 'x WITH (deduplicate_items=off, vacuum_index_cleanup=auto)'::text))\n)\nWITH (fillfactor='50');"},
		{Kind: "INDEX", Name: "of_notes", SQL: "CREATE INDEX of_notes ON public.notes USING btree (a) WHERE (a <> 'x WITH (deduplicate_items=off)'::text);"},
		{Kind: "PROCEDURE", Name: "tune", SQL: "CREATE PROCEDURE public.tune()\n    LANGUAGE plpgsql\n    AS $$begin\nALTER TABLE t ALTER c SET COMPRESSION lz4;\nend$$;"},
		{Kind: "VIEW", Name: "v", SQL: "CREATE VIEW public.v AS\n SELECT p.a, date_part('year'::text, b) AS y, 'EXTRACT(' AS w, array_agg(x.y) AS gamma\n   FROM (public.p\n     JOIN public.q USING (a, b));"},
	}}
	for _, l := range lacking(d, c, oldest) {
		t.Errorf("%s has %s of PostgreSQL %d", l.object, l.name, l.since)
	}
	for _, f := range append(slices.Clone(forgoable), compressed) {
		for _, e := range d.After {
			if f.name == "a multirange beside a range" {
				continue // which is one of these
			}
			if _, found := f.finds(e, d, c); found {
				t.Errorf("%s has %s of PostgreSQL %d", e, f.name, f.since)
			}
		}
	}
}

// A source has nothing that its own version does not know, whatever its words look like: a
// label of an enum, a comment, the body of a function, of which a dump has every word.
func TestNotLackingItsOwn(t *testing.T) {
	for _, e := range []entry{
		{Kind: "TYPE", Name: "actor", SQL: "CREATE TYPE public.actor AS ENUM (\n    'ADMIN',\n    'SYSTEM_USER'\n);"},
		{Kind: "COMMENT", Name: "COLUMN t.who", SQL: "COMMENT ON COLUMN public.t.who IS 'a person, or SYSTEM_USER';"},
		{Kind: "FUNCTION", Name: "f", SQL: "CREATE FUNCTION public.f(a text) RETURNS json\n    LANGUAGE plpgsql\n    AS $$BEGIN RETURN JSON_OBJECT(ARRAY['a', a]); END$$;"},
		{Kind: "FUNCTION", Name: "g", SQL: "CREATE FUNCTION public.g(a text) RETURNS text\n    LANGUAGE plpgsql\n    AS $$BEGIN RETURN a; -- that it IS JSON was looked at before\nEND$$;"},
		{Kind: "FUNCTION", Name: "h", SQL: "CREATE FUNCTION public.h(a text) RETURNS text\n    LANGUAGE sql\n    AS $$SELECT ora.JSON_VALUE(a, '$.b')$$;"},
	} {
		d, c := &definitions{Before: []entry{e}}, &catalog.Catalog{Connector: "postgres", Server: "15.18"}
		for _, l := range lacking(d, c, 15) {
			t.Errorf("from 15 to 15: %s has %s of PostgreSQL %d", l.object, l.name, l.since)
		}
	}
}
