package masking_test

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking"
)

// Amounts move by up to a tenth and keep sign, zero and decimal places; equal ones
// move alike.
func Example_numbers() {
	key, err := masking.KeyFromBytes([]byte("an example key of 32 bytes, ok? "))
	if err != nil {
		panic(err)
	}
	column := masking.Column{Table: "payments", Name: "amount", Kind: masking.Numeric, Precision: 10, Scale: 2}
	spec := masking.Spec{Name: "noise", Variant: "10%", Domain: "payments"}
	binding, err := masking.Standard().Bind(key, column, spec, nil)
	if err != nil {
		panic(err)
	}
	amounts := array.NewBinaryViewBuilder(memory.DefaultAllocator)
	defer amounts.Release()
	for _, a := range []string{"1999.00", "-250.00", "0.00", "1999.00"} {
		amounts.AppendString(a)
	}
	in := amounts.NewArray()
	defer in.Release()
	masked, err := binding.Transform.Apply(memory.DefaultAllocator, in)
	if err != nil {
		panic(err)
	}
	defer masked.Release()
	out := masked.(*array.Binary)
	for i := range out.Len() {
		fmt.Println(out.ValueString(i))
	}
	// Output:
	// 2166.98
	// -263.62
	// 0.00
	// 2166.98
}

// An address keeps its network and its class; a network stays one.
func Example_network() {
	key, err := masking.KeyFromBytes([]byte("an example key of 32 bytes, ok? "))
	if err != nil {
		panic(err)
	}
	column := masking.Column{Table: "sessions", Name: "address", Kind: masking.IP}
	spec := masking.Spec{Name: "fake", Variant: "ip", Domain: "network"}
	binding, err := masking.Standard().Bind(key, column, spec, nil)
	if err != nil {
		panic(err)
	}
	addresses := array.NewBinaryViewBuilder(memory.DefaultAllocator)
	defer addresses.Release()
	for _, a := range []string{"93.184.216.34", "10.1.2.0/24", "2001:db8::42", "127.0.0.1"} {
		addresses.AppendString(a)
	}
	in := addresses.NewArray()
	defer in.Release()
	masked, err := binding.Transform.Apply(memory.DefaultAllocator, in)
	if err != nil {
		panic(err)
	}
	defer masked.Release()
	out := masked.(*array.Binary)
	for i := range out.Len() {
		fmt.Println(out.ValueString(i))
	}
	// Output:
	// 93.184.215.60
	// 10.1.34.0/24
	// 2001:db8:dd19:2022:bc12:54eb:1c7f:c820
	// 127.0.0.1
}
