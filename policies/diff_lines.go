package policies

import (
	"fmt"
	"strings"
)

// tableLines compares two policies by what their lines say, where no catalog tells what
// keys and parents hand on. Tables and columns are paired by their spelling.
func (d *differ) tableLines() { d.lines(tablesByName(d.a), tablesByName(d.b)) }

// looseLines compares by their lines what either policy says of tables and columns that
// the catalog does not have: who changes a policy may have changed the catalog as well.
// It returns how many such lines there are.
func (d *differ) looseLines() int {
	whole, parts := map[string]bool{}, map[looseLine]bool{}
	for _, l := range append(append([]looseLine{}, d.a.loose...), d.b.loose...) {
		if l.column == "" {
			whole[l.table] = true
		} else {
			parts[l] = true
		}
	}
	sets := []tableSet{tablesByName(d.a), tablesByName(d.b)}
	var gone [2]tableSet
	for i, s := range sets {
		gone[i].rules = map[string]*TableRule{}
		for _, name := range s.names {
			if whole[name] {
				gone[i].names = append(gone[i].names, name)
				gone[i].rules[name] = s.rules[name]
			}
		}
	}
	d.lines(gone[0], gone[1])
	// Of a table that is there, the columns alone that are not.
	pick := func(s tableSet, name string) *TableRule {
		rule := &TableRule{Name: name}
		if full := s.rules[name]; full != nil {
			rule.Drop, rule.At = full.Drop, full.At
			for _, line := range linesOf(full) {
				if parts[looseLine{name, line.Name}] {
					rule.Columns = append(rule.Columns, line)
				}
			}
		}
		return rule
	}
	done := map[string]bool{}
	for _, s := range sets {
		for _, name := range s.names {
			if whole[name] || done[name] {
				continue
			}
			done[name] = true
			old, now := pick(sets[0], name), pick(sets[1], name)
			lines := map[string]ColumnRule{}
			for _, line := range old.Columns {
				lines[line.Name] = line
			}
			d.columnLines(name, lines, old, now)
		}
	}
	return len(whole) + len(parts)
}

// lines compares tables by their lines.
func (d *differ) lines(a, b tableSet) {
	for _, name := range a.names {
		old, now := a.rules[name], b.rules[name]
		if now != nil {
			d.ruleLines(old, now)
			continue
		}
		s, what := Changed, "no line any more: it stops the run"
		switch {
		case d.b.policy.Defaults.UnlistedTable == "skip" && !old.Drop:
			s, what = Stronger, "no line any more: rows stay behind (unlisted_table: skip)"
		case d.b.policy.Defaults.UnlistedTable == "skip":
			what = "no line any more: rows stay behind as before"
		}
		d.add(s, "tables", old.Name, what, d.before(ruleText(old), old.At), Side{})
	}
	for _, name := range b.names {
		if a.rules[name] != nil {
			continue
		}
		now := b.rules[name]
		s, what := Changed, "a new table"
		switch {
		case now.Drop:
			what = "a new line: rows stay behind"
		case d.a.policy.Defaults.UnlistedTable == "skip":
			s, what = Weaker, "rows that stayed behind (unlisted_table: skip) are copied"
		}
		d.add(s, "tables", now.Name, what, Side{}, d.now(ruleText(now), now.At))
		d.columnLines(now.Name, map[string]ColumnRule{}, nil, now)
	}
}

// tableSet is the tables of a policy by name; of a lock, what it records of each.
type tableSet struct {
	names []string
	rules map[string]*TableRule
}

func tablesByName(d *Document) tableSet {
	s := tableSet{rules: map[string]*TableRule{}}
	add := func(t *TableRule) {
		if s.rules[t.Name] == nil {
			s.names = append(s.names, t.Name)
		}
		s.rules[t.Name] = t
	}
	for _, t := range d.policy.Tables {
		add(t)
	}
	// A lock without a catalog on the other side: its columns stand for lines.
	for _, t := range d.tables {
		if d.Lock == nil {
			break
		}
		rule := &TableRule{Name: t.short, Drop: t.action == "drop", Rows: t.rows}
		for _, c := range t.columns {
			if (c.why == "listed" || c.action == deriveWord && strings.HasPrefix(c.why, "listed;")) && c.decided() {
				do := c.do
				rule.Columns = append(rule.Columns, ColumnRule{Name: c.name, Class: c.class, Do: &do})
			}
		}
		add(rule)
	}
	return s
}

func ruleText(t *TableRule) string {
	if t.Drop {
		return "rows stay behind"
	}
	return fmt.Sprintf("rows are copied, %d columns listed", len(t.Columns)+len(t.Keep))
}

func (d *differ) ruleLines(old, now *TableRule) {
	before, after := d.before(ruleText(old), old.At), d.now(ruleText(now), now.At)
	switch {
	case old.Drop && now.Drop:
		return
	case old.Drop:
		d.add(Weaker, "tables", now.Name, "rows that stayed behind are copied", before, after)
	case now.Drop:
		d.add(Stronger, "tables", now.Name, "rows stay behind", before, after)
		return
	default:
		d.rows(now.Name, now.Name, old.Rows, now.Rows)
	}
	lines := map[string]ColumnRule{}
	for _, c := range old.Columns {
		lines[c.Name] = c
	}
	for _, c := range old.Keep {
		lines[c.Name] = c
	}
	d.columnLines(now.Name, lines, old, now)
}

// columnLines compares the lines of one table; old is nil, or dropped, where all are new.
func (d *differ) columnLines(table string, lines map[string]ColumnRule, old, now *TableRule) {
	seen := map[string]bool{}
	for _, c := range append(append([]ColumnRule{}, now.Columns...), now.Keep...) {
		seen[c.Name] = true
		at := table + "." + c.Name
		is := d.b.line(c)
		o, had := lines[c.Name]
		switch {
		case had:
			d.columnDecision(at, at, d.a.line(o), is)
		case old == nil:
			d.columnDecision(at, at, resolvedColumn{action: "absent"}, is)
		case old.Drop:
			d.columnDecision(at, at, resolvedColumn{action: "drop"}, is)
		default:
			d.columnDecision(at, at, resolvedColumn{action: "no line", why: "inherited, or undecided"}, is)
		}
	}
	for _, c := range linesOf(old) {
		if !seen[c.Name] {
			d.columnDecision(table+"."+c.Name, table+"."+c.Name, d.a.line(c), resolvedColumn{action: "no line", why: "inherits, or stops the run"})
		}
	}
}

func linesOf(t *TableRule) []ColumnRule {
	if t == nil {
		return nil
	}
	return append(append([]ColumnRule{}, t.Columns...), t.Keep...)
}

// line is what a column's line decides.
func (d *Document) line(c ColumnRule) resolvedColumn {
	r := resolvedColumn{name: c.Name, action: "mask", class: c.Class, where: d.where(c.At), do: Do{Name: "keep"}}
	class := d.policy.Class(c.Class)
	switch {
	case c.Class == todo:
		r.action, r.why = "undecided", "still "+todo+": it stops the run"
		return r
	case c.Do != nil:
		r.do = *c.Do
	case class != nil:
		r.do = class.Do
	}
	if class != nil {
		r.kind = class.Kind
	}
	if r.class == "" {
		r.class = r.do.Name
	}
	r.spec = d.policy.spec(r.class, r.do)
	if r.do.Name == "keep" {
		r.action = "keep"
	}
	return r
}
