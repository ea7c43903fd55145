package policies

import (
	"slices"
	"testing"
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
