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
	unkept map[catalog.ColumnID]bool
	types  []string // of columns that are not kept, and what these are made of
	found  []catalog.Object
}

// inClear lists those definitions, as objects that come and are noted.
func (c *compiler) inClear() []catalog.Object {
	s := &clearing{compiler: c, gone: map[string]bool{}, unkept: map[catalog.ColumnID]bool{}}
	for _, o := range c.catalog.Objects {
		if !o.Fate.Along() {
			s.gone[o.Kind+":"+o.Name] = true
		}
	}
	for _, ts := range c.tables {
		s.mark(ts)
	}
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
	if col.Comment != above.Comment && strings.ContainsAny(col.Comment, "0123456789@'\"") {
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
	for _, d := range t.Checks {
		same := func(o catalog.Definition) bool { return o.Text == d.Text }
		if s.reads(t, d.Reads) && !harmlessCheck.MatchString(d.Text) && holdsValue(d.Text) && !slices.ContainsFunc(above.Checks, same) {
			s.note("constraint", id+"."+d.Name, clearReads)
		}
	}
	for _, d := range t.Indexes {
		same := func(o catalog.Definition) bool { return indexWords(o.Text) == indexWords(d.Text) }
		if s.reads(t, d.Reads) && holdsValue(d.Text) && !slices.ContainsFunc(above.Indexes, same) {
			s.note("index", indexName(t.ID, d.Name), clearReads)
		}
	}
	for _, d := range ownTriggers(s.catalog, t) {
		if holdsValue(handed(t, d)) && (s.reads(t, d.Reads) || s.speaks(t, triggerWords(d.Text))) {
			s.note("trigger", id+"."+d.Name, clearReads)
		}
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
			if reads && saysValue(words) {
				s.note(o.Kind, o.Name, clearReads)
			}
		case "rule", "policy", "extended statistics":
			if of := s.tableOf(o); (reads || of != nil && s.speaks(of, words)) && holdsValue(words) {
				s.note(o.Kind, o.Name, clearReads)
			}
		case "domain":
			if words = domainWords.FindString(words); domains[o.Name] && !harmlessCheck.MatchString(words) && holdsValue(words) {
				s.note(o.Kind, o.Name, clearDomain)
			}
		}
	}
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
func holdsValue(text string) bool { return saysValue(text) || holdsNumber(text) }

// saysValue reports whether a literal stands in an expression that says something: not a
// blank or a comma, not zero or one however they are written, not a pattern or the name of
// a sequence.
func saysValue(text string) bool {
	for i := 0; i < len(text); i++ {
		quote := text[i]
		if quote != '\'' && quote != '"' && quote != '`' {
			continue
		}
		start := i + 1
		for i++; i < len(text) && text[i] != quote; i++ {
			if text[i] == '\\' {
				i++
			}
		}
		said := text[min(start, len(text)):min(i, len(text))]
		rest := strings.TrimSpace(text[min(i+1, len(text)):])
		switch {
		case quote != '\'', said == "1", strings.HasPrefix(said, "%"), strings.HasPrefix(rest, "::regclass"):
		case strings.Trim(said, "0.:- ") != "" && strings.ContainsFunc(said, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
			return true
		}
	}
	return false
}
