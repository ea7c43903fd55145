package catalog

import (
	"reflect"
	"slices"
)

// What a partition has, its table may have for all of them: under another name, as indexes do.

// HasKey reports whether the table has the unique key of one of its partitions.
func (t *Table) HasKey(k Key) bool {
	return slices.ContainsFunc(t.UniqueKeys(), func(o Key) bool {
		return slices.Equal(o.Columns, k.Columns) && o.Partial == k.Partial && o.NullsEqual == k.NullsEqual
	})
}

// HasRule reports whether the table has the rule of one of its partitions.
func (t *Table) HasRule(r Rule) bool {
	return slices.ContainsFunc(t.Rules, func(o Rule) bool { return reflect.DeepEqual(o.Parts, r.Parts) })
}

// HasCheck reports whether the table has the CHECK of one of its partitions.
func (t *Table) HasCheck(d Definition) bool {
	return slices.ContainsFunc(t.Checks, func(o Definition) bool { return o.Name == d.Name || o.Text == d.Text })
}

// HasForeignKey reports whether the table has the foreign key of one of its partitions.
func (t *Table) HasForeignKey(f ForeignKey) bool {
	return slices.ContainsFunc(t.ForeignKeys, func(o ForeignKey) bool { return o.References == f.References && slices.Equal(o.Pairs, f.Pairs) })
}

// LacksNotNull reports whether a column of one of its partitions may not be NULL, and the table's may.
func (t *Table) LacksNotNull(own Column) bool {
	above := t.Column(own.Name)
	return own.NotNull && above != nil && !above.NotNull
}
