package postgres

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A cast to text that somebody has made is no part of what is read: it would run with the rights of the
// account that reads, and give other values than the copy has.
func TestCastsOfPeople(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE SCHEMA eve", "CREATE TYPE eve.state AS ENUM ('new', 'old')", "CREATE TYPE eve.pair AS (a int, b text)", "CREATE DOMAIN eve.level AS eve.state", "CREATE DOMAIN code AS character(4)",
		"CREATE TABLE orders (s eve.state, n eve.level, p eve.pair, id int, c character(4), d code, b boolean, PRIMARY KEY (id, s, n, c, d, b))",
		"INSERT INTO orders SELECT 'new', 'old', ROW(CASE WHEN i > 1 THEN i END, NULL)::eve.pair, i, 'x', 'y', i % 2 = 0 FROM generate_series(1, 400) i")
	read := func() (sampled, rows []string) {
		t.Helper()
		src, err := Connector{}.OpenSource(t.Context(), dsn, connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		c, err := src.Catalog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		table := c.Find("orders")
		err = src.(connectors.Sampler).Sample(t.Context(), table, 2, func(row [][]byte) error {
			text := make([]string, len(row))
			for i, v := range row {
				if text[i] = string(v); v == nil {
					text[i] = "NULL"
				}
			}
			sampled = append(sampled, strings.Join(text, "|"))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		snap, err := openSnapshot(t, dsn, connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		id := catalog.TableID{Schema: "public", Name: "orders"}
		layout, err := snap.Layout(id, nil)
		if err == nil {
			layout, err = snap.(connectors.Filterer).Filter(t.Context(), layout, connectors.Filter{Sample: 0.1, Seed: [32]byte{7}})
		}
		if err != nil {
			t.Fatal(err)
		}
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		rows, err = layout.Rows.(*choice).places(t.Context(), conn, id, "")
		if err != nil {
			t.Fatal(err)
		}
		return sampled, rows
	}
	sampled, rows := read()
	if want := []string{"new|old|(,)|1|x|y|false", "new|old|(2,)|2|x|y|true"}; !slices.Equal(sampled, want) {
		t.Errorf("the sample is %q, want %q", sampled, want)
	}
	for _, name := range []string{"state", "pair"} {
		a.Exec(t, dsn, "CREATE FUNCTION eve.of_"+name+"(eve."+name+") RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''runs as %'', current_user; END'",
			"CREATE CAST (eve."+name+" AS text) WITH FUNCTION eve.of_"+name)
	}
	again, chosen := read()
	if !slices.Equal(again, sampled) || !slices.Equal(chosen, rows) {
		t.Errorf("with casts the sample is %q, and %q is chosen; it was %q, %q", again, chosen, sampled, rows)
	}
	// The rows that are chosen of other types are those that ever were.
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	printed, err := readNames(t.Context(), conn, "printed", "public", "orders")
	if err != nil || !slices.Equal(printed, []string{"n", "p", "s"}) {
		t.Errorf("of %q the text is not that of a cast: %v", printed, err)
	}
	a.Exec(t, dsn, "CREATE FUNCTION eve.of_point(point) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'", "CREATE CAST (point AS text) WITH FUNCTION eve.of_point", "CREATE TABLE places (p point, i int)")
	t.Cleanup(func() { a.Exec(t, dsn, "DROP CAST (point AS text)") })
	if printed, err = readNames(t.Context(), conn, "printed", "public", "places"); err != nil || !slices.Equal(printed, []string{"p"}) {
		t.Errorf("of %q the text is not that of a cast: %v", printed, err)
	}
}
