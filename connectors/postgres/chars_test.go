package postgres

import (
	"strconv"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// Every byte of a "char" arrives, in a table that travels as text too, or is refused.
func TestCharsAsText(t *testing.T) {
	connectortest.NoRaces(t)
	a, b := connectortest.PostgresPair(t)
	octal, reads := octalChars.in(majorOf(t, a)), octalChars.in(majorOf(t, b))
	const bytes = `SELECT string_agg(id || ' ' || coalesce((c::int)::text, 'null'), ',' ORDER BY id) FROM `
	for _, encoding := range []string{"UTF8", "LATIN1"} {
		t.Run(encoding, func(t *testing.T) {
			oneByte := encoding == "LATIN1" || encoding == "SQL_ASCII"
			for _, c := range []struct {
				name, column, value string
				from                int
				fits                bool
			}{
				{"binary", `"char"`, `i::"char"`, -128, true},
				{"low", `"char"`, `i::"char"`, 0, true},
				{"all", `"char"`, `i::"char"`, -128, reads || oneByte},
				{"low in arrays", `"char"[]`, `ARRAY[i::"char"]`, 0, true},
				{"all in arrays", `"char"[]`, `ARRAY[i::"char"]`, -128, octal && reads || oneByte && !octal},
				{"all in composites", "held", `ROW(i::"char")::held`, -128, octal && reads || oneByte && !octal},
			} {
				t.Run(c.name, func(t *testing.T) {
					name := a.Name(t)
					a.CreateDatabase(t, name, "ENCODING '"+encoding+"' LC_COLLATE 'C' LC_CTYPE 'C'")
					from, to := a.DSN(name), b.DSN(b.Name(t))
					a.Exec(t, from, `CREATE TYPE held AS (c "char")`, "CREATE TABLE x (id int, c "+c.column+")")
					if c.name != "binary" {
						a.Exec(t, from, "ALTER TABLE x ADD g aclitem")
					}
					a.Exec(t, from, "INSERT INTO x SELECT i, "+c.value+" FROM generate_series("+strconv.Itoa(c.from)+", 127) i", "INSERT INTO x VALUES (1000, NULL)")
					err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 1}, from, to)
					if !c.fits {
						if err == nil {
							t.Error("it is loaded")
						} else if octal || c.name == "all" {
							wants(t, err, connectors.KindUnsupported, connectors.SourceSide, "column c", "above 127", "version 15")
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					query := bytes + "x"
					switch c.column {
					case `"char"[]`:
						query = bytes + "(SELECT id, c[1] AS c FROM x) x"
					case "held":
						query = bytes + "(SELECT id, (c).c AS c FROM x) x"
					}
					if want, got := a.Value(t, from, query), b.Value(t, to, query); got != want {
						t.Errorf("the bytes are %s, want %s", got, want)
					}
				})
			}
		})
	}
}

// A "char" of which no value is read, as the mask is NULL, refuses nothing: that is what the hint says.
func TestCharsThatNobodyReads(t *testing.T) {
	a := connectortest.Postgres(t)
	from := a.Database(t)
	a.Exec(t, from, `CREATE TABLE x (id int, c "char", cs "char"[], g aclitem)`, `INSERT INTO x VALUES (1, (-56)::"char", ARRAY[(-56)::"char"], NULL)`)
	snap, err := openSnapshot(t, from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	snap.(*snapshot).target.Store(12)
	octal := octalChars.in(majorOf(t, a))
	for _, c := range []struct {
		unread []string
		column string // that refuses
	}{
		{nil, "column c"},
		{[]string{"cs"}, "column c"},
		{[]string{"c"}, "column cs"},
		{[]string{"c", "cs"}, ""},
	} {
		layout, err := snap.Layout(catalog.TableID{Schema: "public", Name: "x"}, []string{"c", "cs"})
		if err != nil {
			t.Fatal(err)
		}
		chunks, err := snap.Split(t.Context(), layout.Table.ID, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		batches, err := snap.Read(t.Context(), chunks[0], layout.Unreading(c.unread))
		if err == nil {
			var batch *connectors.Batch
			if batch, err = batches.Next(t.Context()); err == nil {
				batch.Release()
			}
			batches.Close()
		}
		switch {
		case c.column == "" || c.column == "column cs" && !octal:
			if err != nil {
				t.Errorf("unread %v: %v", c.unread, err)
			}
		case err == nil:
			t.Errorf("unread %v: it is read", c.unread)
		default:
			wants(t, err, connectors.KindUnsupported, connectors.SourceSide, c.column+":", "above 127", "version 15")
		}
	}
}
