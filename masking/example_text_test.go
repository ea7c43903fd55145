package masking_test

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking"
)

// A note is masked beside the name and the address of the customer that it is about:
// what stands in both becomes the same in both.
func Example_redact() {
	key, err := masking.KeyFromBytes([]byte("an example key of 32 bytes, ok? "))
	if err != nil {
		panic(err)
	}
	name := masking.Peer{
		Column: masking.Column{Name: "name", Kind: masking.Text},
		Spec:   masking.Spec{Name: "fake", Variant: "person_name", Domain: "people"},
	}
	email := masking.Peer{
		Column: masking.Column{Name: "email", Kind: masking.Text},
		Spec:   masking.Spec{Name: "fake", Variant: "email", Domain: "addresses"},
	}
	note := masking.Peer{
		Column: masking.Column{Name: "note", Kind: masking.Text},
		Spec: masking.Spec{
			Name: "redact", Variant: []any{"email", "phone", "known_names"}, Domain: "notes",
			Params:  map[string]any{"else": "keep"},
			Classes: map[string]masking.Spec{"email": email.Spec},
		},
	}
	columns := []masking.Peer{name, email, note}
	var plans []masking.ColumnPlan
	for i, c := range columns {
		row := &masking.Row{Column: func(string) (masking.Column, bool) { return masking.Column{}, false }}
		for j, other := range columns {
			if j != i {
				row.Peers = append(row.Peers, other)
			}
		}
		binding, err := masking.Standard().Bind(key, c.Column, c.Spec, row)
		if err != nil {
			panic(err)
		}
		plans = append(plans, masking.ColumnPlan{Name: c.Column.Name, Action: masking.Mask, Binding: binding})
	}
	plan, err := masking.NewTablePlan("customers", false, plans)
	if err != nil {
		panic(err)
	}

	var in []arrow.Array
	for _, value := range []string{"Ann Smith", "ann@corp.example", "Mrs Smith (ann@corp.example) calls on 2024-02-29."} {
		b := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
		defer b.Release()
		b.Append([]byte(value))
		a := b.NewArray()
		defer a.Release()
		in = append(in, a)
	}
	masked, err := plan.Apply(memory.DefaultAllocator, in)
	if err != nil {
		panic(err)
	}
	for _, a := range masked {
		fmt.Println(string(a.(*array.Binary).Value(0)))
		a.Release()
	}
	// Output:
	// Casandra Rocha
	// hannah.rahman.ejqdyq5po57q5@example.com
	// Mrs Rocha (hannah.rahman.ejqdyq5po57q5@example.com) calls on 2024-02-29.
}
