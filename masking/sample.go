package masking

import (
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
	mem := memory.DefaultAllocator
	if b.Group == nil {
		in, err := ParseValues(mem, col.Kind, s.Values, nil)
		if err != nil {
			return shown, fmt.Errorf("sample of %s: %w", s.Spec.Name, err)
		}
		defer in.Release()
		out, err := b.Transform.Apply(mem, in)
		if err != nil {
			return shown, fmt.Errorf("sample of %s: %w", s.Spec.Name, err)
		}
		defer out.Release()
		shown.Masked, shown.Valid = SpellValues(col.Kind, out)
		return shown, nil
	}
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
