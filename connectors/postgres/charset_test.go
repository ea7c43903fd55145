package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// Every character of every encoding arrives as the bytes that it was, kept or decoded: also those
// that have none in Unicode, and those that have one together.
func TestEveryCharacter(t *testing.T) {
	connectortest.NoRaces(t)
	a, b := connectortest.PostgresPair(t)
	for _, encoding := range []string{"LATIN1", "WIN1252", "WIN1253", "KOI8R", "EUC_JP", "EUC_TW", "EUC_JIS_2004"} {
		t.Run(encoding, func(t *testing.T) {
			name := a.Name(t)
			a.CreateDatabase(t, name, "ENCODING '"+encoding+"' LC_COLLATE 'C' LC_CTYPE 'C'")
			from, to := a.DSN(name), b.DSN(b.Name(t))
			forms := manyBytes[encoding]
			if forms == nil {
				forms = oneByte
			}
			var series []string
			for _, f := range forms {
				series = append(series, f.series())
			}
			every := "(SELECT pg_catalog.convert_from(c, '" + encoding + "') AS v, row_number() OVER () AS id FROM (" + strings.Join(series, " UNION ALL ") + ") x(c)) y"
			a.Exec(t, from, "CREATE TYPE pair AS (a text, b int)",
				"CREATE TABLE t AS SELECT id, v, v || ' and a rather long text behind' || v AS long, (v || v)::varchar(2) AS two, json_build_object(v, v) AS j FROM "+every, "ALTER TABLE t ADD UNIQUE (v)",
				"CREATE TABLE g AS SELECT id, v || E'\\t\\\\' AS v, ARRAY[v] AS arr, ROW(v, 1)::pair AS p, NULL::aclitem AS g FROM "+every, "CREATE TABLE x AS SELECT '<a/>'::xml AS x UNION ALL SELECT 'a<b/>'")
			of := func(table string) string {
				return fmt.Sprintf("SELECT count(*) || ' ' || md5(string_agg(encode(convert_to(r::text, getdatabaseencoding()), 'hex'), ' ' ORDER BY r::text)) FROM %s r", table)
			}
			for run, decode := range map[string]func(*catalog.Table) []string{"r1": nil, "r2": everything} {
				if err := copyAll(t, from, to, run, decode); err != nil {
					t.Fatal(err)
				}
				for _, table := range []string{"t", "g", "x"} {
					if want, got := a.Value(t, from, of(table)), b.Value(t, to, of(table)); got != want {
						t.Errorf("%s of run %s: %s, want %s", table, run, got, want)
					}
				}
			}
		})
	}
}

// A name, a column and a table in the words of an error are those of the database whatever its encoding.
func TestErrorsInEncodings(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	name := a.Name(t)
	a.CreateDatabase(t, name, "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
	from := a.DSN(name)
	a.Exec(t, from, "SET client_encoding = 'UTF8'", `CREATE TABLE "größe" (id int, "maß" text)`, `INSERT INTO "größe" VALUES (1, 'ä')`)
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = copyNoting(t, snap, a.DSN(a.Name(t)), func(d *definitions) {
		d.Before = append(d.Before, entry{Kind: "CHECK CONSTRAINT", Schema: "public", Name: "größe nötig", SQL: `ALTER TABLE public."größe" ADD CONSTRAINT "nötig" CHECK ("maß" <> 'ä');`})
	})
	wants(t, err, connectors.KindIntegrity, connectors.SinkSide, "größe", "nötig")
	cs := snap.(*snapshot).charset
	for _, text := range []string{"größe", "plain", ""} {
		own, err := cs.appendOwn(nil, []byte(text), nil)
		if err != nil {
			t.Error(err)
		}
		if back := cs.words(string(own)); back != text {
			t.Errorf("%q comes back as %q", text, back)
		}
	}
	for kind, want := range map[catalog.Kind]string{catalog.JSON: "\xe4\\u674e\\ud83d\\ude00", catalog.XML: "\xe4&#26446;&#128512;"} {
		if got, err := cs.appendOwn(nil, []byte("ä李😀"), spellingOf(kind)); err != nil || string(got) != want {
			t.Errorf("%s: %q, want %q: %v", kind, got, want, err)
		}
	}
	if _, err := cs.appendOwn(nil, []byte("x€"), nil); err != errCharset {
		t.Errorf("the euro is no character of LATIN1: %v", err)
	}
}

// Values are counted by the texts that are decoded of them, one by one.
func TestValuesInEncodings(t *testing.T) {
	a := connectortest.Postgres(t)
	name := a.Name(t)
	a.CreateDatabase(t, name, "ENCODING 'WIN1252' LC_COLLATE 'C' LC_CTYPE 'C'")
	from := a.DSN(name)
	a.Exec(t, from, `CREATE TABLE t AS SELECT convert_from(v, 'WIN1252') AS v FROM unnest(ARRAY['\x80', '\x81', '\x81', '\xe9', '', NULL]::bytea[]) v`)
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := snap.(connectors.Counter).Values(t.Context(), catalog.TableID{Schema: "public", Name: "t"}, "v", connectors.Filter{}, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%q %v %d", v.Texts, v.Counts, v.Nulls), `["" "é" "€" "\U000f0001"] [1 1 1 2] 1`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A character that the encoding does not have is named by the row of the chunk, as all that a loader refuses.
func TestRowsThatEncodingsRefuse(t *testing.T) {
	cs := &charset{name: "LATIN1", forms: oneByte, codes: map[rune]uint32{'é': 0xe9}}
	layout := testLayout(t, Text, "text")
	layout.Charset = cs
	var w bytes.Buffer
	e := NewEncoder(layout, &w)
	batch := func(texts ...string) *connectors.Batch {
		b := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
		for _, text := range texts {
			b.AppendString(text)
		}
		wire, fields := []byte{}, []connectors.Field{}
		for range texts {
			fields = append(fields, connectors.Field{Off: uint32(len(wire)), Len: 1})
			wire = append(wire, "x\n"...)
		}
		return connectors.NewBatch(len(texts), wire, fields, []arrow.Array{b.NewArray()}, nil)
	}
	if err := e.Encode(batch("a", "é", "b")); err != nil {
		t.Fatal(err)
	}
	err := e.Encode(batch("é", "€"))
	if !errors.Is(err, errCharset) || !strings.HasPrefix(err.Error(), "column text, row 5: ") {
		t.Errorf("the error is %v", err)
	}
	if err := e.Close(); err == nil || w.String() != "" {
		t.Errorf("the stream goes on with %q: %v", w.String(), err)
	}
}
