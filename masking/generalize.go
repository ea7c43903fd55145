package masking

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// generalizeFactory makes {generalize: {VALUE: GROUP}}: a value becomes the group
// that the policy puts it into.
//
// A key of a text is the text, or its beginning with a star: "E1*" is every
// text that begins with E1. The whole text comes before a beginning, a longer
// beginning before a shorter one, and * alone is every text. Keys are compared as
// the column compares values. A key of an integer is the integer, or a range with
// both ends: "18..64".
//
// A value that no key names is an error, unless else gives it a group: a new
// value in production does not slip through.
type generalizeFactory struct{}

func (generalizeFactory) Describe() Description {
	return Description{
		Name:    "generalize",
		Version: 1,
		Summary: "Replaces values by the groups that the policy puts them into; a value without a group is an error.",
		Kinds:   []Kind{Int, Text},
		Value:   `a mapping of values to groups; "E1*" is what begins with E1, "18..64" the integers between`,
		Params:  []Param{{Name: "else", Summary: "the group of every other value; without it, one is an error", Type: "string"}},
		Samples: []Sample{
			{
				Spec:   Spec{Variant: map[string]any{"E1*": "diabetes", "C*": "cancer"}, Params: map[string]any{"else": "other"}},
				Column: Column{Kind: Text}, Values: []string{"E11.9", "C50", "J45"},
			},
			{
				Spec:   Spec{Variant: map[string]any{"0..17": int64(0), "18..64": int64(18), "65..150": int64(65)}},
				Column: Column{Kind: Int, Bits: 16}, Values: []string{"12", "40", "103"},
			},
		},
	}
}

func (generalizeFactory) Bind(req Request) (Binding, error) {
	col := req.Column
	entries, ok := req.Spec.Variant.(map[string]any)
	if !ok || len(entries) == 0 {
		return Binding{}, &BindError{Reason: "generalize is not a mapping of values to groups", Help: `write {generalize: {"E1*": diabetes, "C*": cancer}, else: other}`}
	}
	if err := refuseUnique("generalize", col, "pseudonym or token"); err != nil {
		return Binding{}, err
	}
	groups := maps.Clone(entries)
	if other, given := req.Spec.Params["else"].(string); given {
		if _, twice := groups["*"]; twice {
			return Binding{}, &BindError{Reason: "generalize has both a group for * and else", Help: "write one of them"}
		}
		groups["*"] = any(other)
		if n, err := strconv.ParseInt(other, 10, 64); col.Kind == Int && err == nil {
			groups["*"] = n
		}
	}
	keys := slices.Sorted(maps.Keys(groups))
	digest := sha256.New()
	b := Binding{Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true}}
	texts, numbers := &textGroups{equality: col.Equality, exact: map[string][]byte{}, begins: map[string][]byte{}}, &numberGroups{}
	for _, key := range keys {
		var group constantTransform
		if err := group.encode(col, groups[key]); err != nil {
			if be, is := err.(*BindError); is {
				err = &BindError{Reason: fmt.Sprintf("the group of %q: %s", key, be.Reason), Help: be.Help}
			}
			return Binding{}, err
		}
		for _, w := range group.warnings {
			b.Warnings = append(b.Warnings, fmt.Sprintf("the group of %q: %s", key, w))
		}
		var err error
		if col.Kind == Int {
			err = numbers.add(key, group.number)
		} else {
			err = texts.add(key, group.bytes)
		}
		if err != nil {
			return Binding{}, err
		}
		fmt.Fprintf(digest, "%d:%s|%d|%d:%s|", len(key), key, group.number, len(group.bytes), group.bytes)
	}
	b.Pinned = fmt.Sprintf("%d keys, %s", len(keys), hex.EncodeToString(digest.Sum(nil)[:8]))
	if b.Transform = texts; col.Kind == Int {
		if err := numbers.sort(); err != nil {
			return Binding{}, err
		}
		b.Transform = numbers
	}
	return b, nil
}

func noGroup(row int) error {
	return &ValueError{Row: row, Reason: "a value that the policy puts into no group", Help: "add it to the mapping, or say what all others become: else"}
}

// textGroups are the groups of texts by their canonical forms.
type textGroups struct {
	equality      Equality
	exact, begins map[string][]byte
	lengths       []int // of the beginnings, the longest first
}

func (t *textGroups) add(key string, group []byte) error {
	s := getScratch()
	defer s.free()
	in := t.exact
	begin, isBegin := strings.CutSuffix(key, "*")
	if isBegin {
		in = t.begins
	}
	canonical := string(s.canonical([]byte(begin), t.equality))
	if other, twice := in[canonical]; twice && string(other) != string(group) {
		return &BindError{Reason: fmt.Sprintf("generalize: two keys that the column calls equal have different groups: %q is one of them", key), Help: "the column compares " + t.equality.String()}
	}
	in[canonical] = group
	if isBegin && !slices.Contains(t.lengths, len(canonical)) {
		t.lengths = append(t.lengths, len(canonical))
		slices.SortFunc(t.lengths, func(a, b int) int { return b - a })
	}
	return nil
}

// group returns the group of a text's canonical form.
func (t *textGroups) group(v []byte) ([]byte, bool) {
	if g, ok := t.exact[string(v)]; ok {
		return g, true
	}
	for _, n := range t.lengths {
		if n <= len(v) {
			if g, ok := t.begins[string(v[:n])]; ok {
				return g, true
			}
		}
	}
	return nil, false
}

func (t *textGroups) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.size())
	s := getScratch()
	defer s.free()
	for i := range values.n {
		switch {
		case values.null(i):
			out.null()
		case blank(values.value(i)):
			out.add(values.value(i))
		default:
			s.text = s.text[:0]
			group, ok := t.group(s.canonical(values.value(i), t.equality))
			if !ok {
				out.drop()
				return nil, noGroup(i)
			}
			out.add(group)
		}
	}
	return out.finish(), nil
}

// numberGroups are the groups of integers: ranges that do not overlap, sorted.
type numberGroups struct {
	ranges []numberRange
	other  int64
	all    bool // other is everybody else's
}

type numberRange struct{ first, last, group int64 }

func (t *numberGroups) add(key string, group int64) error {
	if key == "*" {
		t.other, t.all = group, true
		return nil
	}
	low, high, isRange := strings.Cut(key, "..")
	if !isRange {
		high = low
	}
	first, err1 := strconv.ParseInt(strings.TrimSpace(low), 10, 64)
	last, err2 := strconv.ParseInt(strings.TrimSpace(high), 10, 64)
	if err1 != nil || err2 != nil || first > last {
		return &BindError{Reason: fmt.Sprintf("generalize: the key %q is no integer and no range of integers", key), Help: `write "18", "18..64", or "*" for every other`}
	}
	t.ranges = append(t.ranges, numberRange{first, last, group})
	return nil
}

func (t *numberGroups) sort() error {
	slices.SortFunc(t.ranges, func(a, b numberRange) int {
		if a.first < b.first {
			return -1
		}
		return 1
	})
	for i := 1; i < len(t.ranges); i++ {
		if a, b := t.ranges[i-1], t.ranges[i]; b.first <= a.last {
			return &BindError{Reason: fmt.Sprintf("generalize: %d is in two ranges", b.first), Help: "write ranges that do not overlap: both ends belong to each"}
		}
	}
	return nil
}

func (t *numberGroups) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	b := newFixedBuilder[int64](mem, in)
	for i, v := range ints(in) {
		b.values[i] = 0
		if in.IsNull(i) {
			continue
		}
		at, found := slices.BinarySearchFunc(t.ranges, v, func(r numberRange, v int64) int {
			switch {
			case r.last < v:
				return -1
			case r.first > v:
				return 1
			}
			return 0
		})
		switch {
		case found:
			b.values[i] = t.ranges[at].group
		case t.all:
			b.values[i] = t.other
		default:
			b.drop()
			return nil, noGroup(i)
		}
	}
	return b.finish(), nil
}
