package policies

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking"
)

// compileSample compiles a policy of testdata/policies against the catalog of the same name.
func compileSample(t *testing.T, name string) *Compiled {
	t.Helper()
	p, err := Load(filepath.Join("..", "testdata", "policies", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compile(p, readCatalog(t, name), testKey(t), masking.Standard())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The policies for the sample databases compile, and what they decide is reviewed as text.
func TestSamplePolicies(t *testing.T) {
	for _, name := range []string{"pagila", "sakila", "chinook-postgres", "chinook-sqlite"} {
		t.Run(name, func(t *testing.T) {
			c := compileSample(t, name)
			golden(t, filepath.Join("testdata", "samples", name+".txt"), []byte(render(c)))
		})
	}
}

// The same value under the same class comes out equal on two engines, whatever the
// width of their integers and the names of their columns.
func TestEnginesAgree(t *testing.T) {
	postgres, sqlite := compileSample(t, "chinook-postgres"), compileSample(t, "chinook-sqlite")
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	apply := func(c *Compiled, schema, table string) []arrow.Array {
		t.Helper()
		plan := c.Plan.Table(schema, table)
		var in []arrow.Array
		for _, name := range plan.Decoded() {
			in = append(in, values(mem, name))
		}
		out, err := plan.Apply(mem, in)
		for _, a := range in {
			a.Release()
		}
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, tables := range [][2]string{{"customer", "Customer"}, {"employee", "Employee"}, {"invoice", "Invoice"}, {"track", "Track"}} {
		a, b := apply(postgres, "public", tables[0]), apply(sqlite, "", tables[1])
		if len(a) != len(b) || len(a) == 0 {
			t.Fatalf("%s: %d columns decoded here, %d there", tables[0], len(a), len(b))
		}
		for i := range a {
			if !array.Equal(a[i], b[i]) {
				t.Errorf("%s: column %s differs", tables[0], postgres.Plan.Table("public", tables[0]).Decoded()[i])
			}
			a[i].Release()
			b[i].Release()
		}
	}
}

// values makes values for a column: what array it wants shows in its name.
func values(mem memory.Allocator, name string) arrow.Array {
	lower := strings.ToLower(strings.ReplaceAll(name, "_", ""))
	if strings.HasSuffix(lower, "id") || strings.HasSuffix(lower, "date") || lower == "reportsto" {
		b := array.NewInt64Builder(mem)
		defer b.Release()
		b.AppendValues([]int64{1, 2, 3, 58, 1_000_003}, nil)
		b.AppendNull()
		return b.NewArray()
	}
	b := array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary)
	defer b.Release()
	for _, s := range []string{"Ada Byron", "ada@mail.example", "+49 89 1234567", "", "Zoë"} {
		b.AppendString(s)
	}
	b.AppendNull()
	return b.NewArray()
}
