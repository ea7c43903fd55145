package policies

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// readLabelled reads testdata/discovery/NAME.txt: a catalog, and the label of each column.
func readLabelled(t testing.TB, name string) (*catalog.Catalog, map[catalog.ColumnID]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "discovery", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	type column struct{ table, name string }
	var plain strings.Builder
	classes, comments := map[column]string{}, map[column]string{}
	table := ""
	for n, line := range strings.Split(string(text), "\n") {
		if about, found := strings.CutPrefix(line, "-- "); found {
			comments[column{table, ""}] = about
			continue
		}
		if name, found := strings.CutPrefix(line, "table "); found {
			table = name
		}
		line, comment, _ := strings.Cut(line, " -- ")
		line, class, labelled := strings.Cut(line, " = ")
		plain.WriteString(line + "\n")
		word, _, _ := strings.Cut(line, " ")
		switch {
		case labelled:
			classes[column{table, word}], comments[column{table, word}] = class, comment
		case word != "schema" && word != "table" && word != "fk" && word != "unique" && word != "pk" && word != "":
			t.Fatalf("%s.txt:%d: no label", name, n+1)
		}
	}
	c := parseCatalog(t, plain.String())
	labels := map[catalog.ColumnID]string{}
	for _, table := range c.Tables {
		table.Comment = comments[column{table.ID.Name, ""}]
		for i := range table.Columns {
			at := column{table.ID.Name, table.Columns[i].Name}
			table.Columns[i].Comment = comments[at]
			labels[catalog.ColumnID{Table: table.ID, Column: at.name}] = classes[at]
		}
	}
	return c, labels
}

// Every label is a class that the detector may propose, or one of the README's.
func TestLabels(t *testing.T) {
	more := words("public document coordinates job salary age url")
	for _, name := range []string{"health", "logistics", "campus"} {
		c, labels := readLabelled(t, name)
		n := 0
		for _, table := range c.Tables {
			n += len(table.Columns)
		}
		if n < 60 || n > 150 || n != len(labels) {
			t.Errorf("%s: %d columns, %d labels", name, n, len(labels))
		}
		for at, class := range labels {
			if _, standard := standardClass(class); !standard && !more[class] {
				t.Errorf("%s: %s: there is no class %q", name, at, class)
			}
		}
	}
}
