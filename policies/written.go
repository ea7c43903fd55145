package policies

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// What code puts into which column is read from where both stand beside each other: in the lists
// of an INSERT, in SET, and in MERGE, which has both. What stands there may be a name for something
// else, as a variable is, and is followed to that.

// written is what code puts into columns of a table.
type written struct {
	schema, table string
	columns       []string     // nil are all of the table, in their order
	rows          [][]string   // of values for these, as far as they can be read
	cut           bool         // there are more than can be read
	sets          []assignment // of columns by name
	merges        bool         // it is what a MERGE does
}

var (
	// writeStart is where code begins to write into a table.
	writeStart = regexp.MustCompile(`(?i)(?:` + insertWords + `|\b(merge)\s+into\s+|\b(update)\s+)(?:only\s+)?` + sqlTable)
	// listStart is where columns are listed behind the table.
	listStart = regexp.MustCompile(`(?i)^(?:\s+as\s+\w+)?\s*\(`)
	// valuesStart is where the values of rows, or what selects them, begin.
	valuesStart = regexp.MustCompile(`(?i)\b(?:overriding\s+\w+\s+value\s+)?(values?|select)\b`)
	// rowsNested is what stands in parentheses and is more than a list of columns.
	rowsNested = regexp.MustCompile(`(?i)^\s*(?:select|values|with|table)\b`)
	// setStart is where columns are set by name, and setsEnd where that ends.
	setStart = regexp.MustCompile(`(?i)\bset\b|\bkey\s+update\b`)
	setsEnd  = regexp.MustCompile(`(?i)\b(?:where|returning|from|when\s+(?:not\s+)?matched)\b`)
	// mergeInsert is where MERGE says which rows it inserts.
	mergeInsert = regexp.MustCompile(`(?i)\bthen\s+insert\b`)
	// selectStart is where columns are selected, and selectEnd where their list ends.
	selectStart = regexp.MustCompile(`(?i)\bselect\b(?:\s+(?:all\b|distinct\b(?:\s+on\s*\([^()]*\))?))?`)
	selectEnd   = regexp.MustCompile(`(?i)\b(?:from|where|union|intersect|except|into|group|order|limit|on|returning|loop)\b`)
	selectInto  = regexp.MustCompile(`(?i)^into\s+(?:strict\s+)?`)
	notFrom     = regexp.MustCompile(`(?i)\bdistinct\s+from\b`)
	setPair     = regexp.MustCompile(`(?is)^\s*(?:` + sqlName + `\s*\.\s*)*` + sqlName + `\s*:?=(.*)$`)
	setPairs    = regexp.MustCompile(`(?is)^\s*\(([^()]*)\)\s*=\s*(?:row\s*)?\((.*)\)\s*$`)
)

// flat returns a statement of the same length up to where it ends, with nothing in its parentheses.
// What stands behind its end may be long, and is not copied.
func flat(code string) string {
	out := []byte(code[:flatEnd(code)])
	depth := 0
	for i, b := range out {
		switch b {
		case ')':
			depth--
		case '(':
			depth++
		}
		if depth > 1 || depth == 1 && b != '(' {
			out[i] = ' '
		}
	}
	return notFrom.ReplaceAllStringFunc(string(out), func(s string) string { return strings.Repeat(" ", len(s)) })
}

// flatEnd is where a statement ends, or the parentheses in which it stands.
func flatEnd(code string) int {
	depth := 0
	for i := range len(code) {
		switch b := code[i]; {
		case b == ';' && depth == 0, b == ')' && depth == 0:
			return i
		case b == ')':
			depth--
		case b == '(':
			depth++
		}
	}
	return len(code)
}

// listed takes a list apart at its commas.
func listed(code string) (items []string) {
	from := 0
	for i, b := range []byte(flat(code)) {
		if b == ',' {
			items, from = append(items, strings.TrimSpace(code[from:i])), i+1
		}
	}
	return append(items, strings.TrimSpace(code[from:]))
}

// texts are the pieces of code that run: all of it without its literals, and these, too, where it
// runs texts.
func (p *script) texts() []string {
	if strings.Count(p.text, "'")%2 != 0 {
		return []string{p.text}
	}
	all := []string{withoutLiterals(p.text)}
	if textsRun.MatchString(p.text) {
		for _, m := range sqlLiteral.FindAllStringSubmatch(p.text, -1) {
			all = append(all, withoutLiterals(strings.ReplaceAll(m[1], "''", "'")))
		}
	}
	return all
}

// puts looks for what code puts into columns.
func (p *script) puts() []written {
	if p.put == nil {
		p.put = []written{}
		for _, text := range p.texts() {
			for _, m := range writeStart.FindAllStringSubmatchIndex(text, -1) {
				group := func(n int) string { return text[max(m[2*n], 0):max(m[2*n+1], 0)] }
				w := written{schema: group(3), table: group(4), merges: group(1) != ""}
				rest := text[m[1]:]
				if w.merges {
					for _, at := range mergeInsert.FindAllStringIndex(flat(rest), -1) {
						into := w
						into.insert(rest[at[1]:])
						p.put = append(p.put, into)
					}
				} else if group(2) == "" {
					w.insert(rest)
				}
				if w.set(rest); w.rows != nil || w.sets != nil {
					p.put = append(p.put, w)
				}
			}
		}
	}
	return p.put
}

// insert reads which columns an INSERT lists, and what it puts into them.
func (w *written) insert(rest string) {
	top, from := flat(rest), 0
	if at := listStart.FindStringIndex(top); at != nil {
		if end := strings.IndexByte(top[at[1]:], ')'); end >= 0 && !rowsNested.MatchString(rest[at[1]:]) {
			for _, name := range listed(rest[at[1] : at[1]+end]) {
				w.columns = append(w.columns, unquoted(name))
			}
			from = at[1] + end + 1
		}
	}
	w.values(rest[from:])
}

// values reads the rows behind VALUES or SELECT.
func (w *written) values(rest string) {
	top := flat(rest)
	at := valuesStart.FindStringSubmatchIndex(top)
	switch {
	case at == nil:
		if inner := strings.IndexByte(top, '('); inner >= 0 && rowsNested.MatchString(rest[inner+1:]) {
			w.values(rest[inner+1:])
		}
	case strings.EqualFold(top[at[2]:at[3]], "select"):
		for _, s := range selectStart.FindAllStringIndex(top, -1) {
			w.rows = append(w.rows, listed(rest[s[1]:s[1]+endOf(selectEnd, top[s[1]:])]))
		}
	default:
		w.rows, w.cut = tuples(rest[at[1]:])
	}
}

// listed are the columns that are written, in one line; empty are all.
func (w *written) listed() string {
	names := w.columns
	for _, a := range w.sets {
		names = append(names, a.column)
	}
	return strings.Join(names, ", ")
}

// tuples reads the lists in parentheses with which code begins, and reports whether one of them
// has no end.
func tuples(code string) (rows [][]string, cut bool) {
	top := flat(code)
	for from := 0; ; {
		begin := strings.IndexByte(top[from:], '(')
		if begin < 0 || strings.ContainsFunc(strings.ReplaceAll(strings.ToLower(top[from:from+begin]), "row", ""), func(r rune) bool { return r != ' ' && r != ',' && r != '\n' && r != '\t' }) {
			return rows, false
		}
		begin += from + 1
		end := strings.IndexByte(top[begin:], ')')
		if end < 0 {
			return rows, true
		}
		rows = append(rows, listed(code[begin:begin+end]))
		from = begin + end + 1
	}
}

// endOf is where a pattern ends the words, or their end.
func endOf(pattern *regexp.Regexp, words string) int {
	if at := pattern.FindStringIndex(words); at != nil {
		return at[0]
	}
	return len(words)
}

// set reads which columns are set by name.
func (w *written) set(rest string) {
	top := flat(rest)
	for _, at := range setStart.FindAllStringIndex(top, -1) {
		for _, item := range listed(rest[at[1] : at[1]+endOf(setsEnd, top[at[1]:])]) {
			if m := setPairs.FindStringSubmatch(item); m != nil {
				names, values := listed(m[1]), listed(m[2])
				for i := range min(len(names), len(values)) {
					w.sets = append(w.sets, assignment{unquoted(names[i]), values[i]})
				}
			} else if m := setPair.FindStringSubmatch(item); m != nil {
				w.sets = append(w.sets, assignment{unquoted(m[2]), m[3]})
			}
		}
	}
}

// rowReader reads values for rows of a table.
type rowReader struct {
	ts      *table
	code    *script
	handed  []string          // what a statement's trigger calls the rows of the table
	selects bool              // the code reads rows of the table by their names
	stand   map[string]spoken // what names were found to stand for
}

// transition is what a trigger calls the rows that a statement has changed.
var transition = regexp.MustCompile(`(?i)\b(?:old|new)\s+table\s+(?:as\s+)?` + sqlName)

func newRowReader(ts *table, d catalog.Definition, code *script) *rowReader {
	r := &rowReader{ts: ts, code: code}
	for _, m := range transition.FindAllStringSubmatch(d.Text, -1) {
		r.handed = append(r.handed, unquoted(m[1]))
	}
	r.selects = slices.ContainsFunc(code.sources(), func(name string) bool { return name == ts.t.ID.Name || slices.Contains(r.handed, name) })
	return r
}

// sources are the names of what the code reads rows from.
func (p *script) sources() []string {
	if p.from == nil {
		p.from = []string{}
		for _, m := range rowSource.FindAllStringSubmatch(p.run(), -1) {
			p.from = append(p.from, unquoted(m[2]))
		}
	}
	return p.from
}

var (
	allOfRow  = regexp.MustCompile(`(?i)^(?:\(?\s*(old|new)\s*\)?\s*\.\s*|(?:` + sqlName + `\s*\.\s*)?)\*$`)
	someOfRow = regexp.MustCompile(`(?i)\b(?:old|new)\s*\)?\s*\.\s*` + sqlName)
	wholeRow  = regexp.MustCompile(`(?i)\b(?:old|new)\b`)
	// oneName is a name, perhaps with what it is of, or that of an argument.
	oneName = regexp.MustCompile(`(?:` + sqlName + `\s*\.\s*)*` + sqlName + `|@\w+|\$\d+|%`)
)

// pairs are the columns of a table, and what is put into each.
func (r *rowReader) pairs(w written, to *table) []assignment {
	found := slices.Clone(w.sets)
	names := w.columns
	if names == nil {
		for _, col := range to.columns {
			names = append(names, col.col.Name)
		}
	}
	for _, row := range w.rows {
		at := 0
		for _, v := range row {
			values := []string{v}
			if m := allOfRow.FindStringSubmatch(v); m != nil {
				if m[1] == "" && !r.selects {
					break // nobody knows how many
				}
				values = nil
				for _, col := range r.ts.columns {
					values = append(values, `new."`+strings.ReplaceAll(col.col.Name, `"`, `""`)+`"`)
				}
			}
			for _, v := range values {
				if at < len(names) {
					found = append(found, assignment{names[at], v})
				}
				at++
			}
		}
	}
	if w.cut {
		for _, name := range w.columns {
			found = append(found, assignment{name, "%"})
		}
	}
	return found
}

// spoken is what words say of a row: the masked columns that they name, the names in them that
// stand for something else, and whether they have one of which nobody knows what it stands for.
type spoken struct {
	masked, names []string
	unknown       bool
}

// add adds another one.
func (g *spoken) add(other spoken) {
	for _, name := range other.masked {
		if !slices.Contains(g.masked, name) {
			g.masked = append(g.masked, name)
		}
	}
	for _, name := range other.names {
		if !slices.Contains(g.names, name) {
			g.names = append(g.names, name)
		}
	}
	g.unknown = g.unknown || other.unknown
}

// read returns the masked columns of the row of which a value may be made, and whether it has a
// name of which nobody knows what it stands for.
func (r *rowReader) read(value string) (masked []string, unknown bool) {
	all := r.words(value)
	for i := 0; i < len(all.names); i++ { // what they stand for adds names
		all.add(r.standing(all.names[i]))
	}
	return all.masked, all.unknown
}

// standing reads all that a name stands for, once: many values have the same name.
func (r *rowReader) standing(name string) spoken {
	all, known := r.stand[name]
	if !known {
		for _, a := range r.code.aliases()[name] {
			all.add(r.words(a))
		}
		if r.stand == nil {
			r.stand = map[string]spoken{}
		}
		r.stand[name] = all
	}
	return all
}

// words reads a value without following its names.
func (r *rowReader) words(value string) (said spoken) {
	note := func(names ...string) {
		for _, name := range names {
			if col := r.ts.columnLike(name); r.tells(col) {
				said.add(spoken{masked: []string{col.col.Name}})
			}
		}
	}
	value = catalog.WithoutCasts(withoutLiterals(value))
	for _, m := range someOfRow.FindAllStringSubmatch(value, -1) {
		note(unquoted(m[1]))
	}
	value = someOfRow.ReplaceAllLiteralString(value, " ")
	if wholeRow.MatchString(value) {
		for _, col := range r.ts.columns {
			note(col.col.Name)
		}
	}
	asks := selectStart.MatchString(value)
	for _, m := range oneName.FindAllStringSubmatch(noVariable.ReplaceAllString(wholeRow.ReplaceAllLiteralString(value, " "), " "), -1) {
		name := m[0]
		if m[2] != "" {
			name = unquoted(m[2])
		}
		switch {
		case r.selects && r.ts.columnLike(name) != nil:
			note(name)
		case r.code.aliases()[name] != nil:
			said.add(spoken{names: []string{name}})
		default:
			said.unknown = said.unknown || !asks
		}
	}
	return said
}

// tells reports whether a column is masked, or computed from one that is.
func (r *rowReader) tells(col *column) bool {
	return col != nil && (len(r.ts.maskedOf([]string{col.col.Name})) > 0 || r.ts.maskedBehind(col) != nil)
}

// columnLike returns the column of that name, or the only one whose name differs in case: some
// engines do not tell them apart.
func (t *table) columnLike(name string) (like *column) {
	for _, col := range t.columns {
		switch {
		case col.col.Name == name:
			return col
		case strings.EqualFold(col.col.Name, name) && like != nil:
			return nil
		case strings.EqualFold(col.col.Name, name):
			like = col
		}
	}
	return like
}

var (
	asName      = regexp.MustCompile(`(?is)^(.+?)\s+(?:as\s+)?` + sqlName + `$`)
	ofSomething = regexp.MustCompile(`(?is)^(?:` + sqlName + `\s*\.\s*)+` + sqlName + `$`)
	// valueGiven is where a variable, or a parameter of the session, gets a value.
	valueGiven = regexp.MustCompile(`(?i)(?:;|\b(?:declare|begin|then|else|loop|set)\b)\s*(?:(?:declare|begin|set|constant)\s+)*((?:` + sqlName + `\s*\.\s*)?` + sqlName + `|@\w+)(?:\s+[\w\s.()"\[\]%]*?)?\s*(?::=|=|\bdefault\b)`)
	usingList  = regexp.MustCompile(`(?i)\bexecute\b[^;]*?\busing\b([^;]*)`)
	// derived rows may have names behind them: (VALUES …) AS s (a, b).
	namedRows = regexp.MustCompile(`(?i)^\s*(?:as\s+)?` + sqlName + `\s*\(([^()]*)\)`)
)

// aliases are what the names of the code stand for: those of what it selects, its variables, and
// the arguments of what it executes.
func (p *script) aliases() map[string][]string {
	if p.standFor != nil {
		return p.standFor
	}
	p.standFor = map[string][]string{}
	known := map[[2]string]bool{}
	stand := func(name, what string) {
		if !known[[2]string{name, what}] {
			known[[2]string{name, what}] = true
			p.standFor[name] = append(p.standFor[name], what)
		}
	}
	for _, text := range p.texts() {
		for _, at := range selectStart.FindAllStringIndex(text, -1) {
			p.selected(text[at[1]:], stand)
		}
		for i := range text {
			if text[i] == '(' && rowsNested.MatchString(text[i+1:]) {
				p.derivedRows(text[i+1:], stand)
			}
		}
		for _, m := range valueGiven.FindAllStringSubmatchIndex(text, -1) {
			name := text[m[2]:m[3]]
			if m[6] >= 0 {
				name = unquoted(text[m[6]:m[7]])
			}
			stand(name, text[m[1]:m[1]+statementEnd(text[m[1]:])])
		}
		for _, m := range usingList.FindAllStringSubmatch(text, -1) {
			for i, a := range listed(m[1]) {
				stand("$"+strconv.Itoa(i+1), a)
			}
		}
	}
	return p.standFor
}

// selected notes the names of what is selected, and of the variables that it goes to.
func (p *script) selected(rest string, stand func(name, what string)) {
	top := flat(rest)
	end := endOf(selectEnd, top)
	items := listed(rest[:end])
	for _, item := range items {
		if m := ofSomething.FindStringSubmatch(item); m != nil {
			stand(unquoted(m[2]), item)
		} else if m := asName.FindStringSubmatch(item); m != nil {
			stand(unquoted(m[2]), m[1])
		}
	}
	if into := selectInto.FindString(top[end:]); into != "" {
		from := end + len(into)
		for i, name := range listed(rest[from : from+endOf(selectEnd, top[from:])]) {
			if i < len(items) {
				stand(unquoted(name[strings.LastIndexByte(name, '.')+1:]), items[i])
			}
		}
	}
}

// derivedRows notes the names that are given to rows in parentheses.
func (p *script) derivedRows(inner string, stand func(name, what string)) {
	end := len(flat(inner))
	if end >= len(inner) || inner[end] != ')' {
		return
	}
	m := namedRows.FindStringSubmatch(inner[end+1:])
	if m == nil {
		return
	}
	var w written
	w.values(inner)
	for i, name := range listed(m[2]) {
		for _, row := range w.rows {
			if i < len(row) {
				stand(unquoted(name), row[i])
			}
		}
	}
}
