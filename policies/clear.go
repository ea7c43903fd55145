package policies

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Definitions come as they are: a transform changes rows. Where a value stands in one that
// belongs to a column which is not kept, nobody would think so who reads the policy; so
// plan and summary name it, and never show the value.

const (
	clearDefault = "holds a value, and comes as it is though the column is not kept"
	clearLabels  = "are the values that the column may have, and come as they are though it is not kept"
	clearComment = "may hold a value, and comes as it is though the column is not kept"
	clearReads   = "holds a value, and comes as it is though it reads a column that is not kept"
	clearDomain  = "holds a value, and comes as it is though a column of its type is not kept"
	clearBounds  = "may hold values, as may the names of partitions, and come as they are though a column that routes rows is not kept"
)

// clearing is the search for those definitions.
type clearing struct {
	*compiler
	gone   map[string]bool // objects that do not come along
	views  map[string]bool // that read a column that is not kept, themselves or by others
	unkept map[catalog.ColumnID]bool
	types  []string            // of columns that are not kept, and what these are made of
	spoken map[string][]string // columns that are not kept, by the table or view of which code that means them speaks
	byWord map[string][]string // tables and views, by the first word of what they are called
	firing map[string][]string // tables, by the functions that their triggers call
	found  []catalog.Object
}

// inClear lists those definitions, as objects that come and are noted.
func (c *compiler) inClear() []catalog.Object {
	s := &clearing{compiler: c, gone: map[string]bool{}, views: map[string]bool{}, unkept: map[catalog.ColumnID]bool{}}
	for _, o := range c.catalog.Objects {
		if !o.Fate.Along() {
			s.gone[o.Kind+":"+o.Name] = true
		}
	}
	for _, ts := range c.tables {
		s.mark(ts)
	}
	s.throughViews()
	s.meanings()
	for _, ts := range c.tables {
		if ts.t.Kind == catalog.Foreign {
			continue
		}
		for _, col := range ts.columns {
			if s.unkept[col.id()] {
				s.column(ts, col.col)
			}
		}
		s.table(ts)
	}
	s.objects()
	return s.found
}

// mark notes which columns of a table are not kept, or computed from such.
func (s *clearing) mark(ts *table) {
	if ts.t.Kind == catalog.Foreign {
		return
	}
	for _, computed := range []bool{false, true} {
		for _, col := range ts.columns {
			id, is := col.id(), col.col.Generation.Computed()
			if is == computed && (is && s.reads(ts.t, ts.t.ComputedFrom(id.Column)) || !is && !(ts.copied() && col.decision != nil && col.decision.keep)) {
				s.unkept[id] = true
			}
		}
	}
}

func isView(o *catalog.Object) bool { return o.Kind == "view" || o.Kind == "materialized view" }

// throughViews finds the views that read a column that is not kept, also of another view.
func (s *clearing) throughViews() {
	for grew := true; grew; {
		grew = false
		for i := range s.catalog.Objects {
			v := &s.catalog.Objects[i]
			if !isView(v) || !s.views[v.Name] && !s.viewReads(v) {
				continue
			}
			grew = s.markView(v) || !s.views[v.Name] || grew
			s.views[v.Name] = true
		}
	}
}

// viewReads reports whether a view reads what is not kept, as far as that is known by now.
// PostgreSQL tells which columns of other views one reads; elsewhere it is told by its words.
func (s *clearing) viewReads(v *catalog.Object) bool {
	if slices.ContainsFunc(v.Reads, func(id catalog.ColumnID) bool { return s.unkept[id] }) {
		return true
	}
	return s.catalog.Connector != "postgres" && slices.ContainsFunc(s.catalog.Objects, func(o catalog.Object) bool {
		return o.Name != v.Name && s.views[o.Name] && catalog.Names(v.Definition, o.Name)
	})
}

// markView notes the columns of a view that others read as ones that are not kept, but for
// those with the name of a column that the view reads, and that is kept. It reports whether
// there were such.
func (s *clearing) markView(v *catalog.Object) (grew bool) {
	kept, masked := map[string]bool{}, map[string]bool{}
	for _, id := range v.Reads {
		if s.unkept[id] {
			masked[id.Column] = true
		} else {
			kept[id.Column] = true
		}
	}
	for _, o := range s.catalog.Objects {
		for _, id := range o.Reads {
			if id.Table.String() == v.Name && !s.unkept[id] && (masked[id.Column] || !kept[id.Column]) {
				s.unkept[id], grew = true, true
			}
		}
	}
	return grew
}

func (s *clearing) note(kind, name, reason string) {
	if !s.gone[kind+":"+name] {
		s.found = append(s.found, catalog.Object{Kind: kind, Name: name, Fate: catalog.Noted, Reason: reason})
	}
}

// reads reports whether one of the columns is not kept.
func (s *clearing) reads(t *catalog.Table, columns []string) bool {
	return slices.ContainsFunc(columns, func(n string) bool { return s.unkept[catalog.ColumnID{Table: t.ID, Column: n}] })
}

// speaks reports whether words name a column of the table that is not kept.
func (s *clearing) speaks(t *catalog.Table, words string) bool {
	return slices.ContainsFunc(t.Columns, func(col catalog.Column) bool {
		return s.unkept[catalog.ColumnID{Table: t.ID, Column: col.Name}] && catalog.Names(words, col.Name)
	})
}

// column looks at what is said of a column that is not kept. What a partition has from its
// table stands there.
func (s *clearing) column(ts *table, col *catalog.Column) {
	id := ts.t.ID.String() + "." + col.Name
	s.types = append(s.types, typeNames(col.Type)...)
	var above catalog.Column
	if parent := s.partitioned(ts); parent != nil {
		if up := parent.Column(col.Name); up != nil {
			above = *up
		}
	}
	if col.Default != above.Default && (saysValue(col.Default) || lone.MatchString(col.Default)) {
		s.note("default", id, clearDefault)
	}
	if col.Computation != above.Computation && holdsValue(col.Computation) {
		s.note("computed column", id, clearReads)
	}
	if above.Name == "" && hasLabels(col.Type) {
		s.note("labels", id, clearLabels)
	}
	if col.Comment != above.Comment && commentHolds(col.Comment) {
		s.note("comment", id, clearComment)
	}
}

// table looks at what a table says that its parent does not.
func (s *clearing) table(ts *table) {
	t, id := ts.t, ts.t.ID.String()
	key, above := t.PartitionKey, &catalog.Table{}
	if parent := s.partitioned(ts); parent != nil {
		key, above = parent.PartitionKey, parent
	}
	masked := func(words string) bool { return s.speaks(t, words) }
	for _, d := range t.Checks {
		same := func(o catalog.Definition) bool { return o.Text == d.Text }
		if s.reads(t, d.Reads) && !harmlessCheck.MatchString(d.Text) && holdsValueOf(d.Text, masked) && !slices.ContainsFunc(above.Checks, same) {
			s.note("constraint", id+"."+d.Name, clearReads)
		}
	}
	for _, d := range t.Indexes {
		same := func(o catalog.Definition) bool { return indexWords(o.Text) == indexWords(d.Text) }
		if s.reads(t, d.Reads) && holdsValueOf(d.Text, masked) && !slices.ContainsFunc(above.Indexes, same) {
			s.note("index", indexName(t.ID, d.Name), clearReads)
		}
	}
	for _, d := range ownTriggers(s.catalog, t) {
		switch {
		case triggerHead.MatchString(d.Text):
			if holdsValueOf(handed(t, d), masked) && (s.reads(t, d.Reads) || s.speaks(t, triggerWords(d.Text))) {
				s.note("trigger", id+"."+d.Name, clearReads)
			}
		case s.codeHolds(d.Text, t.ID.String()):
			s.note("trigger", id+"."+d.Name, clearCode)
		}
	}
	if t.Comment != above.Comment && s.hasUnkept(t) && commentHolds(t.Comment) {
		s.note("comment", id, clearSaid)
	}
	if s.reads(t, key) && (saysValue(t.Bounds) || digits.MatchString(t.Bounds)) {
		s.note("partition bounds", id, clearBounds)
	}
}

// handed is the condition of a trigger of PostgreSQL, and what it hands to its function but
// for names of columns; other engines' triggers are code as functions are.
func handed(t *catalog.Table, d catalog.Definition) string {
	m := triggerHead.FindStringSubmatch(d.Text)
	if m == nil {
		return ""
	}
	if fillsOnly(d) != nil {
		return m[5]
	}
	return m[5] + " " + sqlLiteral.ReplaceAllStringFunc(m[6], func(literal string) string {
		if t.Column(strings.Trim(literal, "'")) != nil {
			return "''"
		}
		return literal
	})
}

// objects looks at what stands beside tables.
func (s *clearing) objects() {
	domains := s.domains()
	for _, o := range s.catalog.Objects {
		words, reads := o.Definition, slices.ContainsFunc(o.Reads, func(id catalog.ColumnID) bool { return s.unkept[id] })
		switch o.Kind {
		case "view", "materialized view":
			if s.views[o.Name] && holdsValue(words) {
				s.note(o.Kind, o.Name, clearReads)
			}
		case "rule", "policy", "extended statistics":
			of := s.tableOf(o)
			masked := func(words string) bool { return of != nil && s.speaks(of, words) || s.readsIn(o, words) }
			if (reads || masked(words)) && holdsValueOf(words, masked) {
				s.note(o.Kind, o.Name, clearReads)
			}
		case "function", "procedure":
			if s.codeHolds(words, s.firing[o.Name]...) {
				s.note(o.Kind, o.Name, clearCode)
			}
		case "domain":
			if words = domainWords.FindString(words); domains[o.Name] && !harmlessCheck.MatchString(words) && holdsValue(words) {
				s.note(o.Kind, o.Name, clearDomain)
			}
		}
		s.comment(&o)
	}
}

// readsIn reports whether words name a column that an object reads and that is not kept.
func (s *clearing) readsIn(o catalog.Object, words string) bool {
	return slices.ContainsFunc(o.Reads, func(id catalog.ColumnID) bool { return s.unkept[id] && catalog.Names(words, id.Column) })
}

// fromTable is the table at the end of a statistics object.
var fromTable = regexp.MustCompile(`(?i)\bfrom\s+` + sqlTable + `\s*$`)

// tableOf is the table that a rule, a policy or a statistics object is about, or nil.
func (s *clearing) tableOf(o catalog.Object) *catalog.Table {
	if m := fromTable.FindStringSubmatch(o.Definition); m != nil && o.Kind == "extended statistics" {
		return s.catalog.Table(catalog.TableID{Schema: unquoted(m[1]), Name: unquoted(m[2])})
	}
	for i := range o.Name {
		if t := s.named[o.Name[:i]]; t != nil && o.Name[i] == '.' && t.ID.String() == o.Name[:i] {
			return t
		}
	}
	return nil
}

// domainWords are what a domain says beside the type that it is made of.
var domainWords = regexp.MustCompile(`(?s)\s(?:CHECK|DEFAULT)\s.*`)

// domains are those of columns that are not kept, and those that these are made of.
func (s *clearing) domains() map[string]bool {
	base, used := map[string]string{}, map[string]bool{}
	for _, o := range s.catalog.Objects {
		if o.Kind == "domain" {
			base[o.Name] = strings.ReplaceAll(domainWords.ReplaceAllString(o.Definition, ""), `"`, "")
		}
	}
	for _, name := range s.types {
		for base[name] != "" && !used[name] {
			used[name] = true
			name = base[name]
		}
	}
	return used
}

// typeNames are the names of a type and of all that it is made of.
func typeNames(t catalog.Type) []string {
	names := []string{strings.TrimRight(strings.ReplaceAll(t.Name, `"`, ""), "[]")}
	if t.Element != nil {
		names = append(names, typeNames(*t.Element)...)
	}
	for _, f := range t.Fields {
		names = append(names, typeNames(f.Type)...)
	}
	return names
}

// hasLabels reports whether a value of the type is one of an enum's labels, or has such inside.
func hasLabels(t catalog.Type) bool {
	return len(t.Labels) > 0 || t.Element != nil && hasLabels(*t.Element) ||
		slices.ContainsFunc(t.Fields, func(f catalog.Field) bool { return hasLabels(f.Type) })
}

// indexWords are those of an index behind its name and its table's.
func indexWords(text string) string {
	if _, words, found := strings.Cut(text, " USING "); found {
		return words
	}
	return text
}

// indexName names an index as its engine does: within a schema, or, where there are none,
// within its table.
func indexName(of catalog.TableID, name string) string {
	if of.Schema == "" {
		return of.Name + "." + name
	}
	return of.Schema + "." + name
}

var (
	// lone is a number that is all of an expression, and neither 0 nor 1.
	lone   = regexp.MustCompile(`^[-(\s]*(?:[2-9]|[1-9][0-9])[0-9]*(?:\.[0-9]+)?\)*(?:::[\w\s]+)?$`)
	digits = regexp.MustCompile(`[0-9]`)
	// long is a number that is no count of characters, or of years.
	long = regexp.MustCompile(`(?:^|[^\w.])[0-9]{4,}`)
)

// holdsNumber reports whether a number of four digits or more stands in an expression.
func holdsNumber(text string) bool { return long.MatchString(text) }

// holdsValue reports whether a value stands in an expression.
func holdsValue(text string) bool { return holdsValueOf(text, nil) }

// holdsValueOf reports whether a value stands in an expression that is not compared with what
// is of no column that is masked, as far as that is asked.
func holdsValueOf(text string, masked func(words string) bool) bool {
	return saysValueOf(text, masked) || holdsNumber(text)
}

// saysValue reports whether a literal stands in an expression that says something: not a
// blank or a comma, not zero or one however they are written, not the form of a date, a path or key
// of a document, or the name of a sequence or of another thing of the database.
func saysValue(text string) bool { return saysValueOf(text, nil) }

func saysValueOf(text string, masked func(words string) bool) bool {
	return saysValueBehind(text, func(before string) bool {
		return !namesBehind.MatchString(before) && !isFormOrKey(before) && !comparedElsewhere(before, masked)
	})
}

// saysValueBehind reports whether such a literal stands behind words of which says is true.
func saysValueBehind(text string, says func(before string) bool) bool {
	text = catalog.WithoutCasts(thingName.ReplaceAllString(text, ""))
	for i := 0; i < len(text); i++ {
		quote := text[i]
		if quote != '\'' && quote != '"' && quote != '`' {
			continue
		}
		start := i + 1
		for i++; i < len(text); i++ {
			doubled := text[i] == quote && i+1 < len(text) && text[i+1] == quote
			if text[i] == quote && !doubled {
				break
			}
			if doubled || text[i] == '\\' {
				i++
			}
		}
		said := text[min(start, len(text)):min(i, len(text))]
		switch {
		case quote != '\'', said == "1", directives.MatchString(said), documentPath.MatchString(said):
		case strings.Trim(said, "0.:- ") != "" && strings.ContainsFunc(said, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
			if says(text[:start-1]) {
				return true
			}
		}
	}
	return false
}

var (
	// thingName is the name of a thing of the database: of a sequence, of a search configuration.
	thingName    = regexp.MustCompile(`'(?:[^']|'')*'::reg\w+`)
	documentPath = regexp.MustCompile(`^\$[.\[]`)
	// directives are those of a form, with no word between them: '%Y-%m', '%s.%s'.
	directives = regexp.MustCompile(`^(?:%[-#0-9$.*]*[A-Za-z%]|[^\pL\pN])*$`)
	// namesBehind ends where the name of a setting stands, or that of a field.
	namesBehind = regexp.MustCompile(`(?i)(?:\bcurrent_setting\s*\(|->>?|#>>?)\s*$`)
	// compared ends in front of a literal, perhaps in a list; its group is what stands left of it.
	compared = regexp.MustCompile(`(?is)^(.*?)(?:!?~~?\*?|<>|!=|[<>]?=|[<>]|\b(?:not\s+)?(?:like|ilike|in)\b)\s*(?:any\b|all\b)?[(\s]*(?:array\s*\[)?\s*(?:_\w+)?(?:'(?:[^']|'')*'\s*,\s*(?:_\w+)?)*$`)
	// dividing are the words behind which an operand begins.
	dividing = regexp.MustCompile(`(?i)\b(?:and|or|not|where|having|on|case|when|then|else|check|set)\b`)
	// noOperand is what is no column in an operand.
	noOperand = regexp.MustCompile(`(?i)'(?:[^']|'')*'|\bas\s+\w+|[\w."]+\s*\(|\b(?:select|current_user|session_user|true|false|null)\b`)
)

// farthest is how far behind a comparison a literal of its list is looked for.
const farthest = 4096

// comparedElsewhere reports whether a literal behind the words is compared with what has no
// column; or, if that is asked, none that is masked.
func comparedElsewhere(before string, masked func(words string) bool) bool {
	operand := comparedWith(before)
	if masked != nil {
		return operand != "" && !masked(operand)
	}
	return operand != "" && !strings.ContainsFunc(noOperand.ReplaceAllString(operand, " "), unicode.IsLetter)
}

// comparedWith returns with what a literal behind the words is compared, or "".
func comparedWith(before string) string {
	if m := compared.FindStringSubmatch(before[max(0, len(before)-farthest):]); m != nil {
		return operandAtEnd(m[1])
	}
	return ""
}

// operandAtEnd returns what stands at the end of an expression, from the bracket, the comma
// or the word on that divides it from what is before; or "".
func operandAtEnd(text string) string {
	flat, depth := []byte(text), 0
	at := len(text)
	for ; at > 0; at-- {
		c := text[at-1]
		if depth == 0 && (c == '(' || c == ',') {
			break
		}
		switch c {
		case ')':
			depth++
		case '(':
			depth--
		}
		if depth > 0 {
			flat[at-1] = ' '
		}
	}
	if words := dividing.FindAllIndex(flat[at:], -1); words != nil {
		at += words[len(words)-1][1]
	}
	return strings.TrimSpace(text[at:])
}
