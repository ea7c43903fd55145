package masking

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// bindCode binds {pseudonym: code}: a permutation of the codes of one pattern. AB-12
// becomes two capitals, a hyphen and two digits; a code masks alike in capitals and
// in small letters, so that equal codes stay equal, and others different, under
// collations that fold case too.
//
// It takes a–z and the decimal digits of every script. Other letters are an error, and so is
// a text of more than about 33 digits or 23 letters: that is no code.
//
// A column with labels has these permuted among themselves. Integers keep their
// number of digits.
func bindCode(req Request) (Binding, error) {
	col := req.Column
	key := subkey(req.Key.For("code"))
	if _, given := req.Spec.Params["range"]; given {
		return Binding{}, &BindError{Reason: "pseudonym code takes no range", Help: "use {pseudonym: id, range: [lo, hi]} for integers"}
	}
	switch {
	case col.Kind == UUID:
		return Binding{}, &BindError{Reason: "pseudonym code takes texts and integers, and the column holds UUIDs", Help: "use {pseudonym: uuid}"}
	case col.Kind == Int:
		return bindDigitCounts(req, key)
	case col.Labels != nil:
		return bindLabels(col, key)
	}
	return Binding{
		Transform: &symbolTransform{
			permuter: newSymbolPermuter(key), equality: col.Equality,
			masked: symbolsMost, strict: true, what: "a code",
		},
		Guarantees: pseudonymLengths,
		Warnings:   fewSymbols(col, "a code"),
	}, nil
}

// pseudonymLengths are the guarantees of a permutation that keeps the length too.
var pseudonymLengths = func() Guarantees {
	g := pseudonymGuarantees
	g.KeepsLength = true
	return g
}()

// bindLabels permutes the labels among themselves, in the order of their bytes: what
// order the type has them in makes no difference, but a new label does.
func bindLabels(col Column, key Subkey) (Binding, error) {
	s := getScratch()
	defer s.free()
	t := &labelTransform{equality: col.Equality, masks: make(map[string]string)}
	byForm := map[string]string{}
	for _, label := range slices.Sorted(slices.Values(col.Labels)) {
		form := string(s.canonical([]byte(label), col.Equality))
		if _, twice := byForm[form]; !twice && !blank([]byte(label)) {
			byForm[form] = label
			t.forms = append(t.forms, form)
		}
	}
	for i, to := range shuffle(key.For("labels"), len(t.forms)) {
		t.masks[t.forms[i]] = byForm[t.forms[to]]
	}
	b := Binding{Transform: t, Guarantees: pseudonymGuarantees, Pinned: "labels " + strings.Join(t.forms, ", ")}
	if len(t.forms) < 1_000_000 {
		b.Warnings = []string{fmt.Sprintf("only %d labels: whoever knows how often each occurs can tell them apart", len(t.forms))}
	}
	return b, nil
}

// labelTransform exchanges labels.
type labelTransform struct {
	equality Equality
	forms    []string          // canonical, sorted by their labels
	masks    map[string]string // the label that stands for each
}

func (t *labelTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.size())
	s := getScratch()
	defer s.free()
	for i := range values.n {
		if values.null(i) {
			out.null()
			continue
		}
		v := values.value(i)
		if blank(v) {
			out.add(v)
			continue
		}
		s.text = s.text[:0]
		label, known := t.masks[string(s.canonical(v, t.equality))]
		if !known {
			out.drop()
			return nil, &ValueError{Row: i, Reason: "not among the column's labels", Help: "take the catalog anew: the type has changed"}
		}
		out.grow(len(label))
		out.buf = append(out.buf, label...)
		out.end()
	}
	return out.finish(), nil
}
