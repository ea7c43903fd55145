package policies

import (
	"slices"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Rows are inserted in the words of several engines.
func TestWritten(t *testing.T) {
	for code, want := range map[string]insert{
		"INSERT INTO a.b (c, d) VALUES (1, 2)":           {"a", "b", "c, d"},
		"insert into b as x select 1":                    {"", "b", ""},
		"INSERT IGNORE INTO `b` (c) VALUES (1)":          {"", "`b`", "c"},
		"INSERT LOW_PRIORITY IGNORE INTO b VALUES (1)":   {"", "b", ""},
		"REPLACE INTO b (c) VALUES (1)":                  {"", "b", "c"},
		"REPLACE DELAYED INTO b (c) VALUES (1)":          {"", "b", "c"},
		"INSERT OR REPLACE INTO b (c) VALUES (1)":        {"", "b", "c"},
		"INSERT INTO b SET c = 1":                        {"", "b", ""},
		"SELECT replace(a, 'INTO', 'b') INTO c":          {},
		"MERGE INTO b USING c ON true WHEN MATCHED THEN": {},
	} {
		got := (&script{text: code}).written().inserts
		if want == (insert{}) && got != nil || want != (insert{}) && !slices.Equal(got, []insert{want}) {
			t.Errorf("%s: %q", code, got)
		}
	}
	for code, want := range map[string]bool{
		"EXECUTE format('REPLACE INTO %I VALUES (1)', t)": true, "PREPARE s FROM concat('INSERT IGNORE INTO ', t); EXECUTE s": true, "EXECUTE 'INSERT INTO b VALUES (1)'": false,
	} {
		if got := (&script{text: code}).written().unseen; got != want {
			t.Errorf("%s: %t", code, got)
		}
	}
}

// What stands beside a column is read in the words of several engines.
func TestPuts(t *testing.T) {
	ts := func(name string, columns ...string) *table {
		out := &table{t: &catalog.Table{ID: catalog.TableID{Name: name}}}
		for _, c := range columns {
			out.columns = append(out.columns, &column{table: out, col: &catalog.Column{Name: c}, decision: &decision{}})
		}
		return out
	}
	from, to := ts("p", "id", "Born", "pay"), ts("log", "a", "b", "c")
	for _, code := range []string{
		"INSERT INTO log (a, b) VALUES (1, OLD.born)",
		"INSERT INTO log AS l (a, b) OVERRIDING SYSTEM VALUE VALUES (f(1, 2), (old.born + interval '1 day')::date) ON CONFLICT DO NOTHING",
		"INSERT INTO log (a, b) VALUES (1, now()), (2, old.born)",
		"INSERT INTO log VALUES (1, new.`Born`)",
		"INSERT IGNORE INTO log SET a = 1, b = NEW.Born",
		"INSERT INTO log (a) VALUES (1) ON DUPLICATE KEY UPDATE b = NEW.Born, c = 1",
		"INSERT INTO log (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET (b, c) = ROW (new.born, 1) WHERE log.a IS DISTINCT FROM 2",
		"INSERT INTO log (a, b) SELECT DISTINCT ON (x) 1, old.born FROM other",
		"INSERT INTO log (a, b) SELECT 1, now() UNION ALL SELECT 2, old.born",
		"INSERT INTO log (a, b) (SELECT 1, s.d FROM (SELECT old.born AS d) s)",
		"INSERT INTO log (a, b) WITH x AS (SELECT 1) SELECT 1, x.d FROM (VALUES (3, old.born)) AS x (e, d)",
		"INSERT INTO log (a, b) SELECT p.id, p.born FROM p",
		"UPDATE log l SET a = 1, b = CASE WHEN l.a IS DISTINCT FROM 1 THEN old.born END, c = 2 WHERE l.a = OLD.id",
		"REPLACE INTO log (b) VALUES (old.born)",
		"DECLARE d CONSTANT date := old.born; BEGIN INSERT INTO log (b) VALUES (d); END",
		"DECLARE d date; BEGIN d := old.born; INSERT INTO log (a, b) VALUES (1, d); END",
		"BEGIN DECLARE d DATE; SET d = OLD.born; INSERT INTO log (b) VALUES (d); END",
		"SET @d = OLD.born; INSERT INTO log (b) VALUES (@d)",
		"FOR r IN SELECT born AS d FROM p LOOP INSERT INTO log (b) VALUES (r.d); END LOOP",
		"EXECUTE 'INSERT INTO log (a, b) SELECT ''x'', $2' USING 1, old.born",
		"MERGE INTO log USING (SELECT old.born) s ON true WHEN NOT MATCHED THEN INSERT (a, b) VALUES (1, born) WHEN MATCHED THEN UPDATE SET c = 1",
		"MERGE INTO log AS l USING s ON true WHEN MATCHED AND l.a > 1 THEN UPDATE SET c = 1, b = old.born WHEN MATCHED THEN DELETE",
	} {
		p := newScript(code)
		r := newRowReader(from, catalog.Definition{}, p)
		var got []string
		for _, w := range p.puts() {
			for _, a := range r.pairs(w, to) {
				if masked, _ := r.read(a.to); slices.Contains(masked, "Born") {
					got = append(got, a.column)
				}
			}
		}
		if !slices.Equal(got, []string{"b"}) {
			t.Errorf("%s: into %q", code, got)
		}
	}
}

// A cast leaves less of some types than of others.
func TestCoarser(t *testing.T) {
	text, phone, whole := catalog.Type{Kind: catalog.Text}, catalog.Type{Kind: catalog.Text, Length: 20}, catalog.Type{Kind: catalog.Numeric, Precision: 9}
	price, instant, day := catalog.Type{Kind: catalog.Numeric, Precision: 8, Scale: 2}, catalog.Type{Kind: catalog.TimestampTZ}, catalog.Type{Kind: catalog.Date}
	for _, c := range []struct {
		name string
		from catalog.Type
		want bool
	}{
		{"char(1)", text, true}, {"character varying(9)", text, true}, {"VARCHAR(9)", phone, true}, {"varchar(20)", phone, false}, {"varchar(255)", text, false}, {"char", text, false}, {"text", text, false},
		{"date", instant, true}, {"time without time zone", instant, true}, {"timestamptz", instant, false}, {"text", instant, false}, {"date", text, false}, {"date", day, false}, {"year", day, true}, {"timestamptz", day, false},
		{"int", price, true}, {"signed", price, true}, {"numeric(8,1)", price, true}, {"numeric(8, 2)", price, false}, {"numeric", price, false}, {"int", whole, false}, {"decimal(9)", whole, false}, {"int", text, false},
		{"integer", catalog.Type{Kind: catalog.Float}, true}, {"interval", price, false}, {"boolean", price, true}, {`"My Type"`, text, false}, {"[]", text, false},
	} {
		if got := coarser(c.name, c.from); got != c.want {
			t.Errorf("%s of %+v: %t", c.name, c.from, got)
		}
	}
}
