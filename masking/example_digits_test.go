package masking_test

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking"
)

// Numbers with check digits stay valid, and invalid ones invalid; what is a number's
// layout stays.
func Example_digits() {
	key, err := masking.KeyFromBytes([]byte("an example key of 32 bytes, ok? "))
	if err != nil {
		panic(err)
	}
	for _, c := range []struct {
		spec  masking.Spec
		value string
	}{
		{masking.Spec{Name: "fake", Variant: "pan", Params: map[string]any{"test_bin": true}}, "4012 8888 8888 1881"},
		{masking.Spec{Name: "fake", Variant: "iban"}, "DE89 3704 0044 0532 0130 00"},
		{masking.Spec{Name: "fake", Variant: "national_id", Params: map[string]any{"country": "ES"}}, "54362315-K"},
		{masking.Spec{Name: "fake", Variant: "account", Params: map[string]any{"keep": int64(3)}}, "370-0532013000"},
		{masking.Spec{Name: "pseudonym", Variant: "code"}, "AB-1207"},
	} {
		c.spec.Domain = "customers"
		column := masking.Column{Table: "customers", Name: "number", Kind: masking.Text, MaxChars: 34}
		binding, err := masking.Standard().Bind(key, column, c.spec, nil)
		if err != nil {
			panic(err)
		}
		values := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
		values.AppendString(c.value)
		in := values.NewArray()
		out, err := binding.Transform.Apply(memory.DefaultAllocator, in)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s → %s\n", c.value, out.(*array.Binary).Value(0))
		out.Release()
		in.Release()
		values.Release()
	}
	// Output:
	// 4012 8888 8888 1881 → 4111 1166 7584 7695
	// DE89 3704 0044 0532 0130 00 → DE06 1445 0247 5444 2704 28
	// 54362315-K → 32821761-W
	// 370-0532013000 → 370-0711389563
	// AB-1207 → KA-7257
}
