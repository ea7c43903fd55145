package policies

import (
	"reflect"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// A table gets a partition each day, and loses one. Nothing can come through by it that the lock
// did not foresee, if it is what its table is, or another of its partitions, and if no line of
// the policy is about it.

// partition returns the table whose partition a new or a vanished one is, if that is harmless.
// In all, one of the two catalogs, the table stands with what it is a partition of.
func (d *drift) partition(all *catalog.Catalog, id catalog.TableID) (root *catalog.Table, harmless bool) {
	t := all.Table(id)
	if t == nil || !t.IsPartition || t.Kind == catalog.Foreign || d.named(id) {
		return nil, false
	}
	if root = all.Root(t); root == t || root.IsPartition || !d.stays(root.ID) {
		return nil, false
	}
	added := d.was.Table(id) == nil
	return root, slices.ContainsFunc(all.Tables, func(other *catalog.Table) bool {
		return other != t && all.Root(other) == root && d.stays(other.ID) && (other == root || !d.named(other.ID)) &&
			sameShape(t, other) && (!added || saysNoMore(t, other))
	})
}

// ofPartition reports whether an object has come or gone with a partition, and says no more: it is
// gone, or it is a trigger, which the tables have been compared by, without a comment.
func (d *drift) ofPartition(kind, name string, now []catalog.Object) bool {
	return slices.ContainsFunc(d.partitions, func(id catalog.TableID) bool {
		of, is := strings.CutPrefix(name, id.String()+".")
		return is && of != "" && !slices.ContainsFunc(now, func(o catalog.Object) bool { return kind != "trigger" || o.Comment != "" || o.Definition != "" })
	})
}

// stays reports whether a table was there when the lock was made, and is.
func (d *drift) stays(id catalog.TableID) bool {
	return d.was.Table(id) != nil && d.is.Table(id) != nil
}

// named reports whether a line of the policy is about a table itself.
func (d *drift) named(id catalog.TableID) bool {
	return slices.ContainsFunc(d.lines.p.Tables, func(r *TableRule) bool {
		was, _, _ := findTable(d.was, r.Name)
		is, _, _ := findTable(d.is, r.Name)
		return was != nil && was.ID == id || is != nil && is.ID == id
	})
}

// sameShape reports whether a partition has the columns and keys of another table of the same root,
// whatever the keys are called.
func sameShape(t, other *catalog.Table) bool {
	return len(t.Columns) == len(other.Columns) &&
		!slices.ContainsFunc(t.Columns, func(c catalog.Column) bool { return !sameColumn(c, other.Column(c.Name)) }) &&
		same(primary(t), primary(other), unnamedKey) && same(t.Unique, other.Unique, unnamedKey) &&
		same(t.Rules, other.Rules, unnamedRule) && same(t.ForeignKeys, other.ForeignKeys, unnamedForeignKey)
}

// saysNoMore reports whether a partition has no comment, check, index or trigger that the other
// table does not have too.
func saysNoMore(t, other *catalog.Table) bool {
	return (t.Comment == "" || t.Comment == other.Comment) &&
		among(t.Checks, other.Checks, func(d catalog.Definition) catalog.Definition { return d }) &&
		among(t.Indexes, other.Indexes, unnamedIndex) && among(t.Triggers, other.Triggers, unnamedTrigger)
}

// among reports whether the others have all of these, and same whether both have the same.
func among[T any](these, others []T, unnamed func(T) T) bool {
	return !slices.ContainsFunc(these, func(x T) bool {
		return !slices.ContainsFunc(others, func(o T) bool { return reflect.DeepEqual(unnamed(x), unnamed(o)) })
	})
}

func same[T any](these, others []T, unnamed func(T) T) bool {
	return len(these) == len(others) && among(these, others, unnamed) && among(others, these, unnamed)
}

func sameColumn(c catalog.Column, other *catalog.Column) bool {
	if other == nil || c.Comment != "" && c.Comment != other.Comment {
		return false
	}
	o := *other
	c.Comment, o.Comment = "", ""
	if identity := o.Generation == catalog.IdentityAlways || o.Generation == catalog.IdentityByDefault; identity && c.Generation == catalog.Plain {
		c.Generation = o.Generation // a server below 17 gives a partition none
	}
	return reflect.DeepEqual(c, o)
}

func primary(t *catalog.Table) (keys []catalog.Key) {
	if t.PrimaryKey != nil {
		keys = append(keys, *t.PrimaryKey)
	}
	return keys
}

func unnamedKey(k catalog.Key) catalog.Key                      { k.Name = ""; return k }
func unnamedRule(r catalog.Rule) catalog.Rule                   { r.Name = ""; return r }
func unnamedForeignKey(k catalog.ForeignKey) catalog.ForeignKey { k.Name = ""; return k }

// unnamedIndex leaves out the index's name and the table's.
func unnamedIndex(d catalog.Definition) catalog.Definition {
	d.Name = ""
	if _, after, found := strings.Cut(d.Text, " USING "); found {
		d.Text = after
	}
	return d
}

// unnamedTrigger leaves out the table that the trigger is on.
func unnamedTrigger(d catalog.Definition) catalog.Definition {
	before, after, on := strings.Cut(d.Text, " ON ")
	if _, after, each := strings.Cut(after, " FOR EACH "); on && each {
		d.Text = before + " FOR EACH " + after
	}
	return d
}
