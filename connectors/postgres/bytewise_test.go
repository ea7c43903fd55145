package postgres

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Definitions come through with every byte that they have, of UTF-8 or not.
func TestBytewise(t *testing.T) {
	for what, s := range map[string]string{"plain": "x", "UTF-8": "é😀\ufffd", "its escape": `\ufffd`, "bytes": "gr\xfc\xdfe \x00\xff\xfe é", "marked": "bytewise:"} {
		d := definitions{Encoding: "SQL_ASCII", Settings: []string{s}, Before: []entry{{Kind: "TYPE", Name: s, SQL: s, Table: &catalog.TableID{Name: s}, Steps: &steps{First: s}}},
			After: []entry{}, Views: []catalog.TableID{{Schema: s}}}
		text, err := encodeJSON(d)
		if err != nil {
			t.Fatal(err)
		}
		// What only looks like the escape is spelled without need, and without harm.
		if spelled := strings.HasPrefix(string(text), string(bytewise)); spelled != (what == "bytes" || what == "its escape") {
			t.Errorf("%s: %s", what, text)
		}
		var again definitions
		if err := decodeJSON(text, &again); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(d, again) {
			t.Errorf("%s: %+v, want %+v", what, again, d)
		}
		if d.Before[0].Table.Name != s {
			t.Errorf("%s: encoding has changed what was encoded", what)
		}
	}
	var kept map[string]any
	text, err := encodeJSON(map[string]any{"a\xff": []any{"\xfe", 1.5, nil}})
	if err == nil {
		err = decodeJSON(text, &kept)
	}
	if want := (map[string]any{"a\xff": []any{"\xfe", 1.5, nil}}); err != nil || !reflect.DeepEqual(kept, want) {
		t.Errorf("%q, %v", kept, err)
	}
}

// A policy cannot name what is not UTF-8: that is said, and by what name.
func TestNameable(t *testing.T) {
	for what, table := range map[string]*catalog.Table{
		`read table "public"."gr\xfc\xdfe"`: {ID: catalog.TableID{Schema: "public", Name: "gr\xfc\xdfe"}},
		`the name "h\xf6he" is not UTF-8`:   {ID: catalog.TableID{Schema: "public", Name: "größe"}, Columns: []catalog.Column{{Name: "breite"}, {Name: "h\xf6he"}}},
	} {
		wants(t, nameable(table), connectors.KindUnsupported, connectors.SourceSide, what, "rename it")
	}
	if err := nameable(&catalog.Table{ID: catalog.TableID{Schema: "ä", Name: "größe"}, Columns: []catalog.Column{{Name: "😀"}}}); err != nil {
		t.Error(err)
	}
}
