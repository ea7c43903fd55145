package masking

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Action says what happens to a column.
type Action uint8

// The actions. There is no zero action that would let data pass: the plan
// refuses Undecided.
const (
	Undecided Action = iota
	Keep             // passes through, by somebody's word
	Mask             // by a Binding
	Computed         // the target computes it anew
)

// ColumnPlan is one column's part of a plan.
type ColumnPlan struct {
	Name    string
	Action  Action
	Binding Binding // of Mask; the zero Binding if another column's group masks it
	// By names what computes a column that holds values at the source and is Computed all
	// the same; empty where the table's own definition does.
	By string
}

// TablePlan binds every column of one table. It is immutable and safe for
// concurrent use. Make one with NewTablePlan.
type TablePlan struct {
	table   string
	drop    bool
	columns []ColumnPlan
	decoded []string
	unread  []string
	steps   []step
}

type step struct {
	column  string // for errors
	one     Transform
	group   GroupTransform
	in, out []int // indexes into decoded
	utf8    bool  // what is masked has to be UTF-8
}

// NewTablePlan returns the plan of a table. drop copies no rows: only the
// structure remains. An undecided column, or a mask that nothing performs, is an error.
func NewTablePlan(table string, drop bool, columns []ColumnPlan) (*TablePlan, error) {
	p := &TablePlan{table: table, drop: drop, columns: columns}
	if drop {
		return p, nil
	}
	reads, masked := map[string]bool{}, map[string]bool{}
	for _, c := range columns {
		switch b := c.Binding; {
		case c.Action == Undecided:
			return nil, fmt.Errorf("plan of %s: column %s is undecided", table, c.Name)
		case c.By != "" && c.Action != Computed:
			return nil, fmt.Errorf("plan of %s: column %s is computed by %s and not decided so", table, c.Name, c.By)
		case c.Action != Mask:
			if b.Transform != nil || b.Group != nil {
				return nil, fmt.Errorf("plan of %s: column %s is not masked and has a transform", table, c.Name)
			}
		case b.Transform != nil:
			if masked[c.Name] {
				return nil, fmt.Errorf("plan of %s: column %s is masked twice", table, c.Name)
			}
			reads[c.Name], masked[c.Name] = true, true
		case b.Group != nil:
			for _, in := range b.Inputs {
				reads[in] = true
			}
			for _, out := range b.Outputs {
				if masked[out] {
					return nil, fmt.Errorf("plan of %s: column %s is masked twice", table, out)
				}
				reads[out], masked[out] = true, true
			}
		}
	}
	known := map[string]bool{}
	for _, c := range columns {
		known[c.Name] = true
		if c.Action == Mask && !masked[c.Name] {
			return nil, fmt.Errorf("plan of %s: column %s is to be masked and nothing masks it", table, c.Name)
		}
		if c.Action != Mask && masked[c.Name] {
			return nil, fmt.Errorf("plan of %s: column %s is masked by a group and not decided so", table, c.Name)
		}
		if reads[c.Name] {
			p.decoded = append(p.decoded, c.Name)
		}
	}
	for name := range reads {
		if !known[name] {
			return nil, fmt.Errorf("plan of %s: there is no column %s", table, name)
		}
	}
	for _, c := range columns {
		grouped := slices.ContainsFunc(columns, func(o ColumnPlan) bool {
			return slices.Contains(o.Binding.Inputs, c.Name) || slices.Contains(o.Binding.Outputs, c.Name)
		})
		if c.Binding.Transform != nil && c.Binding.Unread && !grouped {
			p.unread = append(p.unread, c.Name)
		}
	}
	at := func(names []string) []int {
		var is []int
		for _, n := range names {
			is = append(is, slices.Index(p.decoded, n))
		}
		return is
	}
	for _, c := range columns {
		switch b := c.Binding; {
		case b.Transform != nil:
			p.steps = append(p.steps, step{column: c.Name, one: b.Transform, out: at([]string{c.Name}), utf8: b.UTF8})
		case b.Group != nil:
			p.steps = append(p.steps, step{column: c.Name, group: b.Group, in: at(b.Inputs), out: at(b.Outputs), utf8: b.UTF8})
		}
	}
	return p, nil
}

// Drop reports whether the table's rows stay behind.
func (p *TablePlan) Drop() bool { return p.drop }

// Columns returns the plan of each column, in the table's order. The caller does not change it.
func (p *TablePlan) Columns() []ColumnPlan { return p.columns }

// Decoded returns the names of the columns whose values Apply wants, in the
// table's order: the masked ones, and those that a group reads.
func (p *TablePlan) Decoded() []string { return p.decoded }

// Unread returns the names of those Decoded columns of which nobody looks at a value, but
// only whether it is NULL: a value that cannot be read is no obstacle there.
func (p *TablePlan) Unread() []string { return p.unread }

// Apply masks the arrays of the Decoded columns and returns as many, in the same
// order; those that are only read come back as they are, with one more
// reference. The caller releases both. On an error, a *ValueError that names
// the column, nothing is left to release.
func (p *TablePlan) Apply(mem memory.Allocator, in []arrow.Array) ([]arrow.Array, error) {
	if len(in) != len(p.decoded) {
		panic(fmt.Sprintf("masking: plan of %s: %d columns for %d", p.table, len(in), len(p.decoded)))
	}
	out := make([]arrow.Array, len(in))
	for _, s := range p.steps {
		if err := s.apply(mem, in, out); err != nil {
			for _, a := range out {
				if a != nil {
					a.Release()
				}
			}
			var ve *ValueError
			if errors.As(err, &ve) && ve.Column == "" {
				ve.Column = s.column
			}
			return nil, err
		}
	}
	for i, a := range out {
		if a == nil {
			in[i].Retain()
			out[i] = in[i]
		}
	}
	return out, nil
}

// checkUTF8 finds a value that is not UTF-8 among those that are to be masked.
func (s *step) checkUTF8(in []arrow.Array) error {
	for _, i := range s.out {
		values := textsOf(in[i])
		for row := range values.n {
			if !values.inlineASCII(row) && !values.null(row) && !valid(values.value(row)) {
				return &ValueError{Row: row, Reason: "not UTF-8", Help: "repair the value at the source, or mask the column by null or a constant"}
			}
		}
	}
	return nil
}

// valid is utf8.Valid, at less cost for short texts of ASCII.
func valid(v []byte) bool { return isASCII(v) || utf8.Valid(v) }

func (s *step) apply(mem memory.Allocator, in, out []arrow.Array) error {
	if s.utf8 {
		if err := s.checkUTF8(in); err != nil {
			return err
		}
	}
	if s.one != nil {
		a, err := s.one.Apply(mem, in[s.out[0]])
		if err != nil {
			return err
		}
		out[s.out[0]] = a
		return nil
	}
	args := make([]arrow.Array, len(s.in))
	for i, j := range s.in {
		args[i] = in[j]
	}
	masked, err := s.group.ApplyGroup(mem, args)
	if err != nil {
		return err
	}
	for i, j := range s.out {
		out[j] = masked[i]
	}
	return nil
}

// Plan binds every column of every table. It is immutable and safe for concurrent use.
type Plan struct {
	tables map[TableName]*TablePlan
}

// TableName names a table in a plan.
type TableName struct{ Schema, Name string }

// NewPlan returns a plan of the given tables.
func NewPlan(tables map[TableName]*TablePlan) *Plan { return &Plan{tables: tables} }

// Table returns the plan of a table, or nil: a table without a plan is not copied
// by anyone, it stops the run.
func (p *Plan) Table(schema, name string) *TablePlan { return p.tables[TableName{schema, name}] }
