package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies"
)

// tableSampler reads the first rows of SQLite's tables.
type tableSampler struct{ db *sql.DB }

func (s tableSampler) Sample(ctx context.Context, t *catalog.Table, rows int, see func(row [][]byte) error) error {
	var names []string
	for _, c := range t.Columns {
		names = append(names, fmt.Sprintf("CAST(%s AS TEXT)", quoted(c.Name)))
	}
	found, err := s.db.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s LIMIT %d", strings.Join(names, ", "), quoted(t.ID.Name), rows))
	if err != nil {
		return err
	}
	defer found.Close()
	row, into := make([][]byte, len(names)), make([]any, len(names))
	for i := range row {
		into[i] = &row[i]
	}
	for found.Next() {
		if err := found.Scan(into...); err != nil {
			return err
		}
		if err := see(row); err != nil {
			return err
		}
	}
	return found.Err()
}

// Values alone tell: Chinook with every name of a table and a column taken away.
func TestDiscoverWithoutNames(t *testing.T) {
	file, ok := realData(t, "chinook/chinook.sqlite")
	if !ok {
		return
	}
	u, _ := terminal(80)
	source, err := openSource(t.Context(), "sqlite:"+file, (&connectOptions{}).options(u))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	c, err := source.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	named := map[string]*catalog.Table{}
	var blind []*catalog.Table
	for i, table := range c.Tables {
		b := &catalog.Table{ID: catalog.TableID{Name: fmt.Sprintf("t%d", i)}, Kind: table.Kind}
		for j, col := range table.Columns {
			b.Columns = append(b.Columns, catalog.Column{Name: fmt.Sprintf("c%d", j), Type: col.Type})
		}
		named[b.ID.Name] = table
		blind = append(blind, b)
	}
	samples := samplesOf(t.Context(), u, tableSampler{db}, defaultSamples)
	found, err := policies.Discover(catalog.New("sqlite", "3", "", blind, nil), func(b *catalog.Table, see func([][]byte) error) error {
		return samples(named[b.ID.Name], see)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"Customer.FirstName": "first_name", "Customer.LastName": "last_name", "Customer.Phone": "phone", "Customer.Fax": "phone", "Customer.Email": "email",
		"Customer.Address": "street", "Employee.FirstName": "first_name", "Employee.LastName": "last_name", "Employee.Phone": "phone", "Employee.Fax": "phone",
		"Employee.Email": "email", "Employee.BirthDate": "birth_date", "Invoice.BillingAddress": "street",
	}
	things := map[string]bool{"Genre": true, "MediaType": true, "Playlist": true, "PlaylistTrack": true, "InvoiceLine": true, "Album": true}
	got := 0
	for _, d := range found {
		table := named[d.Table.Name]
		var j int
		if _, err := fmt.Sscanf(d.Column, "c%d", &j); err != nil {
			t.Fatal(err)
		}
		name := table.ID.Name + "." + table.Columns[j].Name
		switch class := want[name]; {
		case class != "" && d.Class == class:
			got++
		case class != "":
			t.Logf("%s: %s (%.2f: %s), not %s", name, d.Class, d.Score, d.Reason, class)
		case things[table.ID.Name] && d.Class != policies.Public:
			t.Errorf("%s: %s (%.2f: %s)", name, d.Class, d.Score, d.Reason)
		}
	}
	t.Logf("%d of %d found by their values alone", got, len(want))
	if got < len(want)-2 {
		t.Errorf("only %d of %d are found by their values", got, len(want))
	}
}
