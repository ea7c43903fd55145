package postgres

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// TestNoValueInErrors makes the server refuse rows in every way in which its
// message quotes them. Each has a schema of its own in one database; what is refused when rows
// are loaded is so in one build.
func TestNoValueInErrors(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	all := map[string]struct {
		ddl    []string
		values []string // in the place of column v, row by row
		words  []string
	}{
		"too long":       {[]string{"CREATE TABLE t (id integer, v varchar(5))"}, []string{"ok", "tell-tale value"}, []string{"row 2", "too long", "22001"}},
		"check":          {[]string{"CREATE TABLE t (id integer, v text CONSTRAINT short CHECK (length(v) < 5))"}, []string{"ok", "tell-tale value"}, []string{"row 2", "constraint short", "23514"}},
		"enum":           {[]string{"CREATE TYPE e AS ENUM ('ok')", "CREATE TABLE t (id integer, v e)"}, []string{"ok", "tell-tale value"}, []string{"row 2", "column v", "22P02"}},
		"unique":         {[]string{"CREATE TABLE t (id integer, v text CONSTRAINT once UNIQUE)"}, []string{"tell-tale value", "tell-tale value"}, []string{"once", "23505"}},
		"encoding":       {[]string{"CREATE TABLE t (id integer, v text)"}, []string{"ok", "tell-tale \xff value"}, []string{"row 2", "column v", "22021"}},
		"json":           {[]string{"CREATE TABLE t (id integer, v jsonb)"}, []string{`"ok"`, `tell-tale value`}, []string{"row 2", "column v", "22P02"}},
		"not a number":   {[]string{"CREATE TABLE t (id integer, v numeric)"}, []string{"1", "tell-tale value"}, []string{"row 2", "column v", "malformed number"}},
		"no partition":   {[]string{"CREATE TABLE t (id integer, v text) PARTITION BY LIST (v)", "CREATE TABLE p PARTITION OF t FOR VALUES IN ('ok', NULL)"}, []string{"ok", "tell-tale value"}, []string{"row 2", "23514", "no partition"}},
		"text format":    {[]string{"CREATE TABLE t (id integer, v varchar(5), g aclitem)"}, []string{"ok", "tell-tale value"}, []string{"row 2", "column v", "22001"}},
		"function":       {[]string{"CREATE FUNCTION f(v text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN IF length(v) > 5 THEN RAISE EXCEPTION 'no %', v; END IF; RETURN true; END$$", "CREATE TABLE t (id integer, v text CHECK (SCHEMA.f(v)))"}, []string{"ok", "tell-tale value"}, []string{"row 2", "P0001", "function SCHEMA.f(text)"}},
		"dynamic SQL":    {[]string{"CREATE FUNCTION f(v text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN IF length(v) > 5 THEN EXECUTE 'SELECT ' || quote_ident(v); END IF; RETURN true; END$$", "CREATE TABLE t (id integer, v text CHECK (SCHEMA.f(v)))"}, []string{"ok", "tell-tale value"}, []string{"row 2", "42703", "function SCHEMA.f(text)"}},
		"names chosen":   {[]string{"CREATE FUNCTION f(v text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN IF length(v) > 5 THEN RAISE EXCEPTION USING MESSAGE = v, TABLE = v, COLUMN = v, CONSTRAINT = v, DATATYPE = v, ERRCODE = '23514'; END IF; RETURN true; END$$", "CREATE TABLE t (id integer, v text CHECK (SCHEMA.f(v)))"}, []string{"ok", "tell-tale value"}, []string{"row 2", "23514", "function SCHEMA.f(text)"}},
		"index function": {[]string{"CREATE FUNCTION f(v text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$BEGIN IF v LIKE 'tell%' THEN RAISE EXCEPTION 'no %', v; END IF; RETURN 1; END$$", "CREATE TABLE t (id integer, v text)", "CREATE INDEX i ON t ((SCHEMA.f(v)))"}, []string{"ok", "tell-tale value"}, []string{"make index SCHEMA.i", "P0001", "function SCHEMA.f(text)"}},
		"foreign key":    {[]string{"CREATE TABLE r (v text PRIMARY KEY)", "CREATE TABLE t (id integer, v text CONSTRAINT points REFERENCES r)"}, []string{"ok", "tell-tale value"}, []string{"points", "23503"}},
	}
	schemaOf := func(name string) string { return "of_" + strings.ToLower(strings.ReplaceAll(name, " ", "_")) }
	inSchema := func(name, text string) string { return strings.ReplaceAll(text, "SCHEMA", schemaOf(name)) }
	for name, c := range all {
		ddl := []string{"CREATE SCHEMA " + schemaOf(name), "SET search_path = " + schemaOf(name)}
		for _, sql := range c.ddl {
			ddl = append(ddl, inSchema(name, sql))
		}
		first := "'ok'"
		switch name {
		case "not a number":
			first = "'1'"
		case "json":
			first = `'"ok"'`
		case "foreign key":
			ddl = append(ddl, "INSERT INTO r VALUES ('ok')")
		}
		a.Exec(t, dsn, append(ddl, "INSERT INTO t (id, v) VALUES (1, "+first+")", "INSERT INTO t (id, v) VALUES (2, NULL)")...)
	}
	snap, err := openSnapshot(t, dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	shared := beginBuild(t, snap, a.DSN(a.Name(t)), 0)
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			b, finish := shared, name == "unique" || name == "index function" || name == "foreign key"
			if finish {
				b = beginBuild(t, snap, a.DSN(a.Name(t)), 0)
			}
			err := loadReplaced(t, snap, b, schemaOf(name), c.values)
			if finish && err == nil {
				err = finishUnloaded(t, snap, b)
			}
			kind := connectors.KindIntegrity
			if name == "dynamic SQL" {
				kind = connectors.KindOther
			}
			var words []string
			for _, w := range c.words {
				words = append(words, inSchema(name, w))
			}
			wants(t, err, kind, connectors.SinkSide, words...)
			if err != nil && (strings.Contains(err.Error(), "tell-tale") || strings.Contains(connectors.Hint(err), "tell-tale")) {
				t.Errorf("the value is in the error: %v", err)
			}
		})
	}
}

// A definition whose functions the server runs when it is made: what they raise at the target is
// not said, whichever class they give it.
func TestNoValueInDefinitions(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE registry (id int)", "INSERT INTO registry VALUES (1)",
		`CREATE FUNCTION registered(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$BEGIN IF NOT EXISTS (SELECT FROM public.registry) THEN RAISE EXCEPTION 'customer % unknown', v USING ERRCODE = 'undefined_object'; END IF; RETURN v; END$$`,
		"CREATE TABLE z (id int, v text GENERATED ALWAYS AS (registered('tell-tale')) STORED)")
	err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 1}, from, to)
	if err == nil || !strings.Contains(err.Error(), "make table public.z: object does not exist: function public.registered(text) (SQLSTATE 42704)") || strings.Contains(err.Error()+connectors.Hint(err), "tell-tale") {
		t.Errorf("the error is %v, hint %q", err, connectors.Hint(err))
	}
}

// What the server's own code says of names is said as it is; what code of people has said may be
// anything.
func TestSpoken(t *testing.T) {
	const said = "what was said"
	for name, c := range map[string]struct {
		pg   pgconn.PgError
		kept bool
	}{
		"the server":                         {pgconn.PgError{File: "aclchk.c"}, true},
		"its planner":                        {pgconn.PgError{File: "plancat.c"}, true},
		"a process beside it":                {pgconn.PgError{File: "tablecmds.c", Where: "parallel worker"}, true},
		"the script of an extension":         {pgconn.PgError{File: "pg_type.c", Where: "SQL statement \"CREATE TYPE x\"\nextension script file \"x--1.sql\", near line 3"}, true},
		"code in the script of an extension": {pgconn.PgError{File: "pg_type.c", Where: "SQL statement \"CREATE TYPE x\"\nPL/pgSQL function inline_code_block line 3 at SQL statement\nextension script file \"x--1.sql\", near line 3"}, false},
		"RAISE":                              {pgconn.PgError{File: "pl_exec.c"}, false},
		"Perl":                               {pgconn.PgError{File: "plperl.c", Where: "PL/Perl function \"f\""}, false},
		"Python":                             {pgconn.PgError{File: "plpy_elog.c"}, false},
		"the server, in a function in SQL":   {pgconn.PgError{File: "namespace.c", Where: "SQL function \"f\" statement 1"}, false},
		"the server, in a function in pgSQL": {pgconn.PgError{File: "namespace.c", Where: "PL/pgSQL function public.f(integer) line 3 at RETURN"}, false},
		"the server, in a statement of code": {pgconn.PgError{File: "namespace.c", Where: "SQL statement \"SELECT 1\""}, false},
		"a function in parallel":             {pgconn.PgError{File: "namespace.c", Where: "PL/pgSQL function public.f(integer) line 3 at RETURN\nparallel worker"}, false},
		"a language that nobody here knows":  {pgconn.PgError{File: "v8.cc", Where: "f() LINE 3: throw"}, false},
	} {
		c.pg.Code, c.pg.Message = "42501", said
		if got := spoken(&c.pg).text; (got == said) != c.kept {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// loadReplaced loads the tables of a schema, with values in the place of every column v.
func loadReplaced(t *testing.T, snap connectors.Snapshot, b connectors.Build, schema string, values []string) error {
	t.Helper()
	ctx := t.Context()
	loaded := 0
	defer func() {
		if loaded == 0 {
			t.Errorf("nothing of %s was loaded", schema)
		}
	}()
	for _, tab := range snap.Catalog().Tables {
		if !tab.StoresRows() || tab.ID.Schema != schema {
			continue
		}
		loaded++
		var decoded []string
		if tab.Column("id") != nil {
			decoded = []string{"v"}
		}
		layout, err := snap.Layout(tab.ID, decoded)
		if err != nil {
			t.Fatal(err)
		}
		chunks, err := snap.Split(ctx, tab.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			if err := replaceChunk(ctx, snap, b, c, layout, values); err != nil {
				return err
			}
		}
	}
	return nil
}

// finishUnloaded finishes a build whose other tables are empty.
func finishUnloaded(t *testing.T, snap connectors.Snapshot, b connectors.Build) error {
	for _, tab := range snap.Catalog().Tables {
		if tab.StoresRows() {
			if err := b.TableLoaded(t.Context(), tab.ID); err != nil {
				return err
			}
		}
	}
	return b.Finish(t.Context())
}

func replaceChunk(ctx context.Context, snap connectors.Snapshot, b connectors.Build, c connectors.Chunk, layout *connectors.Layout, values []string) error {
	in, err := snap.Read(ctx, c, layout)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := b.Load(ctx, c, layout)
	if err != nil {
		return err
	}
	defer out.Abort()
	for {
		batch, err := in.Next(ctx)
		if errors.Is(err, io.EOF) {
			_, err := out.Commit(ctx)
			return err
		}
		if err != nil {
			return err
		}
		if len(layout.Decoded) > 0 {
			builder := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
			builder.AppendStringValues(values, nil)
			if err := batch.Replace([]arrow.Array{builder.NewArray()}); err != nil {
				return err
			}
		}
		err = out.Write(ctx, batch)
		batch.Release()
		if err != nil {
			return err
		}
	}
}
