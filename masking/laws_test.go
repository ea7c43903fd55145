package masking

import (
	"hash/maphash"
	"slices"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// TestLaws proves of every transform what its guarantees say, on every case.
func TestLaws(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range lawCases {
		covered[c.spec.Name] = true
		covered[variantName(c.spec)] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, law := range []struct {
				name   string
				hold   func(*lawCase, *testing.T)
				values bool // of one goroutine: nothing for the race detector
			}{
				{"same in, same out", (*lawCase).lawSame, false},
				{"in any batch", (*lawCase).lawBatches, false},
				{"in any form", (*lawCase).lawForms, true},
				{"null and empty", (*lawCase).lawNull, true},
				{"fits", (*lawCase).lawFits, true},
				{"unique", (*lawCase).lawUnique, true},
				{"another key", (*lawCase).lawKey, true},
				{"no state", (*lawCase).lawNoState, false},
			} {
				if law.values && testing.Short() {
					continue
				}
				t.Run(law.name, func(t *testing.T) { law.hold(&c, t) })
			}
		})
	}
	for _, name := range Standard().Names() {
		d := Standard().Factory(name).Describe()
		if !covered[name] {
			t.Errorf("no case for %s", name)
		}
		for _, v := range d.Variants {
			if !covered[name+" "+v] {
				t.Errorf("no case for %s: %s", name, v)
			}
		}
	}
}

func withName(s Spec, name string) Spec {
	s.Name = name
	return s
}

func TestDescriptions(t *testing.T) {
	for _, name := range Standard().Names() {
		d := Standard().Factory(name).Describe()
		if d.Name != name || d.Version < 1 || d.Summary == "" {
			t.Errorf("%s: describes itself as %+v", name, d)
		}
		for _, v := range append([]string{""}, d.Variants...) {
			if !slices.ContainsFunc(d.Samples, func(s Sample) bool { return v == "" || variantName(withName(s.Spec, name)) == name+" "+v }) {
				t.Errorf("%s: no sample of %s", name, v)
			}
		}
		for _, s := range d.Samples {
			if s.Spec.Name = name; len(s.Values) != 3 {
				t.Errorf("%s: a sample of %d values", name, len(s.Values))
			}
			if _, err := Standard().Show(fixedKey(t), s); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, p := range d.Params {
			if p.Summary == "" {
				t.Errorf("%s: parameter %s has no summary", name, p.Name)
			}
			p.takes(nil) // panics for a type that there is not
		}
	}
}

func (c *lawCase) lawSame(t *testing.T) {
	values, subjects := c.take(0, 700)
	a := c.bind(t, fixedKey(t), "d")
	if !a.Guarantees.Deterministic {
		t.Fatal("does not promise to be deterministic")
	}
	b := c.bind(t, fixedKey(t), "d")
	if a.Guarantees != b.Guarantees || a.Pinned != b.Pinned {
		t.Error("two bindings promise different things")
	}
	first := c.mask(t, a, true, values, subjects)
	for _, b := range []Binding{a, b} {
		if !slices.Equal(first, c.mask(t, b, true, values, subjects)) {
			t.Fatal("another output for the same input")
		}
	}
}

// The output does not depend on which values stand around, and in which order.
func (c *lawCase) lawBatches(t *testing.T) {
	const n = 2*lanes + 37
	b := c.bind(t, fixedKey(t), "d")
	values, subjects := c.take(0, n)
	whole := c.mask(t, b, true, values, subjects)
	pick := func(from []any, order []int) []any {
		if from == nil {
			return nil
		}
		picked := make([]any, len(order))
		for i, j := range order {
			picked[i] = from[j]
		}
		return picked
	}
	order := randomly(1).Perm(n)
	shuffled := c.mask(t, b, true, pick(values, order), pick(subjects, order))
	for i, j := range order {
		if shuffled[i] != whole[j] {
			t.Fatalf("value %d in another place: another output", j)
		}
	}
	for _, i := range []int{0, 1, lanes - 1, lanes, n - 1} {
		if alone := c.mask(t, b, true, pick(values, []int{i}), pick(subjects, []int{i})); alone[0] != whole[i] {
			t.Fatalf("value %d alone: another output", i)
		}
	}
	if none := c.mask(t, b, true, nil, nil); len(none) != 0 {
		t.Error("an empty batch has values")
	}
}

// Views and binaries, and slices of longer arrays, are masked alike.
func (c *lawCase) lawForms(t *testing.T) {
	b := c.bind(t, fixedKey(t), "d")
	values, subjects := c.take(0, 400)
	values[7], values[11] = nil, nil
	want := c.mask(t, b, true, values, subjects)
	if !slices.Equal(want, c.mask(t, b, false, values, subjects)) {
		t.Error("views and binaries have different outputs")
	}
	const from, to = 5, 300
	if subjects != nil {
		subjects = subjects[from:to]
	}
	for _, view := range []bool{true, false} {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		in := arrayOf(mem, c.col.Kind, view, values)
		slice := array.NewSlice(in, from, to)
		got := c.maskArrays(t, b, mem, slice, subjects, view)
		slice.Release()
		in.Release()
		mem.AssertSize(t, 0)
		if !slices.Equal(want[from:to], got) {
			t.Errorf("a slice has different output (view %t)", view)
		}
	}
}

func (c *lawCase) lawNull(t *testing.T) {
	b := c.bind(t, fixedKey(t), "d")
	g := b.Guarantees
	values, subjects := c.take(0, 12)
	for i := range values {
		if i%3 == 1 {
			values[i] = nil
		}
	}
	out := c.mask(t, b, true, values, subjects)
	for i := range values {
		if g.KeepsNull && values[i] == nil && out[i] != nil {
			t.Errorf("row %d: NULL became a value", i)
		}
		if c.spec.Name != "null" && values[i] != nil && out[i] == nil {
			t.Errorf("row %d: a value became NULL", i)
		}
	}
	none := make([]any, 12)
	if out := c.mask(t, b, true, none, subjects); g.KeepsNull && !slices.Equal(out, none) {
		t.Error("all NULL: values came out")
	}
	c.lawArrowNull(t, b, subjects)
	if !g.KeepsEmpty || c.col.Kind != Text {
		return
	}
	blanks := []any{"", " ", "   ", "\t\n", "\u00a0", "\u2003 "}
	if subjects != nil {
		subjects = subjects[:len(blanks)]
	}
	if out := c.mask(t, b, true, blanks, subjects); !slices.Equal(out, blanks) {
		t.Errorf("blanks %q became %q", blanks, out)
	}
}

// An *array.Null stands for any column that is all NULL.
func (c *lawCase) lawArrowNull(t *testing.T, b Binding, subjects []any) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	in := array.NewNull(12)
	defer in.Release()
	for _, v := range c.maskArrays(t, b, mem, in, subjects, true) {
		if v != nil {
			t.Error("a value came out of an array of NULLs")
		}
	}
}

func (c *lawCase) lawFits(t *testing.T) {
	b := c.bind(t, fixedKey(t), "d")
	values, subjects := c.take(0, 20_000)
	out := c.mask(t, b, true, values, subjects)
	same := 0
	for i, v := range out {
		if v == nil {
			continue
		}
		if v == values[i] {
			same++
		}
		if c.fits != nil {
			if wrong := c.fits(values[i], v); wrong != "" {
				t.Fatalf("value %d %s", i, wrong)
			}
		}
		if s, isText := v.(string); isText && c.col.Kind == Text {
			if !utf8.ValidString(s) {
				t.Fatalf("value %d is not UTF-8", i)
			}
			n := utf8.RuneCountInString(s)
			if c.col.MaxChars > 0 && n > c.col.MaxChars {
				t.Fatalf("value %d has %d characters, the column holds %d", i, n, c.col.MaxChars)
			}
			if was := utf8.RuneCountInString(values[i].(string)); b.Guarantees.KeepsLength && was != n {
				t.Fatalf("value %d of %d characters has %d", i, was, n)
			}
		}
	}
	if !c.fixed && !c.few && same > len(out)/1000 {
		t.Errorf("%d of %d values came through as they were", same, len(out))
	}
}

// mostTried is how many values the law of uniqueness tries.
var mostTried = 1 << 21

// Values stay apart where that is promised: all of them if they are few, else a sample.
func (c *lawCase) lawUnique(t *testing.T) {
	b := c.bind(t, fixedKey(t), "d")
	if c.col.Unique && !b.Guarantees.Unique(c.col.Rows) {
		t.Fatal("bound to a unique column without promising to keep values apart")
	}
	if !b.Guarantees.Unique(0) {
		return
	}
	total := c.count
	if total == 0 {
		total = 1<<17 + 13
	}
	total = min(total, mostTried)
	// Of each value there are 64 bits, which are faster to sort than values are to look
	// up. That two of a million values meet there has a chance of 1 in 30 million.
	seed := maphash.MakeSeed()
	ins, outs := make([]uint64, 0, total), make([]uint64, 0, total)
	const step = 1 << 13
	for at := 0; at < total; at += step {
		values, subjects := c.take(at, min(step, total-at))
		for i, v := range c.mask(t, b, true, values, subjects) {
			ins = append(ins, maphash.Comparable(seed, values[i]))
			outs = append(outs, maphash.Comparable(seed, v))
		}
	}
	slices.Sort(ins)
	slices.Sort(outs)
	before, after := len(slices.Compact(ins)), len(slices.Compact(outs))
	if before != after {
		t.Errorf("%d values became %d", before, after)
	}
	if total == c.count && c.spec.Params["range"] != nil && before != c.count {
		t.Errorf("the case has %d values and says %d", before, c.count)
	}
}

func (c *lawCase) lawKey(t *testing.T) {
	values, subjects := c.take(0, 300)
	here := c.mask(t, c.bind(t, fixedKey(t), "d"), true, values, subjects)
	for name, b := range map[string]Binding{
		"another key":    c.bind(t, NewKey(), "d"),
		"another domain": c.bind(t, fixedKey(t), "e"),
	} {
		there := c.mask(t, b, true, values, subjects)
		same := 0
		for i := range here {
			if here[i] == there[i] {
				same++
			}
		}
		switch {
		case c.fixed && same != len(here):
			t.Errorf("%s: a constant changed", name)
		case !c.fixed && !c.few && same > len(here)/20:
			t.Errorf("%s: %d of %d outputs are the same", name, same, len(here))
		}
	}
}

// Many at once have the output of one alone. With -race this finds shared state.
func (c *lawCase) lawNoState(t *testing.T) {
	b := c.bind(t, fixedKey(t), "d")
	var want [4][]any
	var values, subjects [4][]any
	for i := range want {
		values[i], subjects[i] = c.take(1000*i, 300+i)
		want[i] = c.mask(t, b, true, values[i], subjects[i])
	}
	var group sync.WaitGroup
	for i := range want {
		group.Go(func() {
			for range 5 {
				if !slices.Equal(want[i], c.mask(t, b, true, values[i], subjects[i])) {
					t.Error("another output beside others")
					return
				}
			}
		})
	}
	group.Wait()
}

// fewer divides how much the longest tests try: 1, but under the race detector.
var fewer = 1

// fewAllocations is less than a batch of 1,024 values may make; more under the race
// detector.
var fewAllocations = 64

// A batch costs a handful of allocations, and a value none. Not beside the laws:
// the count is that of the whole process.
func TestNoAllocationPerValue(t *testing.T) {
	for _, c := range lawCases {
		t.Run(c.name, func(t *testing.T) {
			b := c.bind(t, fixedKey(t), "d")
			values, subjects := c.take(0, 1024)
			run := c.runner(t, b, values, subjects)
			arrays := 1 + len(c.spec.Paths) // each path of a document masks an array of its own
			if n := testing.AllocsPerRun(20, run); n >= float64(fewAllocations*arrays) {
				t.Errorf("%.0f allocations for 1024 values", n)
			}
		})
	}
}

// runner returns a function that masks the values, as views, and lets go of the result.
func (c *lawCase) runner(t testing.TB, b Binding, values, subjects []any) func() {
	mem := memory.DefaultAllocator
	in := []arrow.Array{arrayOf(mem, c.col.Kind, true, values)}
	if b.Group != nil {
		own := in[0]
		in = c.inputs(mem, b, own, subjects, true)
		own.Release()
	}
	t.Cleanup(func() {
		for _, a := range in {
			a.Release()
		}
	})
	return func() {
		var out arrow.Array
		var err error
		if b.Group != nil {
			var outs []arrow.Array
			if outs, err = b.Group.ApplyGroup(mem, in); err == nil {
				out = outs[0]
			}
		} else {
			out, err = b.Transform.Apply(mem, in[0])
		}
		if err != nil {
			t.Fatal(err)
		}
		out.Release()
	}
}
