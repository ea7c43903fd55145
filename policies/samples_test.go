package policies

import (
	"fmt"
	"os"
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

// An id in a document is masked like the id in the column, though the column is
// narrower than a number in JSON.
func TestDocumentJoins(t *testing.T) {
	text, err := os.ReadFile("testdata/compile/json.txt")
	if err != nil {
		t.Fatal(err)
	}
	parts := sections(t, string(text))
	p, err := Parse("p.yaml", []byte(parts["policy"]))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compile(p, parseCatalog(t, parts["catalog"]), testKey(t), masking.Standard())
	if err != nil {
		t.Fatal(err)
	}
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	ids := []int64{1, 2, 300, 32_767}
	ib := array.NewInt64Builder(mem)
	defer ib.Release()
	ib.AppendValues(ids, nil)
	docs := func(format string) arrow.Array {
		b := array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary)
		defer b.Release()
		for _, id := range ids {
			b.AppendString(fmt.Sprintf(format, id))
		}
		return b.NewArray()
	}
	plan := c.Plan.Table("public", "users")
	in := []arrow.Array{ib.NewArray(), docs(`{"user_id": %d, "secret": 1}`), docs(`"%d"`), docs(`{"b": %d}`)}
	if len(in) != len(plan.Decoded()) {
		t.Fatalf("decoded: %v", plan.Decoded())
	}
	out, err := plan.Apply(mem, in)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		masked := out[0].(*array.Int64).Value(i)
		want := fmt.Sprintf(`{"user_id": %d}`, masked)
		if got := out[1].(*array.Binary).Value(i); string(got) != want {
			t.Errorf("id %d: column %d, document %s", id, masked, got)
		}
	}
	for i := range in {
		in[i].Release()
		out[i].Release()
	}
}
