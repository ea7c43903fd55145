package catalog

// Key is a primary or unique key.
type Key struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"` // in the key's order
	// NullsEqual is set by UNIQUE NULLS NOT DISTINCT.
	NullsEqual bool `json:"nulls_equal,omitempty"`
	// Partial is set when the key holds for some rows only (a partial unique index).
	Partial bool `json:"partial,omitempty"`
}

// Rule keeps rows apart by more than plain columns: a unique index over
// expressions, one whose collation is not its column's, or an exclusion constraint.
// Two rows break it if every part of theirs answers to its operator.
type Rule struct {
	Name  string `json:"name"`
	Parts []Part `json:"parts"`
	// NullsEqual is set by UNIQUE NULLS NOT DISTINCT.
	NullsEqual bool `json:"nulls_equal,omitempty"`
	// Condition lists the columns that the condition of a partial index reads.
	Condition []string `json:"condition,omitempty"`
	// Exclusion is set for a constraint that compares by operators of its own.
	Exclusion bool `json:"exclusion,omitempty"`
}

// Part is one of the things that a Rule compares.
type Part struct {
	// Column is set where the part is a column, or one of its cases alone: lower(email).
	Column string `json:"column,omitempty"`
	// Equality is that under which the column is compared, beside its own.
	Equality Equality `json:"equality,omitempty"`
	// Expression is the part in the engine's words, where Column is empty.
	Expression string `json:"expression,omitempty"`
	// Reads lists the columns that the expression may read.
	Reads []string `json:"reads,omitempty"`
	// Operator is what an exclusion constraint compares by, other than =: &&.
	Operator string `json:"operator,omitempty"`
}

// Pair is one column of a foreign key and the column that it points to.
type Pair struct {
	Column     string `json:"column"`
	References string `json:"references"`
}

// ForeignKey is a foreign key by its real pairs of columns: whatever the order
// in which either table, or either key, lists them.
type ForeignKey struct {
	Name       string  `json:"name"`
	References TableID `json:"references"`
	Pairs      []Pair  `json:"pairs"`
	Deferrable bool    `json:"deferrable,omitempty"`
	// Validated is false for a key that the source itself does not vouch for (NOT VALID).
	Validated bool `json:"validated,omitempty"`
	// MatchFull is set for a key of which a row has all columns or none: a row of which some
	// are NULL breaks it, where it else references nothing.
	MatchFull bool `json:"match_full,omitempty"`
}

// Columns returns the referencing columns, in the key's order.
func (f ForeignKey) Columns() []string {
	cols := make([]string, len(f.Pairs))
	for i, p := range f.Pairs {
		cols[i] = p.Column
	}
	return cols
}
