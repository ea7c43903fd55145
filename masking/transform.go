package masking

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Transform masks the values of one column. It keeps no state between calls,
// sees no clock and no context, and is safe for concurrent use.
type Transform interface {
	// Apply returns a new array of the same length as in, made from mem; the
	// caller releases both. Input and output types are those of the column's
	// Kind (see Kind); *array.Null stands for any column that is all NULL.
	// An error is a *ValueError; then nothing is returned.
	Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error)
}

// GroupTransform masks several columns together: the columns of one person or
// place, or a column by the subject that another one names.
type GroupTransform interface {
	// ApplyGroup takes the arrays of Binding.Inputs and returns those of
	// Binding.Outputs, under the terms of Transform.Apply.
	ApplyGroup(mem memory.Allocator, in []arrow.Array) ([]arrow.Array, error)
}

// ValueError is a value that a transform cannot mask. It holds coordinates, and
// never the value.
type ValueError struct {
	Column string // set by the plan
	Row    int    // within the array; the pipeline adds the chunk
	Reason string // "outside the pinned range [1, 100]"
	Help   string // what a person can do
}

// Error returns "column, row: reason".
func (e *ValueError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("row %d: %s", e.Row, e.Reason)
	}
	return fmt.Sprintf("column %s, row %d: %s", e.Column, e.Row, e.Reason)
}

// Hint returns what a person can do.
func (e *ValueError) Hint() string { return e.Help }

// Guarantees are what a transform promises of a bound column. The compiler and
// the audit read them, the law tests prove them.
type Guarantees struct {
	Deterministic bool `json:"deterministic"` // key, domain and value decide the output
	Injective     bool `json:"injective"`     // different values stay different
	Reversible    bool `json:"reversible"`    // with the key, output gives input
	KeepsFormat   bool `json:"keeps_format"`  // type, sign, character classes
	KeepsLength   bool `json:"keeps_length"`  // in characters
	KeepsNull     bool `json:"keeps_null"`    // NULL stays NULL
	KeepsEmpty    bool `json:"keeps_empty"`   // '' stays ''
	// OutputBits is the logarithm of how many outputs are equally likely for an
	// unknown input; 0 if few or unknown. Of an injective transform it says nothing.
	OutputBits float64 `json:"output_bits"`
}

// Unique reports whether the outputs of rows different inputs stay different: by
// a bijection, or because two of them meet with probability below 2^−30.
func (g Guarantees) Unique(rows int64) bool {
	if g.Injective {
		return true
	}
	return g.OutputBits >= UniqueBits(rows)
}

// Factory makes transforms of one name. It describes itself, and binds once to a
// column: all complaints happen in Bind, none but ValueError later.
// Factories are stateless and safe for concurrent use.
type Factory interface {
	// Describe returns what people and compilers need to know.
	Describe() Description
	// Bind returns the transform for a column, or an error that says what does
	// not fit and, if it can, what would (a *BindError).
	Bind(req Request) (Binding, error)
}

// Description is what a factory says of itself.
type Description struct {
	Name    string // the first key of `do`: pseudonym
	Version int    // of the output; part of the sub-key's derivation
	Summary string // one sentence
	Kinds   []Kind // that it takes; nil is all
	// Variant tells the variants that the transform's own key may have
	// (pseudonym: id, uuid), empty if it takes none.
	Variants []string
	// Named are those of the Variants that are written as a mapping of their own name to
	// another one, {fake: {gofakeit: FUNCTION}}.
	Named []string
	// Value tells what the transform's own key takes where that is no name of a
	// variant: "a number of days".
	Value  string
	Params []Param
	// Samples shows the transform at work, each variant at least once.
	Samples []Sample
	// Valueless: the output does not go by the value, so it does not matter what the
	// database calls equal.
	Valueless bool
}

// Sample shows a transform to people: what it does to three values of a column.
type Sample struct {
	Spec   Spec // its Name and Domain may be left out
	Column Column
	// Values are spelled as PostgreSQL prints them.
	Values []string
	// Beside holds the values of other columns of the row that the transform reads,
	// and what masks them.
	Beside []SampleColumn
	// Files holds the files that parameters name (password).
	Files map[string]string
}

// SampleColumn is a column beside the sample's own, with as many values.
type SampleColumn struct {
	Column Column
	Spec   Spec // the zero Spec if it is kept
	Values []string
}

// Param is one parameter of a transform.
type Param struct {
	Name    string
	Summary string
	// Type is one of: int, float, string, bool, bool or string, list, map, column.
	Type     string
	Required bool
}

// Request is what a factory binds to.
type Request struct {
	Column Column
	Spec   Spec
	// Key is the sub-key of (Spec.Domain, Description.Name, Description.Version).
	Key Subkey
	// Bind binds the parts of a composite: a JSON path, an array's element.
	// The child's own sub-key is derived from the child's Spec.
	Bind func(Column, Spec) (Binding, error)
	// BindPeer binds what masks another column of the row, as the plan does. Nil where
	// Row is.
	BindPeer func(Peer) (Binding, error)
	// Row is the table around the column; nil where there is none, as in a document.
	Row *Row
}

// Row is what a transform may know of the table that its column stands in.
type Row struct {
	// Column finds another column by its name, or reports false.
	Column func(name string) (Column, bool)
	// Peers are the other columns that are read, in the table's order.
	Peers []Peer
	// Values counts the values of a column of the snapshot, for the one transform
	// whose output is made of them (shuffle). Nil where there are no rows at hand.
	Values func(name string) (*Values, error)
	// File reads a file that a parameter names; nil reads it from the file system.
	File func(path string) ([]byte, error)
}

// Peer is another column of the row, and what masks it: the zero Spec if it is kept.
type Peer struct {
	Column Column
	Spec   Spec
}

// Values are the values of a column and how often each occurs.
type Values struct {
	Texts  []string // as PostgreSQL prints them, without NULL, sorted byte for byte
	Counts []int64
	Nulls  int64
}

// Binding is a transform bound to a column. Exactly one of Transform and Group is set.
type Binding struct {
	Transform Transform
	Group     GroupTransform
	// Inputs and Outputs name the columns of a GroupTransform.
	Inputs, Outputs []string
	Guarantees      Guarantees
	// UTF8 is set where the database promises UTF-8: the plan refuses a value that is none,
	// rather than let each transform make of it what it can.
	UTF8 bool
	// Unread is set where the Transform looks at no value, but only at which are NULL.
	Unread bool
	// Warnings are for people: a domain so small that frequencies re-identify.
	Warnings []string
	// Pinned says in words what shapes the output beside key and domain: the
	// range, the dictionary's hash. Part of the fingerprint.
	Pinned string
}

// BindError is a transform that does not fit a column.
type BindError struct {
	Reason string // "email needs 29 characters, the column holds 20"
	Help   string // what would fit
}

// Error returns the reason.
func (e *BindError) Error() string { return e.Reason }

// Hint returns what would fit.
func (e *BindError) Hint() string { return e.Help }
