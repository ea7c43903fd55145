package masking

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Shown is a sample that has been masked.
type Shown struct {
	Sample
	Masked     []string
	Valid      []bool // false is NULL
	Guarantees Guarantees
	Warnings   []string
}

// count counts the values of the sample's own column, as a snapshot would.
func (s Sample) count(string) (*Values, error) {
	v := &Values{}
	for _, text := range slices.Sorted(slices.Values(s.Values)) {
		if n := len(v.Texts); n > 0 && v.Texts[n-1] == text {
			v.Counts[n-1]++
			continue
		}
		v.Texts, v.Counts = append(v.Texts, text), append(v.Counts, 1)
	}
	return v, nil
}

// errGroup is that of a transform which masks rows, and not values alone.
var errGroup = errors.New("masking: it takes more than the value")

// MaskTexts masks values of a column of that kind, which are spelled as PostgreSQL prints them; valid
// tells which have not become NULL. It is for a few.
func (b Binding) MaskTexts(kind Kind, values []string) (masked []string, valid []bool, err error) {
	if b.Transform == nil {
		return nil, nil, errGroup
	}
	mem := memory.DefaultAllocator
	in, err := ParseValues(mem, kind, values, nil)
	if err != nil {
		return nil, nil, err
	}
	defer in.Release()
	out, err := b.Transform.Apply(mem, in)
	if err != nil {
		return nil, nil, err
	}
	defer out.Release()
	masked, valid = SpellValues(kind, out)
	return masked, valid, nil
}

// Show masks the three values of a sample under key.
func (r *Registry) Show(key *Key, s Sample) (Shown, error) {
	shown := Shown{Sample: s}
	col := s.Column
	if col.Name == "" {
		col.Name = "sample"
	}
	row := &Row{Column: func(name string) (Column, bool) {
		for _, b := range s.Beside {
			if b.Column.Name == name {
				return b.Column, true
			}
		}
		return Column{}, false
	}, Values: s.count}
	if s.Files != nil {
		row.File = func(path string) ([]byte, error) {
			content, is := s.Files[path]
			if !is {
				return nil, fs.ErrNotExist
			}
			return []byte(content), nil
		}
	}
	for _, b := range s.Beside {
		row.Peers = append(row.Peers, Peer{Column: b.Column, Spec: b.Spec})
	}
	b, err := r.Bind(key, col, s.Spec, row)
	if err != nil {
		return shown, fmt.Errorf("sample of %s: %w", s.Spec.Name, err)
	}
	shown.Guarantees, shown.Warnings = b.Guarantees, b.Warnings
	if b.Group == nil {
		if shown.Masked, shown.Valid, err = b.MaskTexts(col.Kind, s.Values); err != nil {
			return shown, fmt.Errorf("sample of %s: %w", s.Spec.Name, err)
		}
		return shown, nil
	}
	mem := memory.DefaultAllocator
	var ins []arrow.Array
	defer func() {
		for _, a := range ins {
			a.Release()
		}
	}()
	own := -1
	for _, name := range b.Inputs {
		kind, values := col.Kind, s.Values
		if name != col.Name {
			for _, beside := range s.Beside {
				if beside.Column.Name == name {
					kind, values = beside.Column.Kind, beside.Values
				}
			}
		}
		in, err := ParseValues(mem, kind, values, nil)
		if err != nil {
			return shown, fmt.Errorf("sample of %s: %w", s.Spec.Name, err)
		}
		ins = append(ins, in)
	}
	for i, name := range b.Outputs {
		if name == col.Name {
			own = i
		}
	}
	outs, err := b.Group.ApplyGroup(mem, ins)
	if err != nil {
		return shown, fmt.Errorf("sample of %s: %w", s.Spec.Name, err)
	}
	shown.Masked, shown.Valid = SpellValues(col.Kind, outs[own])
	for _, a := range outs {
		a.Release()
	}
	return shown, nil
}
