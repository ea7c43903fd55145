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
