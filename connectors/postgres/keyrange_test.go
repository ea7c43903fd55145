package postgres

import (
	"io"
	"math"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A table is divided by a key where ranges of pages cannot be read: every value is in one
// chunk, whatever its sign.
func TestKeyRange(t *testing.T) {
	id := catalog.TableID{Schema: "public", Name: "t"}
	for _, c := range []struct {
		r    keyRange
		lead int64
		want string
	}{
		{keyRange{"id", 1, 1000}, 0, `public.t id 0-333: "id" >= 1 AND "id" < 335|public.t id 334-667: "id" >= 335 AND "id" < 669|public.t id 668-: "id" >= 669`},
		{keyRange{"n", math.MinInt64, 10}, 0, `public.t n 0-2: "n" >= -9223372036854775808 AND "n" < -9223372036854775805|public.t n 3-5: "n" >= -9223372036854775805 AND "n" < -9223372036854775802|public.t n 6-8: "n" >= -9223372036854775802 AND "n" < -9223372036854775799|public.t n 9-: "n" >= -9223372036854775799`},
		{keyRange{"n", math.MaxInt64 - 1, 2}, 0, `public.t n 0-0: "n" >= 9223372036854775806 AND "n" < 9223372036854775807|public.t n 1-: "n" >= 9223372036854775807`},
		{keyRange{"id", -5, 1}, 0, "public.t: "},
		{keyRange{"id", 0, 1000}, 2 << 20, `public.t id 0-667: "id" >= 0 AND "id" < 668|public.t id 668-: "id" >= 668`},
	} {
		var said []string
		rows := int64(0)
		for i, chunk := range c.r.divide(id, size{pages: 400, bytes: 3<<20 - 8192, density: 10}, c.lead, 1<<20) {
			said = append(said, chunk.ID+": "+c.r.within(chunk))
			rows += chunk.Rows
			if chunk.Lead != (c.lead > 0 && i == 0) {
				t.Errorf("%s: lead %t", chunk.ID, chunk.Lead)
			}
		}
		if got := strings.Join(said, "|"); got != c.want {
			t.Errorf("%+v:\n%s\nwant\n%s", c.r, got, c.want)
		}
		if rows < 3990 || rows > 4000 {
			t.Errorf("%+v: %d rows of 4000", c.r, rows)
		}
	}
	integer := catalog.Type{Kind: catalog.Int}
	for what, table := range map[string]*catalog.Table{
		"of two columns": {Columns: []catalog.Column{{Name: "a", Type: integer, NotNull: true}, {Name: "b", Type: integer, NotNull: true}}, PrimaryKey: &catalog.Key{Columns: []string{"a", "b"}}},
		"with NULLs":     {Columns: []catalog.Column{{Name: "a", Type: integer}}, Unique: []catalog.Key{{Columns: []string{"a"}}}},
		"of some rows":   {Columns: []catalog.Column{{Name: "a", Type: integer, NotNull: true}}, Unique: []catalog.Key{{Columns: []string{"a"}, Partial: true}}},
		"of a text":      {Columns: []catalog.Column{{Name: "a", Type: catalog.Type{Kind: catalog.Text}, NotNull: true}}, PrimaryKey: &catalog.Key{Columns: []string{"a"}}},
	} {
		if column := integerKey(table); column != "" {
			t.Errorf("a key %s: %s", what, column)
		}
	}
}

// A column of a domain that is NOT NULL may hold NULL all the same (the server's manual says
// so of CREATE DOMAIN): such a row is in no range of the key, and must not get lost.
func TestKeyRangeOfADomain(t *testing.T) {
	defer func(f feature) { scansRanges = f }(scansRanges)
	scansRanges.since = newest + 1 // as of a server before 14
	a := connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, "CREATE DOMAIN num AS integer NOT NULL", "CREATE TABLE t (id num UNIQUE, pad text)",
		"INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 1000) i", "INSERT INTO t VALUES ((SELECT id FROM t WHERE false), 'a row')")
	ctx := t.Context()
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tab := snap.Catalog().Tables[0]
	chunks, err := snap.Split(ctx, tab.ID, 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	layout, err := snap.Layout(tab.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, c := range chunks {
		in, err := snap.Read(ctx, c, layout)
		if err != nil {
			t.Fatal(err)
		}
		for {
			batch, err := in.Next(ctx)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			rows += batch.Rows
			batch.Release()
		}
		in.Close()
	}
	if rows != 1001 {
		t.Errorf("%d rows of 1001 in %d chunks", rows, len(chunks))
	}
}
