package masking

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

func bound(t *testing.T, col Column, spec Spec, pair func(string) (Column, bool)) Binding {
	t.Helper()
	spec.Domain = "d"
	b, err := Standard().Bind(fixedKey(t), col, spec, &Row{Column: pair})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What the database says is UTF-8 and is not, is an error with its row, and not with
// its value. Where the database says nothing, it is masked as it is.
func TestPlanRefusesWhatIsNotUTF8(t *testing.T) {
	for _, c := range []struct {
		set  Charset
		spec Spec
		want string
	}{
		{Unicode, Spec{Name: "token", Variant: "hex"}, "column name, row 1: not UTF-8"},
		{Latin1, Spec{Name: "shape", Variant: "text"}, "column name, row 1: not UTF-8"},
		{ASCII, Spec{Name: "shape", Variant: "text"}, ""},
		{Unicode, constant("x"), ""},
	} {
		col := Column{Table: "people", Name: "name", Kind: Text, Charset: c.set}
		plan, err := NewTablePlan("people", false, []ColumnPlan{{Name: "name", Action: Mask, Binding: bound(t, col, c.spec, nil)}})
		if err != nil {
			t.Fatal(err)
		}
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		in := arrayOf(mem, Text, true, []any{"Ann", "tell-tale \xff", nil})
		out, err := plan.Apply(mem, []arrow.Array{in})
		in.Release()
		for _, a := range out {
			a.Release()
		}
		mem.AssertSize(t, 0)
		if got := fmt.Sprint(err); c.want == "" && err != nil || c.want != "" && got != c.want {
			t.Errorf("%s, %s: %s", c.set, c.spec.Name, got)
		}
	}
}

func TestPlanMasksWhatItSays(t *testing.T) {
	ids := bound(t, Column{Table: "people", Name: "id", Kind: Int, Bits: 32}, id, nil)
	born := bound(t, Column{Table: "people", Name: "born", Kind: Date}, shiftBy(30, "by", "id"), func(name string) (Column, bool) {
		return Column{Kind: Int, Bits: 32}, name == "id"
	})
	hired := bound(t, Column{Table: "people", Name: "hired", Kind: Date}, shiftBy(30, "by", "badge"), func(name string) (Column, bool) {
		return Column{Kind: Text}, name == "badge"
	})
	plan, err := NewTablePlan("people", false, []ColumnPlan{
		{Name: "country", Action: Keep},
		{Name: "born", Action: Mask, Binding: born},
		{Name: "badge", Action: Keep},
		{Name: "id", Action: Mask, Binding: ids},
		{Name: "age", Action: Computed},
		{Name: "hired", Action: Mask, Binding: hired},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(plan.Decoded(), " "); got != "born badge id hired" {
		t.Fatalf("decodes %s", got)
	}
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	in := []arrow.Array{
		arrayOf(mem, Date, true, []any{int32(100), int32(100), nil}),
		arrayOf(mem, Text, true, []any{"A1", nil, "A3"}),
		arrayOf(mem, Int, true, []any{int64(1), int64(2), nil}),
		arrayOf(mem, Date, true, []any{int32(9000), int32(9000), int32(9000)}),
	}
	out, err := plan.Apply(mem, in)
	if err != nil {
		t.Fatal(err)
	}
	if out[1] != in[1] {
		t.Error("the column that is only read did not come back")
	}
	if want := situation(t, Column{Kind: Int, Bits: 32}, id)(int64(1), int64(2), nil); !slices.Equal(valuesOf(out[2]), want) {
		t.Error("ids are masked otherwise in a plan")
	}
	// The shift is by the id as it was, not by its pseudonym: the order of columns is without effect.
	alone := &lawCase{spec: shiftBy(30, "by", "subject"), col: Column{Kind: Date}, by: &Column{Kind: Int, Bits: 32}}
	want := alone.mask(t, alone.bind(t, fixedKey(t), "d"), true, []any{int32(100), int32(100), nil}, []any{int64(1), int64(2), nil})
	if !slices.Equal(valuesOf(out[0]), want) {
		t.Errorf("born became %v, not %v", valuesOf(out[0]), want)
	}
	for _, a := range append(in, out...) {
		a.Release()
	}
}

func TestPlanLeavesNothingAfterAnError(t *testing.T) {
	first := bound(t, Column{Name: "a", Kind: Text}, Spec{Name: "token", Variant: "hex"}, nil)
	second := bound(t, Column{Name: "b", Kind: Int, Bits: 32}, ranged(int64(1), int64(10)), nil)
	plan, err := NewTablePlan("t", false, []ColumnPlan{{Name: "a", Action: Mask, Binding: first}, {Name: "b", Action: Mask, Binding: second}})
	if err != nil {
		t.Fatal(err)
	}
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	in := []arrow.Array{arrayOf(mem, Text, true, []any{"x", "y"}), arrayOf(mem, Int, true, []any{int64(10), int64(11)})}
	defer in[0].Release()
	defer in[1].Release()
	out, err := plan.Apply(mem, in)
	var ve *ValueError
	if out != nil || !errors.As(err, &ve) || ve.Column != "b" || ve.Row != 1 {
		t.Fatalf("%v, %v", out, err)
	}
	if err.Error() != "column b, row 1: outside the pinned range [1, 10]" {
		t.Error(err)
	}
}

func TestPlansThatCannotBe(t *testing.T) {
	token := bound(t, Column{Name: "a", Kind: Text}, Spec{Name: "token", Variant: "hex"}, nil)
	group := bound(t, Column{Name: "a", Kind: Date}, shiftBy(30, "by", "b"), func(string) (Column, bool) { return Column{Kind: Int}, true })
	for _, c := range []struct {
		columns []ColumnPlan
		want    string
	}{
		{[]ColumnPlan{{Name: "a"}}, "undecided"},
		{[]ColumnPlan{{Name: "a", Action: Keep, Binding: token}}, "not masked and has a transform"},
		{[]ColumnPlan{{Name: "a", Action: Mask}}, "nothing masks it"},
		{[]ColumnPlan{{Name: "a", Action: Mask, Binding: token}, {Name: "a", Action: Mask, Binding: token}}, "masked twice"},
		{[]ColumnPlan{{Name: "a", Action: Mask, Binding: group}}, "no column b"},
		{[]ColumnPlan{{Name: "a", Action: Keep}, {Name: "c", Action: Mask, Binding: group}, {Name: "b", Action: Keep}}, "masked"},
	} {
		_, err := NewTablePlan("t", false, c.columns)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "plan of t: ") {
			t.Errorf("%v, which does not say %q", err, c.want)
		}
	}
	dropped, err := NewTablePlan("t", true, []ColumnPlan{{Name: "a"}})
	if err != nil || !dropped.Drop() || dropped.Decoded() != nil {
		t.Errorf("a table whose rows stay behind: %v", err)
	}
}

func TestRegistryKnowsWhatItHas(t *testing.T) {
	refused(t, Column{}, Spec{Name: "scramble"}, `there is no transform "scramble"`)
	defer func() {
		if recover() == nil {
			t.Error("two factories of one name")
		}
	}()
	NewRegistry(nullFactory{}, nullFactory{})
}
