package policies

import (
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// TestCharsets: a column's mask holds to the smallest of the sets that its database, the
// column itself and the columns that share its values can hold.
func TestCharsets(t *testing.T) {
	text := func(c catalog.Charset) catalog.Type { return catalog.Type{Kind: catalog.Text, Charset: c} }
	for _, c := range []struct {
		database, own, other catalog.Charset
		want                 masking.Charset
	}{
		{catalog.Unicode, catalog.Unicode, catalog.Unicode, masking.Unicode},
		{catalog.Unicode, catalog.BMP, catalog.Unicode, masking.BMP},
		{catalog.Unicode, catalog.Unicode, catalog.Latin1, masking.Latin1},
		{catalog.Latin1, catalog.BMP, catalog.Unicode, masking.Latin1},
		{catalog.BMP, catalog.ASCII, catalog.Latin1, masking.ASCII},
	} {
		m := narrow(columnOf(text(c.own)), columnOf(text(c.other)))
		(&compiler{}).within(&m, charsetOf(c.database))
		if m.Charset != c.want {
			t.Errorf("%v: %v, want %v", c, m.Charset, c.want)
		}
	}
	list := columnOf(catalog.Type{Kind: catalog.Array, Element: &catalog.Type{Kind: catalog.Text, Charset: catalog.BMP}})
	(&compiler{}).within(&list, masking.Unicode)
	if list.Charset != masking.Unicode || list.Element.Charset != masking.BMP {
		t.Errorf("an array: %v of %v", list.Charset, list.Element.Charset)
	}
	for i, name := range []string{"unicode", "bmp", "latin1", "ascii"} {
		var c catalog.Charset
		if err := c.UnmarshalText([]byte(name)); err != nil || c != catalog.Charset(i) || c.String() != name {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
}
