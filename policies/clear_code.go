package policies

import (
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

// codeHolds reports whether a statement of code names a column that is not kept, of whatever
// table, and has a literal that is not compared with something else.
func (s *clearing) codeHolds(text string) bool {
	code := newScript(settings.ReplaceAllLiteralString(text, " "))
	names := s.spokenOf(code)
	if len(names) == 0 {
		return false
	}
	masked := func(words string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return catalog.Names(words, n) })
	}
	return slices.ContainsFunc(statementEnds.Split(code.text, -1), func(statement string) bool {
		return masked(withoutLiterals(statement)) && saysValueOf(statement, masked)
	})
}

// spokenOf returns the names of columns that are not kept of which code speaks.
func (s *clearing) spokenOf(code *script) (names []string) {
	for id := range s.unkept {
		if !slices.Contains(names, id.Column) && code.names(id.Column) {
			names = append(names, id.Column)
		}
	}
	return names
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
		return len(s.spokenOf(newScript(o.Definition))) > 0
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
