package masking_test

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking"
)

// Two columns of a person, bound for themselves, name one other person.
func Example_person() {
	key, err := masking.KeyFromBytes([]byte("an example key of 32 bytes, ok? "))
	if err != nil {
		panic(err)
	}
	part := func(name string) masking.Spec {
		return masking.Spec{Name: "person", Variant: name, Params: map[string]any{"of": "id"}, Domain: "customers"}
	}
	id := masking.Column{Table: "customers", Name: "id", Kind: masking.Int, Bits: 64, Unique: true}
	name := masking.Column{Table: "customers", Name: "name", Kind: masking.Text}
	email := masking.Column{Table: "customers", Name: "email", Kind: masking.Text, Unique: true}
	find := func(string) (masking.Column, bool) { return id, true }
	names, err := masking.Standard().Bind(key, name, part("person_name"), &masking.Row{
		Column: find, Peers: []masking.Peer{{Column: id}, {Column: email, Spec: part("email")}},
	})
	if err != nil {
		panic(err)
	}
	emails, err := masking.Standard().Bind(key, email, part("email"), &masking.Row{
		Column: find, Peers: []masking.Peer{{Column: id}, {Column: name, Spec: part("person_name")}},
	})
	if err != nil {
		panic(err)
	}
	plan, err := masking.NewTablePlan("customers", false, []masking.ColumnPlan{
		{Name: "id", Action: masking.Keep},
		{Name: "name", Action: masking.Mask, Binding: names},
		{Name: "email", Action: masking.Mask, Binding: emails},
	})
	if err != nil {
		panic(err)
	}

	mem := memory.DefaultAllocator
	ids := array.NewInt64Builder(mem)
	ids.Append(7)
	var in []arrow.Array
	in = append(in, ids.NewArray())
	for _, text := range []string{"Smith, Maria", "maria@corp.example"} {
		b := array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary)
		b.AppendString(text)
		in = append(in, b.NewArray())
	}
	out, err := plan.Apply(mem, in)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(out[1].(*array.Binary).Value(0)))
	fmt.Println(string(out[2].(*array.Binary).Value(0)))
	for i := range out {
		in[i].Release()
		out[i].Release()
	}
	// Output:
	// Barrows, Guido
	// guido.barrows.lz47dhrvrwjay@example.com
}
