package policies

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

const (
	clearCode = "may hold a value, and comes as it is though it speaks of a column that is not kept"
	clearSaid = "may hold a value, and comes as it is though it is said of what has columns that are not kept"
)

var (
	// settings are those under which a function of PostgreSQL runs.
	settings = regexp.MustCompile(`(?im)^\s*SET\s+[\w."]+\s+(?:TO|=)\s+(?:'(?:[^']|'')*'[\s,]*)+`)
	// statementEnds are where statements end, or what stands before the body of a function.
	statementEnds = regexp.MustCompile(`(?i);|\bAS\s+\$\w*\$`)
)

// meanings notes what code may mean by the name of a column: one of a table or a view that it
// names, too, or of a table whose trigger calls it.
func (s *clearing) meanings() {
	s.spoken, s.byWord, s.firing = map[string][]string{}, map[string][]string{}, map[string][]string{}
	known := func(name string) {
		if words := catalog.Words(bareRoutine(name)); len(words) > 0 {
			s.byWord[words[0]] = append(s.byWord[words[0]], name)
		}
	}
	for id := range s.unkept {
		if !s.byPseudonym(id) {
			s.spoken[id.Table.String()] = append(s.spoken[id.Table.String()], id.Column)
		}
	}
	for _, ts := range s.tables {
		known(ts.t.ID.String())
		for _, d := range ownTriggers(s.catalog, ts.t) {
			s.firing[d.Function] = append(s.firing[d.Function], ts.t.ID.String())
		}
	}
	for i := range s.catalog.Objects {
		v := &s.catalog.Objects[i]
		if !isView(v) {
			continue
		}
		known(v.Name)
		for _, id := range v.Reads {
			if s.unkept[id] && !s.byPseudonym(id) {
				s.spoken[v.Name] = append(s.spoken[v.Name], id.Column)
			}
		}
	}
}

// byPseudonym reports whether a column is masked by a pseudonym alone. Such stand in the rows of
// many tables, mostly as "id".
func (s *clearing) byPseudonym(id catalog.ColumnID) bool {
	ts := s.byID[id.Table]
	if ts == nil || !ts.copied() {
		return false
	}
	col := ts.column(id.Column)
	return col != nil && col.decision != nil && col.decision.spec.Name == "pseudonym"
}

// codeHolds reports whether a statement of code, which runs for rows of tables, names a column
// that is not kept and has a literal that is not compared with something else. Where it names no
// table, any may be meant by a column: there a literal has to be compared with it, unless the code
// puts SQL together.
func (s *clearing) codeHolds(text string, of ...string) bool {
	code := newScript(settings.ReplaceAllLiteralString(text, " "))
	names, anyones := s.spokenOf(code, of)
	if len(names) == 0 {
		return false
	}
	masked := func(words string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return catalog.Names(words, n) })
	}
	says := func(statement string) bool { return saysValueOf(statement, masked) }
	if anyones && !dynamic.MatchString(code.text) {
		says = func(statement string) bool {
			return saysValueBehind(statement, func(before string) bool { return masked(comparedWith(before)) })
		}
	}
	return slices.ContainsFunc(statementEnds.Split(code.text, -1), func(statement string) bool {
		return masked(withoutLiterals(statement)) && says(statement)
	})
}

// spokenOf returns the names of columns that are not kept of which code speaks that runs for rows
// of tables, and whether they may be anyone's, for neither is a table known nor does it name one.
func (s *clearing) spokenOf(code *script, of []string) (names []string, anyones bool) {
	of = append(namedIn(code, s.byWord), of...)
	if anyones = len(of) == 0; anyones {
		of = slices.Collect(maps.Keys(s.spoken))
	}
	for _, name := range of {
		for _, column := range s.spoken[name] {
			if !slices.Contains(names, column) && code.names(column) {
				names = append(names, column)
			}
		}
	}
	return names, anyones
}

var (
	// argumentBegins ends where an argument begins.
	argumentBegins = regexp.MustCompile(`(?i)[(,]\s*(?:_\w+|[en])?$`)
	// calledAtEnd ends where the arguments of a function begin; its group is the function's name.
	calledAtEnd = regexp.MustCompile(`(\w+)"?\s*$`)
	// namesFirst have the name of a thing, or of a part of a date, as their first argument.
	namesFirst = regexp.MustCompile(`(?i)^(?:nextval|currval|setval|date_trunc|date_part)$`)
	// formSecond have a form as their second argument.
	formSecond = regexp.MustCompile(`(?i)^to_(?:char|date|timestamp|number)$`)
	// keysAndValues make an object of a document of keys and values by turns.
	keysAndValues = regexp.MustCompile(`(?i)^(?:jsonb?_build_object|json_object|jsonb?_object_agg|json_objectagg)$`)
)

// isFormOrKey reports whether a literal behind the words is an argument that says nothing of a
// row: a form, the key of what is put into a document, or the name of a sequence.
func isFormOrKey(before string) bool {
	before = before[max(0, len(before)-farthest):]
	if !argumentBegins.MatchString(before) {
		return false
	}
	function, n := argumentAtEnd(withoutLiterals(before))
	switch {
	case namesFirst.MatchString(function):
		return n == 0
	case formSecond.MatchString(function):
		return n == 1
	}
	return n%2 == 0 && keysAndValues.MatchString(function)
}

// argumentAtEnd returns the function in whose arguments the words end, or "", and how many
// arguments there are before.
func argumentAtEnd(words string) (function string, n int) {
	depth := 0
	for i := len(words) - 1; i >= 0; i-- {
		switch c := words[i]; {
		case c == ')':
			depth++
		case c == '(' && depth > 0:
			depth--
		case c == '(':
			if m := calledAtEnd.FindStringSubmatch(words[:i]); m != nil {
				function = m[1]
			}
			return function, n
		case c == ',' && depth == 0:
			n++
		}
	}
	return "", 0
}

// commentHolds reports whether a comment may hold a value: a number, something in quotes, an
// address, or somebody's name.
func commentHolds(comment string) bool {
	if strings.ContainsAny(comment, "0123456789@'\"") {
		return true
	}
	words := strings.FieldsFunc(comment, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' })
	for i := range words[min(1, len(words)):] {
		if isFullName(words[i] + " " + words[i+1]) {
			return true
		}
	}
	return false
}

// comment looks at what is said of an object that has to do with columns that are not kept.
func (s *clearing) comment(o *catalog.Object) {
	if commentHolds(o.Comment) && !s.gone[o.Kind+":"+o.Name] && s.concerns(o) {
		s.note("comment", o.Name, clearSaid)
	}
}

func (s *clearing) concerns(o *catalog.Object) bool {
	switch o.Kind {
	case "view", "materialized view":
		return s.views[o.Name]
	case "function", "procedure":
		names, _ := s.spokenOf(newScript(o.Definition), s.firing[o.Name])
		return len(names) > 0
	case "trigger", "rule", "policy", "extended statistics":
		t := s.tableOf(*o)
		return t != nil && s.hasUnkept(t)
	}
	return false
}

// hasUnkept reports whether a column of the table is not kept.
func (s *clearing) hasUnkept(t *catalog.Table) bool {
	return slices.ContainsFunc(t.Columns, func(col catalog.Column) bool { return s.unkept[catalog.ColumnID{Table: t.ID, Column: col.Name}] })
}
