package policies

import (
	"path/filepath"
	"strconv"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// Document is a policy as Diff compares it: the file's own sections, and, where a
// catalog was at hand or the file is a lock, what is decided about each column. It
// is immutable, and safe for concurrent use.
type Document struct {
	Name   string // the file, as it was named
	Digest string // SHA-256 of its exact bytes, in hex
	// Lock is the lock that the document was read from; nil for a policy.
	Lock *Lock

	policy *Policy         // of a lock: its sections, with the lines that they came from
	tables []resolvedTable // nil if only the lines of the file are known
	loose  []looseLine     // lines that name nothing of the catalog
}

// Resolved reports whether the document knows the decision about each column.
func (d *Document) Resolved() bool { return d.tables != nil }

// looseLine is a line about a table or a column that the catalog does not have.
type looseLine struct{ table, column string } // as the policy spells them; column is empty for the table

// resolvedTable is what happens to one table.
type resolvedTable struct {
	id      string // schema.table
	short   string // as a policy may call it
	action  string // copy, drop, none, or undecided: nobody has listed it
	why     string
	where   string // file:line
	rows    *RowsRule
	columns []resolvedColumn
}

// resolvedColumn is what happens to one column.
type resolvedColumn struct {
	name   string
	action string // keep, mask, derive, drop, computed, or undecided
	class  string
	kind   string
	do     Do
	spec   masking.Spec
	why    string
	where  string
}

// decided reports whether values of some sort arrive.
func (c resolvedColumn) decided() bool {
	return c.action == "keep" || c.action == "mask" || c.action == deriveWord
}

// Resolve returns the policy with its decisions about the catalog's columns: those that
// its lines make, and those that keys, links and parents hand on. It binds no
// transform and needs no key; what Compile would refuse is undecided, or as the
// lines say. A nil catalog gives the lines alone.
func Resolve(p *Policy, c *catalog.Catalog) *Document {
	d := &Document{Name: p.File, Digest: p.Digest, policy: p}
	if c == nil {
		return d
	}
	s := newCompiler(p, c)
	s.enter()
	s.tableRules()
	s.relate()
	s.inherit()
	d.tables = []resolvedTable{}
	for _, ts := range s.tables {
		d.tables = append(d.tables, s.resolved(ts))
	}
	for _, rule := range p.Tables {
		t, _, _ := s.findTable(rule.Name)
		if t == nil {
			d.loose = append(d.loose, looseLine{table: rule.Name})
		}
		for _, line := range linesOf(rule) {
			if t == nil {
				d.loose = append(d.loose, looseLine{rule.Name, line.Name})
			} else if c, _, _ := findColumn(t, line.Name); c == nil {
				d.loose = append(d.loose, looseLine{rule.Name, line.Name})
			}
		}
	}
	return d
}

// resolved says what is decided about a table, as compiled does of one that compiles.
func (c *compiler) resolved(ts *table) resolvedTable {
	t := resolvedTable{id: ts.t.ID.String(), short: c.catalog.Display(ts.t.ID), action: "copy", why: ts.why, where: c.where(ts.at)}
	if ts.rule != nil {
		t.rows = ts.rule.Rows
	}
	switch {
	case ts.t.Kind == catalog.Foreign:
		t.action, t.why = "none", "foreign table: its rows are on another server"
	case ts.drop:
		t.action = "drop"
	case !ts.listed:
		t.action, t.why = "undecided", "not listed: it stops the run"
	case ts.t.Kind == catalog.Partitioned:
		t.action, t.why = "none", "its partitions store the rows"
	}
	for _, col := range ts.columns {
		r := resolvedColumn{name: col.col.Name, action: "undecided", why: "no line covers it: it stops the run"}
		switch d := col.decision; {
		case col.col.Generation.Computed():
			r.action, r.why = "computed", "computed by the database"
		case !ts.copied():
			r.action, r.why, r.where = "drop", ts.why, c.where(ts.at)
		case d == nil && col.todo != (Position{}):
			r.why, r.where = "still "+todo+": it stops the run", c.where(col.todo)
		case d == nil:
		default:
			r.action, r.class, r.do, r.spec = "mask", d.class, d.do, d.spec
			r.why, r.where = col.why, c.where(d.at)
			switch {
			case d.keep:
				r.action = "keep"
				r.spec = masking.Spec{Name: "keep"}
			case d.derive:
				r.action, r.why = deriveWord, col.derivedWords()
				r.spec = c.p.spec(d.class, d.do)
			}
			if class := c.p.Class(d.class); class != nil {
				r.kind = class.Kind
			}
		}
		t.columns = append(t.columns, r)
	}
	return t
}

// whereOf is file:line of a place in the policy, or of its base that defines a class.
func (p *Policy) whereOf(pos Position) string {
	if pos.Line == 0 {
		return ""
	}
	return p.File + ":" + strconv.Itoa(pos.Line)
}

func (c *Class) where(p *Policy) string {
	if c.From != nil {
		return c.From.whereOf(c.At)
	}
	return p.whereOf(c.At)
}

// base is a file:line without folders: a lock does not tell where it was made.
func base(where string) string { return filepath.Base(where) }
