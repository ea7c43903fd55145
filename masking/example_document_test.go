package masking_test

import (
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking"
)

// masked binds a spec to a column and prints what it makes of values.
func masked(column masking.Column, spec masking.Spec, values ...string) []string {
	key, err := masking.KeyFromBytes([]byte("an example key of 32 bytes, ok? "))
	if err != nil {
		panic(err)
	}
	spec.Domain = "customers"
	binding, err := masking.Standard().Bind(key, column, spec, nil)
	if err != nil {
		panic(err)
	}
	in, err := masking.ParseValues(memory.DefaultAllocator, column.Kind, values, nil)
	if err != nil {
		panic(err)
	}
	defer in.Release()
	out, err := binding.Transform.Apply(memory.DefaultAllocator, in)
	if err != nil {
		panic(err)
	}
	defer out.Release()
	texts, _ := masking.SpellValues(column.Kind, out)
	return texts
}

// A document is masked path by path. What is masked by the transform and in the
// domain of a column has that column's masks.
func Example_document() {
	id := masking.Spec{Name: "pseudonym", Variant: "id", Domain: "customers"}
	keep, drop := masking.Spec{Name: "keep"}, masking.Spec{Name: "drop"}
	column := masked(masking.Column{Kind: masking.Int, Bits: 64}, id, "7")

	json := masked(masking.Column{Kind: masking.JSON}, masking.Spec{Name: "json", Paths: []masking.PathSpec{
		{Path: "$.customer", Spec: id},
		{Path: "$.items[*].sku", Spec: keep},
		{Path: "*", Spec: drop},
	}}, `{"customer": 7, "items": [{"sku": "A-1", "gift for": "Mary"}], "note": "call"}`)
	fmt.Println(strings.ReplaceAll(json[0], column[0], "THE COLUMN'S"))

	xml := masked(masking.Column{Kind: masking.XML}, masking.Spec{Name: "xml", Paths: []masking.PathSpec{
		{Path: "/order/@customer", Spec: id},
		{Path: "/order/item", Spec: keep},
		{Path: "*", Spec: drop},
	}}, `<order customer="7" by="Mary"><item sku="A-1"/><note>call</note></order>`)
	fmt.Println(strings.ReplaceAll(xml[0], column[0], "THE COLUMN'S"))
	// Output:
	// {"customer": THE COLUMN'S, "items": [{"sku": "A-1"}]}
	// <order customer="THE COLUMN'S"><item sku="A-1"/></order>
}

// Arrays, ranges, composites and hstores are masked inside, in the form that
// PostgreSQL prints.
func Example_container() {
	id := masking.Spec{Name: "pseudonym", Variant: "id", Domain: "customers"}
	integer := masking.Column{Kind: masking.Int, Bits: 32}
	column := masked(integer, id, "7", "8")
	named := strings.NewReplacer(column[0], "SEVEN", column[1], "EIGHT")

	array := masked(masking.Column{Kind: masking.Array, Element: &integer}, masking.Spec{Name: "each", Inner: &id}, "{{7,8},{NULL,7}}")
	fmt.Println(named.Replace(array[0]))

	integer.Name = "customer"
	composite := masking.Column{Kind: masking.Composite, Fields: []masking.Column{integer, {Name: "note", Kind: masking.Text}}}
	fields := masked(composite, masking.Spec{Name: "fields", Paths: []masking.PathSpec{
		{Path: "customer", Spec: id},
		{Path: "*", Spec: masking.Spec{Name: "drop"}},
	}}, `(8,"call, please")`)
	fmt.Println(named.Replace(fields[0]))
	// Output:
	// {{SEVEN,EIGHT},{NULL,SEVEN}}
	// (EIGHT,)
}
