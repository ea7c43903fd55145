package masking_test

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking"
)

func Example() {
	key, err := masking.KeyFromBytes([]byte("an example key of 32 bytes, ok? "))
	if err != nil {
		panic(err)
	}
	column := masking.Column{Table: "customers", Name: "id", Kind: masking.Int, Bits: 32, Unique: true}
	spec := masking.Spec{Name: "pseudonym", Variant: "id", Domain: "customers"}
	binding, err := masking.Standard().Bind(key, column, spec, nil)
	if err != nil {
		panic(err)
	}
	plan, err := masking.NewTablePlan("customers", false, []masking.ColumnPlan{
		{Name: "id", Action: masking.Mask, Binding: binding},
		{Name: "country", Action: masking.Keep},
	})
	if err != nil {
		panic(err)
	}

	ids := array.NewInt64Builder(memory.DefaultAllocator)
	defer ids.Release()
	ids.AppendValues([]int64{1, 2, 1}, nil)
	in := ids.NewArray()
	defer in.Release()
	masked, err := plan.Apply(memory.DefaultAllocator, []arrow.Array{in})
	if err != nil {
		panic(err)
	}
	defer masked[0].Release()
	out := masked[0].(*array.Int64)
	fmt.Println("decoded:", plan.Decoded())
	fmt.Println("equal stays equal:", out.Value(0) == out.Value(2))
	fmt.Println("different stays different:", out.Value(0) != out.Value(1))
	fmt.Println("injective:", binding.Guarantees.Injective)
	// Output:
	// decoded: [id]
	// equal stays equal: true
	// different stays different: true
	// injective: true
}
