package policies

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// history is a column that is kept, and into which triggers or rules write from tables with
// masked columns; without the column, one that writes nobody knows where.
type history struct {
	col     *column // or nil
	writers []writer
	from    []*table
	made    []string // the masked columns that are written there, as far as the words tell
}

// writer is a trigger or a rule of a table.
type writer struct {
	kind string
	d    catalog.Definition
}

// writersOf are what writes elsewhere when rows of the table change.
func (c *compiler) writersOf(t *catalog.Table) (all []writer) {
	for _, d := range ownTriggers(c.catalog, t) {
		all = append(all, writer{"trigger", d})
	}
	c.knowRoutines()
	for _, d := range c.routines.rules[t.ID.String()] {
		all = append(all, writer{"rule", d})
	}
	return all
}

// String says what is wrong with it.
func (h history) String() string {
	if h.col == nil {
		others := ""
		if len(h.from) > 1 {
			others = "; its function is called for " + some(h.tables()[1:]) + " as well"
		}
		return "has the " + h.who() + ", which inserts into a table whose name it puts together when it runs (EXECUTE): what is kept there may be what is masked here" + others
	}
	return "is kept, and " + h.reason()
}

// reason says what is written into the column.
func (h history) reason() string {
	verb := " writes"
	if len(h.writers) > 1 {
		verb = " write"
	}
	made := ""
	if h.made != nil {
		made = ": " + some(h.made)
	}
	return "the " + h.who() + verb + " rows of " + some(h.tables()) + " there, which are masked" + made
}

// tables are those whose rows are written.
func (h history) tables() (names []string) {
	for _, t := range h.from {
		names = append(names, t.t.ID.String())
	}
	return names
}

// who names what writes.
func (h history) who() string {
	words := ""
	for _, kind := range []string{"trigger", "rule"} {
		var names []string
		for _, w := range h.writers {
			if w.kind == kind {
				names = append(names, w.d.Name)
			}
		}
		switch {
		case names == nil:
			continue
		case words != "":
			words += " and the "
		}
		if words += kind; len(names) > 1 {
			words += "s"
		}
		words += " " + some(names)
	}
	return words
}

// add adds what writes, its table, and the columns of which it is known.
func (h *history) add(by writer, from *table, made []string) {
	if !slices.ContainsFunc(h.writers, func(w writer) bool { return w.kind == by.kind && w.d.Name == by.d.Name }) {
		h.writers = append(h.writers, by)
	}
	if !slices.Contains(h.from, from) {
		h.from = append(h.from, from)
	}
	for _, name := range made {
		if !slices.Contains(h.made, name) {
			h.made = append(h.made, name)
		}
	}
}

// part tells it from others of the same object.
func (h history) part() string {
	if len(h.writers) > 1 {
		return ""
	}
	return h.writers[0].d.Name
}

// some names three of them, and how many more there are.
func some(names []string) string {
	if len(names) <= 4 {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:3], ", ") + " and " + strconv.Itoa(len(names)-3) + " more"
}

// object is the column, or the table whose trigger it is.
func (h history) object() string {
	if h.col == nil {
		return h.from[0].t.ID.String()
	}
	return h.col.id().String()
}

// at is the line that decides about it.
func (h history) at() Position {
	if h.col == nil {
		return h.from[0].at
	}
	return h.col.decision.at
}

// insertWords are those of several engines in front of a table.
const insertWords = `\b(?:insert|replace)(?:\s+(?:low_priority|high_priority|delayed|ignore|or\s+\w+))*\s+into\s+`

var (
	// insertInto has the table, and the columns if they are listed.
	insertInto = regexp.MustCompile(`(?i)` + insertWords + sqlTable + `(?:\s+as\s+\w+)?\s*(?:\(([^()]*)\))?`)
	// insertSomewhere ends in the middle of the table's name.
	insertSomewhere = regexp.MustCompile(`(?i)(?:` + insertWords + `|\bmerge\s+into\s+)[\w$."]*\s*(?:%|')`)
	// putTogether is a list of columns that is not written out.
	putTogether = regexp.MustCompile(`[%']`)
	noColumns   = regexp.MustCompile(`(?i)^\s*(?:select|values|with|table)\b`)
)

// histories finds triggers and rules that write rows of a table with masked columns into
// another, in which a column is kept that may hold them.
func (c *compiler) histories() []history {
	var found []*history
	of := map[any]*history{} // by the column, or by what writes nobody knows where
	add := func(key any, col *column, by writer, ts *table, made []string) {
		if of[key] == nil {
			of[key] = &history{col: col}
			found = append(found, of[key])
		}
		of[key].add(by, ts, made)
	}
	for _, ts := range c.tables {
		if !ts.copied() || len(ts.masked()) == 0 {
			continue
		}
		for _, by := range c.writersOf(ts.t) {
			columns, unseen := c.reached(ts, by.d)
			for _, r := range columns {
				add(r.col, r.col, by, ts, r.made)
			}
			if unseen && by.d.Function != "" {
				add(by.d.Function, nil, by, ts, nil)
			} else if unseen {
				add(ts.t.ID.String()+"."+by.d.Name, nil, by, ts, nil)
			}
		}
	}
	histories := make([]history, len(found))
	for i, h := range found {
		histories[i] = *h
	}
	return histories
}

// reach is a column that is kept, and of which masked columns it may be made, as far as that is known.
type reach struct {
	col  *column
	made []string
}

// reached returns the columns of other tables that are kept, and in which may stand what a
// trigger or rule writes there; and whether it writes nobody knows where.
func (c *compiler) reached(ts *table, d catalog.Definition) (columns []reach, unseen bool) {
	add := func(col *column, made []string) {
		i := slices.IndexFunc(columns, func(r reach) bool { return r.col == col })
		if i < 0 {
			i, columns = len(columns), append(columns, reach{col: col})
		}
		columns[i].made = append(columns[i].made, made...)
	}
	for _, p := range c.code(d) {
		unseen = unseen || p.written().unseen
		for _, into := range p.written().inserts {
			for _, to := range c.targets(ts, d, into.schema, into.table) {
				for _, col := range to.columns {
					if col.decision != nil && col.decision.keep && ts.mayReach(col, into.columns) {
						add(col, nil)
					}
				}
			}
		}
		r := newRowReader(ts, d, p)
		for _, w := range p.puts() {
			for _, to := range c.targets(ts, d, w.schema, w.table) {
				for _, a := range r.pairs(w, to) {
					col := to.columnLike(a.column)
					if col == nil || col.decision == nil || !col.decision.keep || to.tellsLittle(col) {
						continue
					}
					if made, unknown := r.read(a.to); made != nil || unknown && ts.masksLike(col) {
						add(col, made)
					}
				}
			}
		}
	}
	return columns, unseen
}

// masksLike reports whether the table masks a column of the same kind by more than a pseudonym.
func (t *table) masksLike(like *column) bool {
	return slices.ContainsFunc(t.masked(), func(name string) bool {
		col := t.column(name)
		return col.col.Type.Kind == like.col.Type.Kind && col.decision.spec.Name != "pseudonym"
	})
}

// writes are where code inserts rows.
type writes struct {
	inserts []insert
	unseen  bool // into tables besides whose names it puts together
}

// insert is a table in the words of an INSERT, and the columns if they are listed.
type insert struct{ schema, table, columns string }

// written looks for them.
func (p *script) written() *writes {
	if p.writes != nil {
		return p.writes
	}
	p.writes = &writes{unseen: dynamic.MatchString(p.text) && insertSomewhere.MatchString(p.text)}
	for _, m := range insertInto.FindAllStringSubmatch(p.run(), -1) {
		if noColumns.MatchString(m[3]) {
			m[3] = ""
		}
		if into := (insert{m[1], m[2], m[3]}); !slices.Contains(p.writes.inserts, into) {
			p.writes.inserts = append(p.writes.inserts, into)
		}
	}
	for _, w := range p.puts() {
		if w.merges {
			p.writes.inserts = append(p.writes.inserts, insert{w.schema, w.table, w.listed()})
		}
	}
	return p.writes
}

// targets are the other tables that a trigger may mean by a name. Where it gives no schema,
// those of its function, its table and the database's own are searched: the path is not known.
func (c *compiler) targets(ts *table, d catalog.Definition, schema, name string) (found []*table) {
	function, _, _ := strings.Cut(d.Function, ".")
	schemas := []string{function, ts.t.ID.Schema, c.catalog.DefaultSchema}
	if schema != "" && ts.t.ID.Schema != "" {
		schemas = []string{unquoted(schema)}
	}
	for _, s := range schemas {
		id := catalog.TableID{Schema: s, Name: unquoted(name)}.String()
		t, known := c.routines.tables[id]
		if !known {
			t = c.catalog.Find(id)
			c.routines.tables[id] = t
		}
		if t == nil || t.ID == ts.t.ID {
			continue
		}
		if to := c.byID[t.ID]; to.copied() && !slices.Contains(found, to) {
			found = append(found, to)
		}
	}
	return found
}

// mayReach reports whether a column of another table, into which rows of this one are
// inserted, may hold what is masked here: as a masked column of the same name, or as part of
// a text. Where columns are listed, no other is written.
func (t *table) mayReach(col *column, listed string) bool {
	if listed != "" && !putTogether.MatchString(listed) && !catalog.Names(listed, col.col.Name) {
		return false
	}
	return len(t.maskedOf([]string{col.col.Name})) > 0 || holdsText(col.col.Type) || isText(col.col.Type) && t.moreThanKeysMasked()
}

// masked are the columns of the table that are not kept.
func (t *table) masked() []string {
	var names []string
	for _, col := range t.columns {
		names = append(names, col.col.Name)
	}
	return t.maskedOf(names)
}

// moreThanKeysMasked reports whether a column is masked by more than a pseudonym, which
// stands in the rows of many tables that say nothing else of whom they are about.
func (t *table) moreThanKeysMasked() bool {
	return t.textsMasked() || slices.ContainsFunc(t.masked(), func(name string) bool {
		return t.column(name).decision.spec.Name != "pseudonym"
	})
}

// textsMasked reports whether a text of the table is masked.
func (t *table) textsMasked() bool {
	return slices.ContainsFunc(t.columns, func(col *column) bool {
		return col.decision != nil && !col.decision.keep && col.col.Type.Kind == catalog.Text
	})
}

// assignments are the places where a trigger's function sets columns of the row; a group
// of theirs is the column, or a list with NEW.column in it.
var (
	assignments = []*regexp.Regexp{
		regexp.MustCompile(`(?i)\bnew\s*\.\s*` + sqlName + `\s*:=`),
		regexp.MustCompile(`(?i)(?:^|[;,]|\b(?:set|begin|then|else|loop)\b)\s*new\s*\.\s*` + sqlName + `\s*=`),
		regexp.MustCompile(`(?i)\binto\s+(?:strict\s+)?((?:[\pL\pN_$."]+\s*,\s*)*[\pL\pN_$."]+)`),
	}
	// statementStart ends where a statement of PL/pgSQL begins.
	statementStart = regexp.MustCompile(`(?i);|\b(?:begin|then|else|loop)\b`)
	// noVariable is what is no variable in an expression: literals, columns of the row, calls and keywords.
	noVariable = regexp.MustCompile(`(?i)'(?:[^']|'')*'|\b(?:new|old)\s*\.\s*` + sqlName +
		`|\b(?:extract|timestamp(?:diff|add))\s*\(\s*\w+|(?:[\w."]+\.)?[\w"]+\s*\(|\bcollate\s+[\w."]+` +
		`|\binterval\s+(?:[-+]?[\d.]+|'(?:[^']|'')*'|(?:new|old)\s*\.\s*` + sqlName + `)\s+(?:microsecond|second|minute|hour|day|week|month|quarter|year)(?:_\w+)?\b` +
		`|\b(?:and|or|not|is|null|true|false|case|when|then|else|end|in|like|ilike|between|distinct|from|at\s+time\s+zone|interval|select|tg_\w+` +
		`|current_(?:date|time|timestamp|user|role|catalog|schema)|local(?:time|timestamp)|utc_(?:date|time|timestamp)|session_user|system_user|user)\b`)
	ofNewRow = regexp.MustCompile(`(?i)\bnew\s*\.\s*` + sqlName)
)

// assignment is a place where code sets a column of the row, and what it sets it to.
type assignment struct{ column, to string }

// assignments looks for them.
func (p *script) assignments() []assignment {
	if p.sets != nil {
		return p.sets
	}
	found := []assignment{}
	blank := sqlLiteral.ReplaceAllStringFunc(p.text, func(s string) string { return strings.Repeat("'", len(s)) })
	for _, pattern := range assignments {
		for _, at := range pattern.FindAllStringSubmatchIndex(blank, -1) {
			from, target := at[1], blank[at[2]:at[3]]
			if pattern != assignments[2] {
				found = append(found, assignment{unquoted(target), p.text[from : from+statementEnd(blank[from:])]})
				continue
			}
			for _, m := range statementStart.FindAllStringIndex(blank[:at[0]], -1) {
				from = m[1]
			}
			for _, m := range ofNewRow.FindAllStringSubmatch(target, -1) {
				found = append(found, assignment{unquoted(m[1]), p.text[from:at[0]] + p.text[at[1]:at[1]+statementEnd(blank[at[1]:])]})
			}
		}
	}
	p.sets = found
	return found
}

// statementEnd is where the first statement of the words ends.
func statementEnd(words string) int {
	if end := strings.IndexByte(words, ';'); end >= 0 {
		return end
	}
	return len(words)
}

// assigned returns what a trigger sets columns of the row to.
func assigned(code []*script) (found []assignment) {
	for _, p := range code[:min(2, len(code))] { // what its function calls has no NEW
		found = append(found, p.assignments()...)
	}
	return found
}

// source is the code that tells what an assignment sets a column to: its own words and the
// functions that it calls; or all, where it has a variable or a row as a whole.
func (c *compiler) source(all []*script, a assignment) []*script {
	if strings.ContainsFunc(noVariable.ReplaceAllString(catalog.WithoutCasts(a.to), " "), unicode.IsLetter) {
		return all
	}
	own := &script{text: a.to}
	return append([]*script{own}, c.routines.reachedFrom(c.routines.calledIn(own))...)
}

// assignedWarnings finds columns that are kept, and that a trigger of the table makes of a
// masked one for all that its words tell: that may stand in them.
func (c *compiler) assignedWarnings() (warnings []string) {
	for _, ts := range c.tables {
		if !ts.copied() {
			continue
		}
		for _, d := range ownTriggers(c.catalog, ts.t) {
			if !firesAfter.MatchString(firing(d)) {
				warnings = append(warnings, c.assignedBy(ts, d)...)
			}
		}
	}
	return warnings
}

func (c *compiler) assignedBy(ts *table, d catalog.Definition) (warnings []string) {
	code := c.code(d)
	from := map[*column][]string{}
	for _, a := range assigned(code) {
		col := ts.column(a.column)
		if col != nil && col.decision != nil && col.decision.keep && !ts.tellsLittle(col) {
			from[col] = append(from[col], ts.maskedOf(ts.namedIn(c.source(code, a), col))...)
		}
	}
	for _, col := range ts.columns {
		masked := from[col]
		if masked == nil {
			continue
		}
		slices.Sort(masked)
		warnings = append(warnings, col.id().String()+": is kept, and the trigger "+d.Name+" sets it, and reads "+strings.Join(slices.Compact(masked), ", ")+
			" for all that its words tell: what is masked there may stand here")
	}
	return warnings
}

// tellsLittle reports whether a value of the column tells next to nothing of another one that
// it is computed from: it is true or false, or points to a row that is there.
func (t *table) tellsLittle(col *column) bool {
	return col.col.Type.Kind == catalog.Bool || slices.ContainsFunc(t.t.ForeignKeys, func(k catalog.ForeignKey) bool {
		return slices.ContainsFunc(k.Pairs, func(p catalog.Pair) bool { return p.Column == col.col.Name })
	})
}

// isText reports whether a value of the type is a text, or made of parts that hold texts.
func isText(t catalog.Type) bool {
	return t.Kind == catalog.Text && len(t.Labels) == 0 || holdsText(t)
}
