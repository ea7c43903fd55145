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
}

// Columns returns the referencing columns, in the key's order.
func (f ForeignKey) Columns() []string {
	cols := make([]string, len(f.Pairs))
	for i, p := range f.Pairs {
		cols[i] = p.Column
	}
	return cols
}
